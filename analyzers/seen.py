"""The bars that a run has shown its strategy, as frames: never one more."""

from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from analyzers.equity import instants
from feeds.bars import COLUMNS, check_bars
from feeds.passport import KEY, Passport
from feeds.timeframe import Timeframe

_LEAST = pd.Timedelta(microseconds=1)


def seen(strategy: bt.Strategy) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """The frames of a strategy's feeds as far as it has come, and the feeds without one.

    Of several feeds with one name the first counts: the others are that one resampled.

    Returns:
        Frames by name of feed, with its passport where it has one; reasons by name.

    Raises:
        DataError: a feed of Backtrader's own has bars that are none.
    """
    frames: dict[str, pd.DataFrame] = {}
    missing: dict[str, str] = {}
    for number, data in enumerate(strategy.datas):
        name = str(getattr(data, "_name", "") or f"data{number}")
        if name in frames or name in missing:
            continue
        if not len(data):
            missing[name] = "it has shown no bar"
        elif len(data.lines.close.array) < len(data):
            missing[name] = "the run kept its last bars only: run it without exactbars"
        else:
            frames[name] = _frame(data, name)
    return frames, missing


def _frame(data: Any, name: str) -> pd.DataFrame:
    count, passport = len(data), getattr(data, "passport", None)
    values = {column: _line(data, column, count) for column in COLUMNS}
    ends = instants(_line(data, "datetime", count))
    frame = check_bars(pd.DataFrame(values, index=_starts(ends, data, passport)), name)
    if passport is not None:
        frame.attrs[KEY] = passport
    return frame


def _line(data: Any, name: str, count: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array(getattr(data.lines, name).array[:count], dtype=np.float64)


def _starts(ends: pd.DatetimeIndex, data: Any, passport: Passport | None) -> pd.DatetimeIndex:
    """When bars began that ended then; without a passport days are their dates."""
    if passport is None:
        return ends if data._timeframe < bt.TimeFrame.Days else ends.normalize()
    delta = Timeframe(passport.timeframe).delta
    if passport.calendar is None or passport.timeframe != "1d":
        return ends if delta is None else pd.DatetimeIndex(ends - delta)
    local = (ends - _LEAST).tz_convert(passport.zone or "UTC")
    return pd.DatetimeIndex(local.normalize().tz_convert("UTC"))
