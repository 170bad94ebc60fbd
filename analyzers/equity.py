"""The account's value at every step of a run."""

from array import array
from collections.abc import Callable

import backtrader as bt
import numpy as np
import numpy.typing as npt
import pandas as pd

UNIX_EPOCH_ORDINAL = 719_163
DAY_US = 86_400_000_000
SECOND_US = 1_000_000
# A date number resolves 10 us; what lies this close to a whole second is meant to be one.
SNAP_US = 6

# Time (Backtrader's date number), value and cash of every step so far.
Steps = Callable[[], "tuple[array[float], array[float], array[float]]"]


class EquityCurve(bt.Analyzer):
    """Value and cash at the end of each bar, from the first bar on."""

    def start(self) -> None:
        """Begin anew."""
        self._at, self._value, self._cash = array("d"), array("d"), array("d")
        self._steps: Steps | None = None

    def next(self) -> None:
        """Take down one step; Backtrader calls it in prenext and nextstart too."""
        broker = self.strategy.broker
        self._at.append(self.strategy.lines.datetime[0])
        self._value.append(broker.getvalue())
        self._cash.append(broker.getcash())

    def follow(self, steps: Steps | None) -> None:
        """Have all steps from `steps`, asked when they are wanted; None: from `next` again."""
        self._catch_up()
        self._steps = steps

    def series(self) -> "pd.Series[float]":
        """The account's value in its currency.

        Returns:
            float64 named `equity`, by aware UTC `time` of the bars' ends. With several feeds one
            row for each time at which the strategy was called, the last call of a time counting.
        """
        self._catch_up()
        return self._by_time(self._value, "equity")

    def cash(self) -> "pd.Series[float]":
        """What of it was cash, like `series`."""
        self._catch_up()
        return self._by_time(self._cash, "cash")

    def get_analysis(self) -> dict[str, "pd.Series[float]"]:
        """Both series by name, as Backtrader's analyzers answer."""
        return {"equity": self.series(), "cash": self.cash()}

    def _catch_up(self) -> None:
        if self._steps is not None:
            self._at, self._value, self._cash = self._steps()

    def _by_time(self, values: "array[float]", name: str) -> "pd.Series[float]":
        at = instants(self._at).rename("time")
        series = pd.Series(np.array(values, dtype=np.float64), index=at, name=name)
        return series[~at.duplicated(keep="last")]


def instants(numbers: npt.ArrayLike) -> pd.DatetimeIndex:
    """Backtrader's date numbers (naive UTC days) as aware UTC times, to 10 us; NaT for 0 and NaN.

    >>> instants([bt.date2num(pd.Timestamp("2014-01-02 21:00"))])[0].isoformat()
    '2014-01-02T21:00:00+00:00'
    """
    days = np.array(numbers, dtype=np.float64)
    known = days > 0
    whole = np.floor(days, where=known, out=np.full(len(days), float(UNIX_EPOCH_ORDINAL)))
    micros = np.rint(np.where(known, days - whole, 0.0) * DAY_US).astype(np.int64)
    second = (micros + SECOND_US // 2) // SECOND_US * SECOND_US
    tens = (micros + 5) // 10 * 10
    micros = np.where(np.abs(micros - second) <= SNAP_US, second, tens)
    total = (whole.astype(np.int64) - UNIX_EPOCH_ORDINAL) * DAY_US + micros
    return (
        pd.DatetimeIndex(np.where(known, total, np.iinfo(np.int64).min).astype("M8[us]"))
        .tz_localize("UTC")
        .as_unit("ns")
    )
