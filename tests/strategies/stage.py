"""A small stage for strategies: seeded bars, a stock Cerebro, and what happened on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from strategies import Strategy, Target


def walk(bars: int, seed: int = 0, start: str = "2020-01-01", freq: str = "B") -> pd.DataFrame:
    """A random walk with fat tails; every open, high and low fits its close."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_t(3, bars)))
    open_ = close * (1.0 + 0.004 * rng.standard_normal(bars))
    high = np.maximum(open_, close) * (1.0 + 0.004 * np.abs(rng.standard_normal(bars)))
    low = np.minimum(open_, close) * (1.0 - 0.004 * np.abs(rng.standard_normal(bars)))
    columns = {"open": open_, "high": high, "low": low, "close": close}
    index = pd.date_range(start, periods=bars, freq=freq)
    return pd.DataFrame({**columns, "volume": 1000.0}, index=index)


def flat(prices: Sequence[float], start: str = "2020-01-01", freq: str = "D") -> pd.DataFrame:
    """Bars whose four prices are one."""
    index = pd.date_range(start, periods=len(prices), freq=freq)
    columns = {name: np.array(prices, dtype=float) for name in ("open", "high", "low", "close")}
    return pd.DataFrame({**columns, "volume": 1000.0}, index=index)


class Feed(bt.feeds.PandasData):
    """A frame with a tick."""

    params = (("tick", None),)


@dataclass
class Play:
    """What happened: (bar, status, signed size, price asked, price filled) of each order event."""

    strategy: bt.Strategy
    value: float
    orders: list[tuple[Any, ...]] = field(default_factory=list)

    def fills(self) -> list[tuple[Any, ...]]:
        """(Bar, feed, size, price) of what was executed."""
        return [(o[0], o[1], o[3], o[5]) for o in self.orders if o[2] == "Completed"]

    def statuses(self, status: str) -> list[tuple[Any, ...]]:
        """(Bar, feed, size, price asked) of the orders that came to this."""
        return [(o[0], o[1], o[3], o[4]) for o in self.orders if o[2] == status]


class Recorder(bt.Analyzer):
    """Takes down every order event."""

    def start(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    def notify_order(self, order: bt.Order) -> None:
        row = (len(self.strategy), order.data._name, order.getstatusname(), order.size)
        self.rows.append((*row, order.created.price, order.executed.price, order.exectype))


def play(
    strategy: type[bt.Strategy],
    frames: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    broker: bt.BrokerBase | None = None,
    sizer: tuple[type[bt.Sizer], dict[str, float]] = (bt.sizers.FixedSize, {"stake": 1}),
    cash: float = 100_000.0,
    commission: float = 0.0,
    tick: float | None = None,
    options: Mapping[str, Any] | None = None,
    **params: Any,
) -> Play:
    """Run a strategy over frames in a stock Cerebro."""
    cerebro = bt.Cerebro(stdstats=False, **(options or {}))
    if broker is not None:
        cerebro.setbroker(broker)
    named = {"X": frames} if isinstance(frames, pd.DataFrame) else frames
    for name, frame in named.items():
        cerebro.adddata(Feed(dataname=frame, tick=tick), name=name)
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission=commission)
    cerebro.addsizer(sizer[0], **sizer[1])
    cerebro.addanalyzer(Recorder, _name="recorder")
    cerebro.addstrategy(strategy, **params)
    ran = cerebro.run()[0]
    return Play(ran, cerebro.broker.getvalue(), ran.analyzers.recorder.rows)


Script = Mapping[int, Sequence[Mapping[str, Any]]]


def scripted(script: Script, **attributes: Any) -> type[Strategy]:
    """A strategy that gives the targets of a script: {bar, from 1: [keywords of a Target]}."""

    def decide(self: Strategy) -> Any:
        for words in script.get(len(self), ()):
            feed = self.getdatabyname(words.get("feed", "X"))
            yield Target(feed, **{k: v for k, v in words.items() if k != "feed"})

    return type("Scripted", (Strategy,), {"decide": decide, **attributes})


class LateCancel(bt.brokers.BackBroker):
    """A broker that carries out a cancel some bars later, after that bar's fills."""

    def __init__(self, bars: int = 1) -> None:
        super().__init__()
        self.asked: list[list[bt.Order]] = [[] for _ in range(bars)]
        self.requests = 0

    def cancel(self, order: bt.Order, bracket: bool = False) -> bool:
        if bracket:
            return bool(super().cancel(order, bracket=True))
        self.asked[-1].append(order)
        self.requests += 1
        return True

    def next(self) -> None:
        super().next()
        now, *later = self.asked
        self.asked = [*later, []]
        for order in now:
            super().cancel(order)
