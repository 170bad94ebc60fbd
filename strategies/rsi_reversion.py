"""Buy what has fallen too fast, and sell it when it has recovered."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from strategies.arrays import changes, latch, rsi
from strategies.panel import Bars
from strategies.signals import SignalStrategy


class RsiReversion(SignalStrategy):
    """One stake long once Wilder's RSI is oversold, flat once it is overbought."""

    columnwise = True

    @dataclass(frozen=True)
    class Config:
        """Parameters.

        Args:
            period: bars of Wilder's smoothing.
            oversold: RSI, 0..100, below which it buys.
            overbought: RSI, 0..100, above which it sells.
        """

        period: int = 14
        oversold: float = 30.0
        overbought: float = 70.0

        def __post_init__(self) -> None:
            if self.period < 1:
                raise ValueError(f"period ({self.period}) must be at least 1 bar")
            if not 0 <= self.oversold < self.overbought <= 100:
                raise ValueError(
                    f"oversold ({self.oversold:g}) must be below overbought "
                    f"({self.overbought:g}), both within 0 and 100"
                )

    @staticmethod
    def features(config: Config, bars: Bars) -> dict[str, np.ndarray]:
        """The index, 0..100."""
        return {"rsi": rsi(bars.close, config.period)}

    @staticmethod
    def signals(config: Config, bars: Bars) -> np.ndarray:
        """1 where the RSI becomes oversold, 0 where it then becomes overbought, else as it is."""
        index = RsiReversion.features(config, bars)["rsi"]
        return changes(latch(on=index < config.oversold, off=index > config.overbought))

    @staticmethod
    def reason(config: Config, now: Mapping[str, float]) -> str:
        """Name the RSI and the bound that it passed."""
        bound = f"below oversold {config.oversold:g}"
        if now["target"] == 0:
            bound = f"above overbought {config.overbought:g}"
        return f"RSI({config.period}) {now['rsi']:.2f} is {bound}"
