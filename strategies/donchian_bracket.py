"""Buy a breakout from a price channel, with a take-profit and a stop-loss laid beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from strategies.arrays import atr, changes, highest, latch, lowest, shift
from strategies.panel import Bars
from strategies.signals import Signals, SignalStrategy


class DonchianBracket(SignalStrategy):
    """One stake long on the first close above the channel, in a bracket.

    A trend begins with a close above the highest high of the bars before and ends with a close
    below the lowest low; only its first bar buys, and its end sells what the bracket has not.
    """

    columnwise = True

    @dataclass(frozen=True)
    class Config:
        """Parameters.

        Args:
            channel: bars of the highest high that a close must pass to buy.
            exit_channel: bars of the lowest low that a close must pass to sell.
            entry: "market", or "limit" at the price of the channel that was passed.
            take_profit: distance of the take-profit above the entry price, in `distance`; 0: none.
            stop_loss: distance of the stop below the entry price, in `distance`; 0: none.
            distance: "atr" for multiples of the average true range, "frac" for parts of the price.
            atr_period: bars of the average true range.
        """

        channel: int = 20
        exit_channel: int = 10
        entry: Literal["market", "limit"] = "market"
        take_profit: float = 4.0
        stop_loss: float = 2.0
        distance: Literal["atr", "frac"] = "atr"
        atr_period: int = 14

        def __post_init__(self) -> None:
            for name in ("channel", "exit_channel", "atr_period"):
                if getattr(self, name) < 1:
                    raise ValueError(f"{name} ({getattr(self, name)}) must be at least 1 bar")
            if self.entry not in ("market", "limit"):
                raise ValueError(f"entry ({self.entry}) must be market or limit")
            if self.distance not in ("atr", "frac"):
                raise ValueError(f"distance ({self.distance}) must be atr or frac")
            if self.take_profit < 0 or self.stop_loss < 0:
                raise ValueError("take_profit and stop_loss must not be negative; 0 means none")
            if self.distance == "frac" and self.stop_loss >= 1:
                raise ValueError(f"stop_loss ({self.stop_loss:g}) must be below 1 of the price")

    @staticmethod
    def features(config: Config, bars: Bars) -> dict[str, np.ndarray]:
        """The channel before this bar, and the average true range, in price units."""
        return {
            "upper": shift(highest(bars.high, config.channel), 1),
            "lower": shift(lowest(bars.low, config.exit_channel), 1),
            "atr": atr(bars.high, bars.low, bars.close, config.atr_period),
        }

    @staticmethod
    def signals(config: Config, bars: Bars) -> Signals:
        """1 where a trend begins, 0 where it ends, else as it is."""
        now = DonchianBracket.features(config, bars)
        entry = now["upper"] if config.entry == "limit" else bars.close
        step = now["atr"] if config.distance == "atr" else entry
        is_ready = ~np.isnan(step)
        trend = latch(on=is_ready & (bars.close > now["upper"]), off=bars.close < now["lower"])
        target = changes(trend)
        is_entry = target == 1.0
        return Signals(
            target,
            limit=np.where(is_entry, entry, np.nan) if config.entry == "limit" else None,
            take_profit=_where(is_entry, entry + config.take_profit * step, config.take_profit),
            stop_loss=_where(is_entry, entry - config.stop_loss * step, config.stop_loss),
        )

    @staticmethod
    def reason(config: Config, now: Mapping[str, float]) -> str:
        """Name the close and the side of the channel that it passed."""
        if now["target"] == 0:
            word, bars, bound = "below", config.exit_channel, now["lower"]
        else:
            word, bars, bound = "above", config.channel, now["upper"]
        return f"close {now['close']:.2f} {word} the {bars}-bar channel at {bound:.2f}"


def _where(is_entry: np.ndarray, price: np.ndarray, distance: float) -> np.ndarray | None:
    """The exit's price at entries; None when there is no such exit."""
    return np.where(is_entry & (price > 0), price, np.nan) if distance else None
