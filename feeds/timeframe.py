"""How much time one bar spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from brokers.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

_MINUTE = timedelta(minutes=1)
_SPANS: dict[str, timedelta | None] = {
    "1m": _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": 60 * _MINUTE,
    "1d": timedelta(days=1),
    "1w": timedelta(days=7),
    "1mo": None,
}
_BACKTRADER = {"1d": "Days", "1w": "Weeks", "1mo": "Months"}
_WEEKDAYS = {"1d": range(2), "1w": range(5, 6), "1mo": range(19, 24)}


@dataclass(frozen=True, slots=True)
class Timeframe:
    """One of 1m, 5m, 15m, 30m, 1h, 1d, 1w, 1mo.

    Raises:
        ConfigError: the text is none of these.
    """

    text: str

    def __post_init__(self) -> None:
        if self.text not in _SPANS:
            raise ConfigError(f"unknown timeframe {self.text!r}: use one of {', '.join(_SPANS)}")

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str | Timeframe) -> Timeframe:
        """The timeframe that `text` names, such as ``5m``; a Timeframe comes back as it is."""
        return text if isinstance(text, Timeframe) else cls(text)

    @classmethod
    def of(cls, index: pd.DatetimeIndex) -> Timeframe:
        """The timeframe of a sorted index of bar starts, from its most common step.

        Weekends do not count: from Friday to Monday is one day, and so is Saturday to Sunday.

        Raises:
            DataError: fewer than two bars, or a step that is no timeframe.
        """
        if len(index) < 2:
            raise DataError(f"{len(index)} bar(s) do not tell the timeframe: name it, such as 1d")
        steps = np.diff(index.as_unit("ns").asi8)
        sizes, counts = np.unique(steps, return_counts=True)
        step = timedelta(microseconds=int(sizes[counts.argmax()]) // 1000)
        # A day is 23 or 25 hours when the clocks change: from there on, weekdays count.
        fitting = (
            _fitting_weekdays(index)
            if step >= timedelta(hours=23)
            else [text for text, span in _SPANS.items() if span == step]
        )
        if not fitting:
            raise DataError(
                f"most bars are {step} apart, which is no timeframe: use one of {', '.join(_SPANS)}"
            )
        return cls(fitting[0])

    @property
    def is_intraday(self) -> bool:
        """True below one day."""
        return self.text not in _BACKTRADER

    @property
    def delta(self) -> timedelta | None:
        """The span of one bar; None for months, whose span varies."""
        return _SPANS[self.text]

    @property
    def backtrader(self) -> tuple[int, int]:
        """Backtrader's (timeframe, compression), such as (bt.TimeFrame.Minutes, 5)."""
        import backtrader as bt  # noqa: PLC0415  a quarter of a second that `import feeds` spares

        if not self.is_intraday:
            return getattr(bt.TimeFrame, _BACKTRADER[self.text]), 1
        span = _SPANS[self.text]
        return bt.TimeFrame.Minutes, (span or _MINUTE) // _MINUTE


def _fitting_weekdays(index: pd.DatetimeIndex) -> list[str]:
    days = index.tz_localize(None).to_numpy().astype("datetime64[D]")
    weekdays, counts = np.unique(np.busday_count(days[:-1], days[1:]), return_counts=True)
    common = int(weekdays[counts.argmax()])
    return [text for text, fitting in _WEEKDAYS.items() if common in fitting]
