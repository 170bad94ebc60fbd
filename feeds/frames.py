"""A bar frame as a Backtrader feed that shows each bar at its END, never before."""

from array import array
from typing import Any

import backtrader as bt
import numpy as np
import numpy.typing as npt
import pandas as pd

from brokers.errors import DataError
from feeds import calendars
from feeds.bars import COLUMNS, check_bars
from feeds.passport import Passport, passport_of
from feeds.timeframe import Timeframe

_Floats = npt.NDArray[np.float64]
_UNIX_EPOCH_ORDINAL = 719_163
_DAY_US = 86_400_000_000


def as_feed(frame: pd.DataFrame, name: str = "") -> "FrameFeed":
    """Make the feed of one frame.

    Args:
        frame: a bar frame; without a passport its timeframe is inferred and it has no calendar.
        name: what strategies call the feed; without one, the passport's symbol.

    Raises:
        DataError: the frame is no bar frame, or its calendar has no session for a bar.
    """
    # Backtrader's metaclass takes the params before __init__ sees them.
    return FrameFeed(dataname=frame, name=name)  # type: ignore[call-arg]


class FrameFeed(bt.feed.DataBase):
    """One bar frame; its datetime line is each bar's end, naive UTC as Backtrader has it.

    Open interest is 0.0, as in stock YahooFinanceCSVData. The passport sets the timeframe and the
    compression. Bars are loaded all at once where nothing has to look at them one by one.
    """

    params = (
        ("tick", None),  # price step of the instrument, for rounding; None: no step
    )

    passport: Passport

    def __init__(self) -> None:
        bars = check_bars(self.p.dataname, self.p.name)
        self.passport = passport_of(bars, self.p.name)
        self.p.name = self.p.name or self.passport.symbol
        # Backtrader copies these two to the feed when __init__ is done.
        self.p.timeframe, self.p.compression = Timeframe(self.passport.timeframe).backtrader
        values = {column: bars[column].to_numpy() for column in COLUMNS}
        values["openinterest"] = np.zeros(len(bars))
        values["datetime"] = to_num(bar_ends(bars, self.passport))
        self._columns = [values[alias] for alias in self.getlinealiases()]
        self._row = -1

    def start(self) -> None:
        """Begin with the first bar again."""
        super().start()
        self._row = -1

    def preload(self) -> None:
        """Fill every line at once, unless a filter, a range or a zone wants bar after bar."""
        if not self._is_plain():
            super().preload()
            return
        for line, values in zip(self.lines, self._columns, strict=True):
            line.array[0:0] = array("d", values.tobytes())
        self._row = len(self._columns[0])  # Backtrader may ask for more: there is none
        self._last()
        self.home()

    def _load(self) -> bool:
        self._row += 1
        if self._row >= len(self._columns[0]):
            return False
        for line, values in zip(self.lines, self._columns, strict=True):
            line[0] = values.item(self._row)
        return True

    def _is_plain(self) -> bool:
        unchanged = not (self._filters or self._tzinput) and type(self)._load is FrameFeed._load
        whole = self.fromdate == float("-inf") and self.todate == float("inf")
        return unchanged and whole and all(_is_fillable(line) for line in self.lines)


def _is_fillable(line: Any) -> bool:
    empty = line.mode == line.UnBounded and len(line.array) == line.extension
    return empty and not line.bindings


def bar_ends(bars: pd.DataFrame, passport: Passport) -> pd.DatetimeIndex:
    """Give the instant at which each bar is complete, strictly increasing, UTC.

    With a calendar as `feeds.calendars.bar_close` says, without one start + timeframe.

    Raises:
        DataError: two bars end together, or the calendar has no session for a bar.
    """
    starts = pd.DatetimeIndex(bars.index)
    timeframe = Timeframe(passport.timeframe)
    try:
        ends = calendars.bar_close(passport.calendar, starts, timeframe)
    except DataError as error:
        raise DataError(f"{passport.symbol or 'bars'}: {error}") from error
    together = np.flatnonzero(np.diff(ends.asi8) <= 0)
    if len(together):
        row = int(together[0])
        raise DataError(
            f"{passport.symbol or 'bars'}: the {timeframe} bars of {starts[row]} and "
            f"{starts[row + 1]} both end at {ends[row]}: drop one, or say the right timeframe"
        )
    return ends


def to_num(instants: pd.DatetimeIndex) -> _Floats:
    """Convert as Backtrader's date2num does, to the last bit.

    date2num rounds the exact sum of the day and four fractions once (math.fsum). Here the sum
    keeps its rounding errors in a second float64 (Knuth's TwoSum) and is rounded once, too.

    Args:
        instants: naive or aware; what is finer than a microsecond is dropped.
    """
    days, rest = np.divmod(instants.as_unit("ns").asi8 // 1000, _DAY_US)
    total = (days + _UNIX_EPOCH_ORDINAL).astype(np.float64)
    lost = np.zeros_like(total)
    for unit_us in (3_600_000_000, 60_000_000, 1_000_000, 1):
        count, rest = np.divmod(rest, unit_us)
        part = count / (_DAY_US / unit_us)
        grown = total + part
        taken = grown - total
        lost += (total - (grown - taken)) + (part - taken)
        total = grown
    return total + lost
