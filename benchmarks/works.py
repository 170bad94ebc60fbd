"""The works that speeds are compared on: seeded bars, and the strategies that trade them.

W1a 2,500 daily bars and W1b 100,000 minute bars: SMA 10/30 cross, 100 shares. W3 50 symbols x 2,500
daily bars: the ten with most momentum, rebalanced every five bars. Market orders, 0.1 % commission.
"""

import math
from dataclasses import dataclass

import backtrader as bt
import numpy as np
import pandas as pd

CASH, COMMISSION = 1_000_000.0, 0.001
YEAR, MINUTES = 252, 390
DAILY_VOLATILITY = 0.2 / math.sqrt(YEAR)
MINUTE_VOLATILITY = DAILY_VOLATILITY / math.sqrt(MINUTES)
LOOKBACK, EVERY, BEST, SHARE = 60, 5, 10, 0.095


class Trading(bt.Strategy):
    """Remembers the price of every fill."""

    def __init__(self) -> None:
        self.fills: list[float] = []

    def notify_order(self, order: bt.Order) -> None:
        if order.status == order.Completed:
            self.fills.append(order.executed.price)


class SmaCross(Trading):
    params = (("fast", 10), ("slow", 30))

    def __init__(self) -> None:
        super().__init__()
        fast, slow = (bt.ind.SMA(period=period) for period in (self.p.fast, self.p.slow))
        self.cross = bt.ind.CrossOver(fast, slow)

    def next(self) -> None:
        if not self.position:
            if self.cross[0] > 0:
                self.buy(size=100)
        elif self.cross[0] < 0:
            self.close()


class Momentum(Trading):
    def next(self) -> None:
        if len(self) <= LOOKBACK or (len(self) - 1) % EVERY:
            return
        gains = [(data.close[0] / data.close[-LOOKBACK], i) for i, data in enumerate(self.datas)]
        best = {i for _, i in sorted(gains, key=lambda gain: (-gain[0], gain[1]))[:BEST]}
        target, buys = self.broker.getvalue() * SHARE, []
        for number, data in enumerate(self.datas):
            held = self.getposition(data).size
            wanted = int(target / data.close[0]) if number in best else 0
            if wanted < held:
                self.sell(data=data, size=held - wanted)
            elif wanted > held:
                buys.append((data, wanted - held))
        for data, size in buys:
            self.buy(data=data, size=size)


@dataclass(frozen=True)
class Work:
    """One work: its strategy and its bars by symbol, stamped in naive UTC."""

    name: str
    strategy: type[bt.Strategy]
    frames: dict[str, pd.DataFrame]


def w1a() -> Work:
    return Work("W1a", SmaCross, {"A": walk(_days(), DAILY_VOLATILITY, seed=1)})


def w1b() -> Work:
    minutes = pd.date_range("2015-01-01", periods=100_000, freq="1min")
    return Work("W1b", SmaCross, {"A": walk(minutes, MINUTE_VOLATILITY, seed=2)})


def w3() -> Work:
    frames = {
        f"S{number:02}": walk(_days(), DAILY_VOLATILITY * (0.8 + 0.02 * number), seed=100 + number)
        for number in range(50)
    }
    return Work("W3", Momentum, frames)


def walk(times: pd.DatetimeIndex, volatility: float, seed: int) -> pd.DataFrame:
    """A geometric random walk as bars; volatility is that of one bar's logarithm."""
    random, rows = np.random.default_rng(seed), len(times)
    close = 100.0 * np.exp(np.cumsum(volatility * random.standard_normal(rows)))
    opened = np.concatenate(([100.0], close[:-1]))
    opened = opened * np.exp(0.25 * volatility * random.standard_normal(rows))
    reach = np.exp(0.4 * volatility * np.abs(random.standard_normal((2, rows))))
    prices = {
        "open": opened,
        "high": np.maximum(opened, close) * reach[0],
        "low": np.minimum(opened, close) / reach[1],
        "close": close,
    }
    frame = pd.DataFrame(prices, index=times).round(4)
    frame["volume"] = random.integers(1_000, 1_000_000, rows).astype(float)
    return frame


def _days() -> pd.DatetimeIndex:
    return pd.bdate_range("2010-01-04", periods=2_500)
