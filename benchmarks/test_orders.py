"""Microseconds an order, stock and turbo side by side: the run with orders less the one without.

One market order on every fifth of 20,000 bars, from its making to its trade. Rounds are
interleaved; the table shows medians.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import backtrader as bt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rich.console import Console
from rich.table import Table

from backtest.turbo import Cerebro
from benchmarks.works import CASH, COMMISSION, w1b
from brokers.guard import GuardedBroker

ROUNDS, BARS, EVERY = 5, 20_000, 5
FRAME = w1b().frames["A"][:BARS]


class Silent(bt.Strategy):
    """In and out, on every n-th bar; 0 never."""

    params = (("every", 0),)

    def next(self) -> None:
        if self.p.every and not len(self) % self.p.every:
            (self.sell if self.position else self.buy)(size=100)


class Listening(Silent):
    """Hears of every order and trade."""

    def notify_order(self, order: bt.Order) -> None:
        pass

    def notify_trade(self, trade: bt.Trade) -> None:
        pass


@dataclass
class Path:
    """One way of an order: the Cerebro, the strategy, and whether a guard is in between."""

    strategy: type[bt.Strategy]
    kind: type[bt.Cerebro]
    guard: bool = False
    orders_us: list[float] = field(default_factory=list)

    def measure(self) -> float:
        """Take one round; returns the account's value."""
        _, quiet_s = self._run(0)
        value, busy_s = self._run(EVERY)
        self.orders_us.append((busy_s - quiet_s) / (BARS // EVERY) * 1e6)
        return value

    def _run(self, every: int) -> tuple[float, float]:
        cerebro = self.kind(stdstats=False)
        cerebro.adddata(bt.feeds.PandasData(dataname=FRAME))
        broker: Any = bt.brokers.BackBroker(cash=CASH)
        broker.setcommission(COMMISSION)
        cerebro.broker = GuardedBroker(broker) if self.guard else broker
        cerebro.addstrategy(self.strategy, every=every)
        loop_s = timed(cerebro, "_runonce")
        cerebro.run()
        return broker.getvalue(), loop_s[0]


def timed(it: Any, method: str) -> list[float]:
    """Have a method of one object take its own time; the list is filled when it was called."""
    taken: list[float] = []
    inner: Callable[..., Any] = getattr(it, method)

    def outer(*args: Any) -> None:
        began = time.process_time()
        inner(*args)
        taken.append(time.process_time() - began)

    setattr(it, method, outer)
    return taken


PATHS = {
    "nobody listens": (Silent, False),
    "the strategy listens": (Listening, False),
    "behind the guard": (Listening, True),
}


@pytest.mark.parametrize("name", PATHS)
def test_one_order(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    strategy, guard = PATHS[name]
    stock, turbo = (Path(strategy, kind, guard) for kind in (bt.Cerebro, Cerebro))

    def interleaved() -> None:
        for _ in range(ROUNDS):
            assert stock.measure() == turbo.measure()

    benchmark.pedantic(interleaved, rounds=1)
    stock_us, turbo_us = median(stock.orders_us), median(turbo.orders_us)
    benchmark.extra_info.update(stock_us=stock_us, turbo_us=turbo_us)
    table = Table("stock us", "turbo us", "ratio", title=f"one order, {name}, {ROUNDS} rounds")
    table.add_row(f"{stock_us:.0f}", f"{turbo_us:.0f}", f"{stock_us / turbo_us:.1f}")
    with capsys.disabled():
        console = Console(width=100)
        console.print()
        console.print(table)
        console.print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
