"""Long from the bar where a fast mean crosses above a slow one to the bar where it falls below."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from strategies.arrays import crossover, sma
from strategies.panel import Bars
from strategies.signals import SignalStrategy


class SmaCross(SignalStrategy):
    """One stake long on a cross above, flat on a cross below."""

    columnwise = True

    @dataclass(frozen=True)
    class Config:
        """Parameters.

        Args:
            fast: bars of the fast mean.
            slow: bars of the slow mean; more than `fast`.
        """

        fast: int = 10
        slow: int = 30

        def __post_init__(self) -> None:
            if self.fast < 1:
                raise ValueError(f"fast ({self.fast}) must be at least 1 bar")
            if self.fast >= self.slow:
                raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")

    @staticmethod
    def features(config: Config, bars: Bars) -> dict[str, np.ndarray]:
        """Both means, in price units."""
        return {"fast": sma(bars.close, config.fast), "slow": sma(bars.close, config.slow)}

    @staticmethod
    def signals(config: Config, bars: Bars) -> np.ndarray:
        """1 at a cross above, 0 at a cross below, else as it is."""
        cross = crossover(**SmaCross.features(config, bars))
        return np.where(cross > 0, 1.0, np.where(cross < 0, 0.0, np.nan))

    @staticmethod
    def reason(config: Config, now: Mapping[str, float]) -> str:
        """Name both means."""
        side = "above" if now["fast"] > now["slow"] else "below"
        return (
            f"fast {config.fast}-bar mean {now['fast']:.2f} crossed {side} "
            f"slow {config.slow}-bar mean {now['slow']:.2f}"
        )
