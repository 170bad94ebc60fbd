"""What a broker reads of one feed, by the shortest way."""

import math
from datetime import timedelta
from typing import Any

import backtrader as bt

_MARGIN_DAYS = 1e-8  # a millisecond: keeps clear of how Backtrader rounds a date number


class Quote:
    """The lines of one feed, and when the session of its newest bar ends.

    Args:
        data: a feed whose ticks are its bars, as they are but for replays.
    """

    __slots__ = (
        "_counted",
        "_day",
        "_day_end",
        "_is_plain",
        "clock",
        "close",
        "data",
        "high",
        "low",
        "open",
    )

    def __init__(self, data: bt.AbstractDataBase) -> None:
        lines = data.lines
        self.data = data
        self.open, self.high = lines.open, lines.high
        self.low, self.close = lines.low, lines.close
        self.clock: Any = lines.datetime
        is_stock = type(data).__len__ is bt.LineSeries.__len__
        self._counted = lines.lines[0] if is_stock else data
        self._is_plain = data._tz is None and type(data).date2num is bt.AbstractDataBase.date2num
        self._day = self._day_end = 0.0  # a day and its session's end, as date numbers

    @property
    def count(self) -> int:
        """How many bars there have been."""
        return len(self._counted)

    def session_end(self) -> float:
        """The next end of session as Backtrader's date number, reckoned as in `Order.__init__`."""
        now = self.clock[0]
        if not self._day <= now < self._day + 1 and self._is_plain:
            self._day = float(int(now))
            self._day_end = self._of_day(self._day)
        if self._day <= now < self._day_end - _MARGIN_DAYS:
            return self._day_end
        return self._reckon()

    def _of_day(self, day: float) -> float:
        """The session's end on a day, as `date2num` adds it up."""
        end = self.data.p.sessionend
        parts = end.hour / 24.0, end.minute / 1440.0, end.second / 86400.0
        return math.fsum((day, *parts, end.microsecond / (86400.0 * 1e6)))

    def _reckon(self) -> float:
        data, session = self.data, self.data.p.sessionend
        at = self.clock.datetime(0)
        end = at.replace(
            hour=session.hour,
            minute=session.minute,
            second=session.second,
            microsecond=session.microsecond,
        )
        return float(data.date2num(end + timedelta(days=1) if end < at else end))
