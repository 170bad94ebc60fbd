"""The bars that a run of Backtrader has shown, as frames again."""

from array import array
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from analyzers.equity import instants
from brokers.translate import symbol
from feeds import calendars
from feeds.bars import COLUMNS
from feeds.passport import KEY, Passport


class RunBars:
    """Takes down each new bar of one feed, whatever the feed itself remembers."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._bars = 0
        self._times = array("d")
        self._values = array("d")
        passport = getattr(data, "passport", None)
        self._passport = passport if isinstance(passport, Passport) else None

    @property
    def symbol(self) -> str:
        """The feed's."""
        return symbol(self._data)

    @property
    def is_daily(self) -> bool:
        """Whether its bars are days; longer ones are of no use here, nor are ticks."""
        return self._is(bt.TimeFrame.Days) and self._data._compression == 1

    @property
    def is_intraday(self) -> bool:
        """Whether its bars are of minutes."""
        return self._is(bt.TimeFrame.Minutes)

    def note(self) -> None:
        """Take down the bar, if it is a new one."""
        data = self._data
        if len(data) == self._bars:
            return
        self._bars = len(data)
        self._times.append(data.datetime[0])
        self._values.extend(getattr(data, column)[0] for column in COLUMNS)

    def frame(self, calendar: str) -> pd.DataFrame:
        """The bars by their starts, with the feed's passport; empty where there are none."""
        ends = instants(np.array(self._times))
        bars = pd.DataFrame(np.array(self._values).reshape(-1, len(COLUMNS)), columns=list(COLUMNS))
        starts = self._dates(ends, calendar) if self.is_daily else self._starts(ends, calendar)
        bars.index = starts.rename("time")
        bars = bars[starts.notna()]
        if self._passport is not None:
            bars.attrs[KEY] = self._passport
        return bars

    def _is(self, timeframe: int) -> bool:
        return bool(self._data._timeframe == timeframe)

    def _starts(self, ends: pd.DatetimeIndex, calendar: str) -> pd.DatetimeIndex:
        """Sessions may cut the last bar short: starts count from the open."""
        inside = ends - pd.Timedelta(microseconds=1)
        opened = calendars.current_open(calendar, inside)
        step = pd.Timedelta(minutes=self._data._compression)
        return pd.DatetimeIndex(opened + (inside - opened) // step * step)

    def _dates(self, ends: pd.DatetimeIndex, calendar: str) -> pd.DatetimeIndex:
        inside = ends - pd.Timedelta(microseconds=1)
        return calendars.session_dates(calendar, inside).tz_localize("UTC")
