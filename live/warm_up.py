"""The bars that strategies see before the first live one, from another source than the venue."""

from dataclasses import asdict
from datetime import datetime, timedelta

import pandas as pd

from brokers.errors import DataError
from feeds.frames import bar_ends
from feeds.passport import Passport, passport_of, stamp
from feeds.sources import history
from feeds.timeframe import Timeframe
from live.settings import DataSection
from live.venues import Access

FEWEST = 2
_BARS_A_DAY = {"1m": 390, "5m": 78, "15m": 26, "30m": 13, "1h": 7, "1d": 1}
_OF_CONTENT = ("sha256", "gaps", "gap_count", "missing_bars")


def fetched(data: DataSection, at: datetime) -> dict[str, pd.DataFrame]:
    """The newest bars of `data.warmup_source` that had ended at an instant, by symbol.

    Raises:
        ConfigError: no such source or option, or a key is missing.
        DataError: no bars before that instant, or the source did not answer.
    """
    timeframe = Timeframe(data.timeframe)
    found = history(
        data.warmup_source,
        data.symbols,
        at - reach(data.warmup_bars, timeframe),
        at,
        timeframe,
        **data.warmup_options,
    )
    return {symbol: _cut(symbol, frame, data, at) for symbol, frame in found.items()}


def promised(data: DataSection, access: Access) -> dict[str, Passport]:
    """What the live bars of each symbol are going to be, as far as settings and venue tell."""
    feed, adjustment = access.kind_of_bars(data)
    return {
        symbol: Passport(symbol, access.name, data.timeframe, "", feed=feed, adjustment=adjustment)
        for symbol in data.symbols
    }


def reach(bars: int, timeframe: Timeframe) -> timedelta:
    """How far back so many bars surely lie, weekends and holidays included."""
    days = bars // _BARS_A_DAY[timeframe.text] + 1
    return timedelta(days=days * 7 // 5 + 6)


def _cut(symbol: str, frame: pd.DataFrame, data: DataSection, at: datetime) -> pd.DataFrame:
    known = passport_of(frame, symbol)
    ended = frame[bar_ends(frame, known) <= pd.Timestamp(at)]
    if ended.empty:
        raise DataError(
            f"{data.warmup_source}: no {data.timeframe} bar of {symbol} had ended at "
            f"{at:%Y-%m-%d %H:%M} UTC: check data.warmup_source and data.warmup_options"
        )
    facts = {name: fact for name, fact in asdict(known).items() if name not in _OF_CONTENT}
    return stamp(ended.iloc[-max(data.warmup_bars, FEWEST) :], **facts)
