"""What a broker reads of one feed, by the shortest way."""

from datetime import datetime, timedelta
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
        "_until",
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
        self._day = self._until = 0.0  # from and until when the end is known, as date numbers
        self._day_end = 0.0

    @property
    def count(self) -> int:
        """How many bars there have been."""
        return len(self._counted)

    def session_end(self) -> float:
        """The next end of session as Backtrader's date number, reckoned as in `Order.__init__`."""
        now = self.clock[0]
        if self._day <= now < self._until:
            return self._day_end
        return self._reckon(now)

    def _reckon(self, now: float) -> float:
        data, session = self.data, self.data.p.sessionend
        at = self.clock.datetime(0)
        end = at.replace(
            hour=session.hour,
            minute=session.minute,
            second=session.second,
            microsecond=session.microsecond,
        )
        if end < at:
            return float(data.date2num(end + timedelta(days=1)))
        number = float(data.date2num(end))
        day = float(int(now))
        if data._tz is None and end.date() == datetime.fromordinal(int(day)).date():
            self._day, self._until, self._day_end = day, number - _MARGIN_DAYS, number
        return number
