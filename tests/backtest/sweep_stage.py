"""Bars and strategies for sweeps that take no time."""

import os
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from feeds.passport import stamp


def walk(bars: int = 150, symbol: str = "ACME", seed: int = 7) -> pd.DataFrame:
    """Daily bars of a seeded random walk with opening gaps."""
    source = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(source.normal(0.0005, 0.02, bars)))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(source.normal(0, 0.005, bars))
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * 1.01,
            "low": np.minimum(opened, close) * 0.99,
            "close": close,
            "volume": 1000.0,
        },
        index=pd.date_range("2022-01-03", periods=bars, tz="UTC", name="time"),
    )
    return stamp(frame, symbol=symbol, source="files", timeframe="1d")


class Above(bt.Strategy):
    """Long above a mean, flat below it; some periods end badly."""

    params = (("period", 10), ("raises", ()), ("dies", ()), ("factor", 1.0))

    def __init__(self) -> None:
        self.mean = bt.ind.SMA(period=self.p.period)

    def next(self) -> None:
        if self.p.period in self.p.raises:
            raise ValueError(f"no luck\nwith {self.p.period}")
        if self.p.period in self.p.dies:
            os._exit(3)
        if not self.position and self.data.close[0] > self.mean[0] * self.p.factor:
            self.buy()
        elif self.position and self.data.close[0] < self.mean[0]:
            self.close()


class Reverses(bt.Strategy):
    """Long and short on every feed with more than one order on its way, and stops."""

    params = (("every", 7), ("size", 3))

    def next(self) -> None:
        for number, data in enumerate(self.datas):
            if (len(self) + number) % self.p.every == 0:
                way = self.sell if self.getposition(data).size > 0 else self.buy
                way(data=data, size=self.p.size + number)
                way(data=data, size=1, exectype=bt.Order.Limit, price=data.close[0])


class Stops(bt.Strategy):
    """Ends its own run early."""

    params = (("after", 50),)

    def next(self) -> None:
        if len(self) == 2:
            self.buy()
        if len(self) == self.p.after:
            self.env.runstop()


class Skips(bt.Strategy):
    """Leaves itself out of some runs."""

    params = (("period", 1),)

    def __init__(self) -> None:
        if self.p.period == 2:
            raise bt.errors.StrategySkipError


class Prints(bt.Strategy):
    """Talks."""

    params = (("period", 1),)

    def stop(self) -> None:
        print("strategy says", self.p.period)  # noqa: T201


def in_notebook(base: type[bt.Strategy] = Above, **members: Any) -> type[bt.Strategy]:
    """A strategy as a notebook's cell defines it."""
    return type("Cell", (base,), {"__module__": "__main__", **members})
