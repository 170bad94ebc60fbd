"""One run on stock and on turbo, and all that could be seen of it."""

from collections.abc import Callable, Sequence
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from backtest.turbo import Cerebro

Setup = Callable[[Any], object]


def bars(
    rows: int, seed: int = 0, start: str = "2020-01-01", freq: str = "1D", decimals: int = 2
) -> pd.DataFrame:
    """A seeded random walk as a bar frame with a naive index, for PandasData."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, rows)))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(random.normal(0, 0.003, rows))
    high = np.maximum(opened, close) * (1 + np.abs(random.normal(0, 0.004, rows)))
    low = np.minimum(opened, close) * (1 - np.abs(random.normal(0, 0.004, rows)))
    columns = {"open": opened, "high": high, "low": low, "close": close}
    frame = pd.DataFrame(columns).round(decimals)
    frame["volume"] = random.integers(1_000, 100_000, rows).astype(float)
    return frame.set_index(pd.date_range(start, periods=rows, freq=freq))


def feed(frame: pd.DataFrame, **params: Any) -> bt.feeds.PandasData:
    return bt.feeds.PandasData(dataname=frame, **params)


def exact(value: Any) -> Any:
    """A value that compares as the bits do: every NaN equals itself."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): exact(item) for key, item in value.items()}
    return [exact(item) for item in value] if isinstance(value, list | tuple) else value


class Recorder(bt.Strategy):
    """Notes at every call the length and value of every line, the time and the account."""

    def __init__(self):
        self.seen = []
        self.build()

    def build(self):
        """Make the indicators."""

    def act(self):
        """Send orders."""

    def prenext(self):
        self.note("prenext")

    def nextstart(self):
        self.note("nextstart")
        self.act()

    def next(self):
        self.note("next")
        self.act()

    def note(self, word):
        feeds = [_state(data) for data in self.datas]
        indicators = [_state(one) for one in self.getindicators()]
        observers = [_state(one) for one in self.getobservers()]
        account = self.broker.getvalue(), self.broker.getcash()
        own = len(self), self.datetime[0], self.datetime.datetime().isoformat()
        self.seen.append(exact([word, own, account, feeds, indicators, observers]))

    def notify_order(self, order):
        filled = order.executed
        told = [order.getstatusname(), order.isbuy(), filled.size, filled.price, filled.comm]
        self.seen.append(exact(["order", len(self), *told]))

    def notify_trade(self, trade):
        told = [trade.isclosed, trade.pnl, trade.pnlcomm, trade.barlen]
        self.seen.append(exact(["trade", len(self), *told]))


def _state(it: Any) -> list[Any]:
    """The length of a feed, an indicator or an observer, and the present value of each line."""
    lines = list(it.lines) if isinstance(it, bt.LineSeries) else [it]
    return [len(it), [line[0] if 0 < len(line) <= len(line.array) else None for line in lines]]


def after(strategy: Any) -> list[Any]:
    """What a run leaves: length, position and content of every line, and the last ticks."""
    everything = [*strategy.datas, *strategy.getindicators(), *strategy.getobservers(), strategy]
    lines = [
        line for it in everything for line in (it.lines if isinstance(it, bt.LineSeries) else [it])
    ]
    left = [
        [len(line), line.idx, line.buflen(), list(line.array), type(line).__name__]
        for line in lines
    ]
    ticks = [sorted((k, v) for k, v in vars(d).items() if "tick_" in k) for d in strategy.datas]
    plain = [sorted(vars(line)) for line in lines]
    return [exact(left), exact(ticks), plain, strategy._minperstatus]


def run(
    cerebro_class: Any,
    strategy: Any,
    feeds: Sequence[Any],
    setup: Setup | None = None,
    **options: Any,
) -> tuple[Any, Any]:
    """Run once; returns Cerebro and the strategy when it is done."""
    cerebro = cerebro_class(**options)
    for number, data in enumerate(feeds):
        cerebro.adddata(data, name=f"data{number}")
    cerebro.addstrategy(strategy)
    if setup is not None:
        setup(cerebro)
    [ran] = cerebro.run()
    return cerebro, ran


def same(
    strategy: Any,
    make_feeds: Callable[[], Sequence[Any]],
    setup: Setup | None = None,
    **options: Any,
) -> Any:
    """Run on both, compare all that a Recorder saw and what is left; returns turbo's Cerebro."""
    _, stock = run(bt.Cerebro, strategy, make_feeds(), setup, **options)
    turbo, fast = run(Cerebro, strategy, make_feeds(), setup, **options)
    assert len(stock.seen) > 0
    assert fast.seen == stock.seen
    assert after(fast) == after(stock)
    return turbo
