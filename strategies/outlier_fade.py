"""Bet that a return far out of line with those before it is partly undone."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import backtrader as bt
import numpy as np

from strategies.arrays import modified_zscore, momentum
from strategies.base import Strategy
from strategies.target import Target


class ReturnScore(bt.ind.PeriodN):
    """Modified z-score of the last return among the returns within `period` bars."""

    lines: Any = ("z",)
    params: Any = (("period", 61),)

    def next(self) -> None:
        """Score the latest window."""
        self.lines.z[0] = self._scores(self.data.get(size=self.p.period))[-1]

    def once(self, start: int, end: int) -> None:
        """Score all windows at once."""
        self.lines.z.array[start:end] = array("d", self._scores(self.data.array)[start:end])

    def _scores(self, close: Sequence[float]) -> np.ndarray:
        return modified_zscore(momentum(np.array(close), 1), self.p.period - 1)


class OutlierFade(Strategy):
    """One stake against an outlier, closed after a number of bars.

    A return counts from close to close, so that a gap is part of it. Works on bars of any length.
    """

    @dataclass(frozen=True)
    class Config:
        """Parameters.

        Args:
            window: bars that say what is usual.
            threshold: modified z-score from which a return is an outlier.
            hold: bars from the decision to enter to the decision to leave.
            short: also sell after a rise; False only buys after a fall.
        """

        window: int = 60
        threshold: float = 3.5
        hold: int = 5
        short: bool = True

        def __post_init__(self) -> None:
            if self.window < 3:
                raise ValueError(f"window ({self.window}) must be at least 3 bars")
            if self.threshold <= 0:
                raise ValueError(f"threshold ({self.threshold:g}) must be positive")
            if self.hold < 1:
                raise ValueError(f"hold ({self.hold}) must be at least 1 bar")

    def __init__(self) -> None:
        self._scores = {
            data: ReturnScore(data.close, period=self.config.window + 1) for data in self.datas
        }
        self._since = dict.fromkeys(self.datas, 0)

    def decide(self) -> Iterator[Target]:
        """Leave when the time is over, enter against an outlier."""
        config = self.config
        for data, score in self._scores.items():
            z = score.z[0]
            if self.getposition(data).size:
                if len(data) - self._since[data] >= config.hold:
                    yield Target(data, size=0, reason=f"held for {config.hold} bars")
            elif abs(z) >= config.threshold and (z < 0 or config.short):
                self._since[data] = len(data)
                reason = (
                    f"modified z-score {z:.2f} of the last return over {config.window} bars "
                    f"is beyond {config.threshold:g}"
                )
                yield Target(data, size=-1 if z > 0 else 1, reason=reason)

    def context(self, data: bt.DataBase | None = None) -> dict[str, float]:
        """The score of the last return."""
        return {"modified_z": float(self._scores[self.data if data is None else data].z[0])}
