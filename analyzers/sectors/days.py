"""Bar frames of any exchange with one row a date, so that they can stand side by side."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd

from analyzers.columns import Frames
from brokers.errors import DataError
from feeds import calendars
from feeds.bars import check_bars
from feeds.passport import KEY, Passport
from feeds.timeframe import Timeframe

_AS_A_DAY = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
_LESS_THAN_A_DAY = pd.Timedelta(hours=20).value

Dates = Callable[[bytes, str | None, str | None], pd.DatetimeIndex]


def by_date(frames: Frames) -> dict[str, pd.DataFrame]:
    """The frames with each bar at midnight UTC of its date at its exchange.

    Bars within a day become one.

    Raises:
        DataError: a frame is no bar frame, or one of weeks or months.
    """
    dates = lru_cache(_dates)  # most frames share their times
    return {name: _one(frame, name, dates) for name, frame in frames.items()}


def _one(frame: pd.DataFrame, name: str, dates: Dates) -> pd.DataFrame:
    bars = check_bars(frame, name)
    passport = frame.attrs.get(KEY)
    known = passport if isinstance(passport, Passport) else None
    if known and known.timeframe in ("1w", "1mo"):
        raise DataError(f"{name} has bars of {known.timeframe}: a sector report needs days")
    stamps = pd.DatetimeIndex(bars.index).asi8
    place = (known.calendar, known.zone) if known else (None, None)
    days = dates(stamps.tobytes(), *place)
    if Timeframe(known.timeframe).is_intraday if known else _is_dense(stamps):
        bars = bars.groupby(days).agg(_AS_A_DAY)
    elif len(together := np.flatnonzero(np.diff(days.asi8) <= 0)):
        raise DataError(f"{name} has two bars of {days[together[0]]:%Y-%m-%d}: drop one")
    else:
        bars.index = days
    bars.attrs = dict(frame.attrs)
    return bars


def _is_dense(stamps: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> bool:
    return len(stamps) > 1 and float(np.median(np.diff(stamps))) < _LESS_THAN_A_DAY


def _dates(stamps: bytes, calendar: str | None, zone: str | None) -> pd.DatetimeIndex:
    starts = pd.DatetimeIndex(np.frombuffer(stamps, np.int64), tz="UTC")
    if calendar is not None:
        return calendars.session_dates(calendar, starts).tz_localize("UTC")
    local = starts.tz_convert(zone or "UTC").tz_localize(None)
    return pd.DatetimeIndex(local).normalize().tz_localize("UTC")
