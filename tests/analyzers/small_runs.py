"""Small real runs: a scripted strategy on a handful of daily bars."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from analyzers.equity import EquityCurve
from analyzers.trades import Ledger
from brokers.guard import GuardedBroker
from feeds.frames import as_feed
from feeds.passport import stamp

Script = Mapping[int, Callable[[Any], Any]]


class Scripted(bt.Strategy):
    """Does on bar i (from 1) what the script says for i."""

    params = (("script", {}),)

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        self.p.script.get(len(self), lambda _: None)(self)


def bars(
    closes: Sequence[float], symbol: str = "ACME", start: str = "2024-01-01", **facts: Any
) -> pd.DataFrame:
    """Daily bars that open at the close before and trade one unit to either side."""
    close = np.array(closes, dtype=np.float64)
    opened = np.concatenate((close[:1], close[:-1]))
    index = pd.date_range(start, periods=len(close), tz="UTC", name="time")
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) + 1,
            "low": np.minimum(opened, close) - 1,
            "close": close,
            "volume": 1000.0,
        },
        index=index,
    )
    return stamp(frame, symbol=symbol, source="files", timeframe="1d", **facts)


def play(
    script: Script,
    *frames: pd.DataFrame,
    cash: float = 1000.0,
    commission: float = 0.0,
    rules: Any = (),
    guarded: bool = True,
    analyzers: Sequence[type[bt.Analyzer]] = (),
    strategy: type[bt.Strategy] = Scripted,
) -> Any:
    """The strategy after its run; its analyzers are `equity`, `ledger` and those given."""
    cerebro = bt.Cerebro(stdstats=False)
    inner = bt.brokers.BackBroker(cash=cash)
    inner.setcommission(commission)
    cerebro.setbroker(GuardedBroker(inner, rules=rules) if guarded else inner)
    for frame in frames:
        cerebro.adddata(as_feed(frame), name=frame.attrs["passport"].symbol)
    cerebro.addanalyzer(EquityCurve, _name="equity")
    cerebro.addanalyzer(Ledger, _name="ledger")
    for analyzer in analyzers:
        cerebro.addanalyzer(analyzer, _name=analyzer.__name__)
    cerebro.addstrategy(strategy, script=script)
    return cerebro.run()[0]
