"""Hold the strongest few of many feeds, such as sector funds, and rotate when others lead."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from strategies.arrays import momentum, rank, sma
from strategies.panel import Bars
from strategies.signals import SignalStrategy


class SectorRotation(SignalStrategy):
    """Equal shares of equity in the feeds with most momentum, as long as they are in a trend.

    A place that no feed in a trend can take stays in cash. With one feed it becomes a trend filter:
    in while the price is above its mean, else out.
    """

    unit = "weight"
    across = True

    @dataclass(frozen=True)
    class Config:
        """Parameters.

        Args:
            lookback: bars of the momentum.
            skip: latest bars that the momentum leaves out.
            top: feeds held at a time.
            every: bars from one rebalancing to the next.
            trend: bars of the mean that a close must be above; 0 for no such filter.
            invested: share of equity for all places together, 0..1; below 1 it leaves room for
                prices that move before the orders fill.
        """

        lookback: int = 126
        skip: int = 0
        top: int = 3
        every: int = 21
        trend: int = 200
        invested: float = 0.95

        def __post_init__(self) -> None:
            if not 0 <= self.skip < self.lookback:
                raise ValueError(f"skip ({self.skip}) must be below lookback ({self.lookback})")
            if self.top < 1 or self.every < 1:
                raise ValueError(f"top ({self.top}) and every ({self.every}) must be at least 1")
            if self.trend < 0:
                raise ValueError(f"trend ({self.trend}) must not be negative; 0 means no filter")
            if not 0 < self.invested <= 1:
                raise ValueError(f"invested ({self.invested:g}) must be above 0 and at most 1")

    @staticmethod
    def features(config: Config, bars: Bars) -> dict[str, np.ndarray]:
        """Momentum as a fraction, and its rank among the feeds that are in a trend, 1 the best."""
        growth = momentum(bars.close, config.lookback, config.skip)
        is_up = bars.close > sma(bars.close, config.trend) if config.trend else True
        return {"momentum": growth, "rank": rank(np.where(is_up, growth, np.nan))}

    @staticmethod
    def signals(config: Config, bars: Bars) -> np.ndarray:
        """Weights at the bars that rebalance, else as it is."""
        places = SectorRotation.features(config, bars)["rank"]
        feeds = places.shape[1] if places.ndim == 2 else 1
        weights = np.where(places <= config.top, config.invested / min(config.top, feeds), 0.0)
        weights[np.arange(len(weights)) % config.every != 0] = np.nan
        weights[np.isnan(bars.close)] = np.nan
        return weights

    @staticmethod
    def reason(config: Config, now: Mapping[str, float]) -> str:
        """Name the momentum and the rank that it makes."""
        growth = f"{config.lookback}-bar momentum {now['momentum']:.2%}"
        if np.isnan(now["rank"]):
            return f"{growth}: not in a trend, or not enough bars"
        return f"{growth} ranks {now['rank']:.0f}, the first {config.top} are held"
