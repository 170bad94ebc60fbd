"""Bars in whatever form a caller has them, as named Backtrader feeds."""

from collections.abc import Iterable, Mapping
from typing import Any

import backtrader as bt
import pandas as pd

from brokers.errors import ConfigError
from feeds.bars import check_bars
from feeds.frames import FrameFeed, as_feed, bar_ends
from feeds.passport import KEY, Passport, passport_of

Feeds = dict[str, bt.AbstractDataBase]


def named_feeds(bars: Any) -> Feeds:
    """The feeds by name, in the order in which Cerebro gets them.

    Args:
        bars: a bar frame or a Backtrader feed, one alone, in a list, or in a dict by name.

    Raises:
        ConfigError: something else, nothing at all, or two feeds of one name.
        DataError: a frame is no bar frame.
    """
    return {name: _feed(name, item) for name, item in _named(bars)}


def only_frames(bars: Any) -> dict[str, pd.DataFrame]:
    """The checked frames by name with their passports, to be cut or handed to others.

    Raises:
        ConfigError: one is a feed of Backtrader's own, or as of `named_feeds`.
        DataError: a frame is no bar frame.
    """
    return {name: _frame(name, item) for name, item in _named(bars)}


def passports_of(feeds: Feeds) -> dict[str, Passport | None]:
    """Each feed's passport; None for a feed of Backtrader's own."""
    return {name: getattr(feed, "passport", None) for name, feed in feeds.items()}


def frames_of(feeds: Feeds) -> dict[str, pd.DataFrame]:
    """The checked frames behind the feeds that have one, with their passports."""
    frames = {}
    for name, feed in feeds.items():
        if isinstance(feed, FrameFeed):
            frames[name] = check_bars(feed.p.dataname, name)
            frames[name].attrs[KEY] = feed.passport
    return frames


def _named(bars: Any) -> list[tuple[str, Any]]:
    """What there is by name, in order, whatever each may be."""
    if isinstance(bars, Mapping):
        named = [(str(name), item) for name, item in bars.items()]
    elif _is_series(bars):
        named = [(_name(bars, 0), bars)]
    elif isinstance(bars, Iterable) and not isinstance(bars, str | bytes):
        named = [(_name(item, number), item) for number, item in enumerate(bars)]
    else:
        raise _not_bars(bars)
    if not named:
        raise ConfigError("bars: there are none: give a frame, a dict of frames, or feeds")
    if len(dict(named)) < len(named):
        raise ConfigError("bars: two feeds have the same name: give a dict of names instead")
    return named


def _frame(name: str, item: Any) -> pd.DataFrame:
    """A checked copy with its passport."""
    if isinstance(item, FrameFeed):
        frame, passport = check_bars(item.p.dataname, name), item.passport
    elif isinstance(item, pd.DataFrame):
        frame = check_bars(item, name)
        passport = passport_of(frame, name)
        bar_ends(frame, passport)  # raises where two bars end together
    elif isinstance(item, bt.AbstractDataBase):
        raise ConfigError(
            f"bars: {name} is a feed of Backtrader's own, which can neither be cut nor given to "
            "workers: read it into a frame, as feeds.history does"
        )
    else:
        raise _not_bars(item)
    frame.attrs[KEY] = passport
    return frame


def _is_series(item: Any) -> bool:
    return isinstance(item, pd.DataFrame | bt.AbstractDataBase)


def _name(item: Any, number: int) -> str:
    """What the item calls itself, else Backtrader's own word for a feed without a name."""
    if isinstance(item, pd.DataFrame):
        passport = item.attrs.get(KEY)
        return passport.symbol if isinstance(passport, Passport) else f"data{number}"
    return str(getattr(item, "_name", "")) or f"data{number}"


def _feed(name: str, item: Any) -> bt.AbstractDataBase:
    if isinstance(item, pd.DataFrame):
        return as_feed(item, name)
    if isinstance(item, bt.AbstractDataBase):
        return item
    raise _not_bars(item)


def _not_bars(item: object) -> ConfigError:
    return ConfigError(
        f"bars: got {type(item).__name__}, not bars: give a frame, a dict of frames, or "
        "Backtrader feeds; feeds.history reads frames from files and vendors"
    )
