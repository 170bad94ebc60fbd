"""What Yahoo and Polygon share: bounds in the exchange's zone, unfinished bars, patience."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

import pandas as pd

from brokers.clock import Clock
from brokers.errors import ConfigError, DataError, Transient
from brokers.wire.backoff import Backoff
from feeds import calendars
from feeds.cache import BarCache, Fetch, Key
from feeds.timeframe import Timeframe

T = TypeVar("T")


def as_bound(instant: datetime | None) -> date | datetime | None:
    """Midnight UTC as the date it stands for, any other instant as it is.

    `feeds.history` turns a date into its midnight UTC; who asks for a date means the exchange's.
    """
    if instant is None or pd.Timestamp(instant) != pd.Timestamp(instant).normalize():
        return instant
    return instant.date()


def at_exchange(instant: datetime | None, zone: str) -> pd.Timestamp | None:
    """The instant that a bound means at the exchange: a date is the midnight there."""
    bound = as_bound(instant)
    if bound is None:
        return None
    stamp = pd.Timestamp(bound)
    return stamp.tz_localize(zone) if stamp.tz is None else stamp.tz_convert(zone)


def cut(
    bars: pd.DataFrame, start: datetime | None, after: datetime | None, zone: str
) -> pd.DataFrame:
    """The bars from `start` up to but not including `after`, perhaps none."""
    first, last = at_exchange(start, zone), at_exchange(after, zone)
    if first is not None:
        bars = bars[bars.index >= first]
    return bars if last is None else bars[bars.index < last]


def in_words(start: datetime | None, after: datetime | None) -> str:
    """The range, for errors."""
    first = as_bound(start) or "the beginning"
    return f"from {first} to {'now' if after is None else f'before {as_bound(after)}'}"


def finished(
    bars: pd.DataFrame, timeframe: Timeframe, calendar: str | None, now: datetime
) -> pd.DataFrame:
    """The bars without a last one that still moves.

    Args:
        bars: index of aware bar starts; may be empty.
        calendar: whose session's close ends a daily or longer bar; without one it lasts
            its whole timeframe.
    """
    last = pd.DatetimeIndex(bars.index[-1:])
    if last.empty:
        return bars
    if calendar and not timeframe.is_intraday:
        ends_at = calendars.bar_close(calendar, last, timeframe)[0]
    else:
        ends_at = last[0] + (timeframe.delta or pd.DateOffset(months=1))
    return bars if ends_at <= pd.Timestamp(now) else bars.iloc[:-1]


def kept(
    cache: Path | str | None,
    key: Key,
    bounds: tuple[datetime | None, datetime | None],
    clock: Clock,
    fetch: Fetch,
) -> pd.DataFrame:
    """What `fetch` gives, from the folder `cache` as far as it is there."""
    if cache is None:
        return fetch(*bounds)
    return BarCache(cache, clock).topped_up(key, *bounds, fetch)


def require(symbols: Sequence[str], source: str) -> None:
    """Refuse a call without symbols."""
    if not symbols:
        raise ConfigError(f"{source}: no symbol: name at least one, such as AAPL")


@dataclass(frozen=True)
class Patience:
    """How long a source is asked again.

    Args:
        source: its name, for errors.
        backoff: the waits between tries.
        clock: in which is waited.
        rng: where their jitter is drawn.
    """

    source: str
    backoff: Backoff
    clock: Clock
    rng: random.Random

    def insist(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer or the back-off gives up.

        Raises:
            DataError: it gave up; the text says why, how long it tried and what to do.
        """
        try:
            return self.backoff.call(ask, clock=self.clock, rng=self.rng)
        except Transient as error:
            raise DataError(
                f"{self.source}: {error}: wait some minutes and run it again; with a cache folder "
                "(cache=), what was already fetched is not asked for twice"
            ) from error
