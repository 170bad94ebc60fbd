"""A line of the decision log, buffered: the goal is at most 25 us."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd
from pytest_benchmark.fixture import BenchmarkFixture

from analyzers.chain import verify
from analyzers.decision_log import DecisionLog
from analyzers.journal import Journal
from analyzers.market_context import BarClock
from brokers.events import Decision
from brokers.guard import GuardedBroker
from brokers.orders import OrderSchema

START = datetime(2024, 1, 2, tzinfo=UTC)
ORDER = OrderSchema(
    client_order_id="0123456789abcdef0123",
    symbol="NVDA",
    side="buy",
    quantity=Decimal(100),
    order_type="market",
)


class Crossing(bt.Strategy):
    """Two means and their crossing, as in most strategies."""

    def __init__(self) -> None:
        self.fast = bt.ind.SMA(period=10)
        self.slow = bt.ind.SMA(period=30)
        self.cross = bt.ind.CrossOver(self.fast, self.slow)


def finished_run(log: Path) -> tuple[Any, Journal]:
    """A strategy that stands on its last bar, and the journal that its log writes to."""
    index = pd.date_range("2024-01-02", periods=100, freq="D")
    close = pd.Series(range(100, 200), index) + 0.123456789
    frame = pd.DataFrame(
        {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1e6}
    )
    clock = BarClock(START)
    journal = Journal(log, "0123456789abcdef", clock)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame, name="NVDA"))
    cerebro.broker = GuardedBroker(bt.brokers.BackBroker())
    cerebro.addstrategy(Crossing)
    cerebro.addanalyzer(DecisionLog, journal=journal, bar_clock=clock)
    return cerebro.run()[0], journal


def test_decision_from_event_to_line(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    strategy, journal = finished_run(tmp_path / "log")
    event = Decision(
        ORDER.client_order_id, ORDER, {}, "fast 150.1 above slow 140.1", strategy, strategy.data
    )
    benchmark(strategy.analyzers.decisionlog.hear, event)
    journal.close()
    assert verify(tmp_path / "log").state == "complete"


def test_record_to_line(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    with Journal(tmp_path / "log", "0123456789abcdef", BarClock(START)) as journal:
        record = {"kind": "order", "order_id": "0123456789abcdef0123", "status": "Completed"}
        benchmark(journal.append, record)


def test_verify_ten_thousand_lines(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    with Journal(tmp_path / "log", "0123456789abcdef", BarClock(START)) as journal:
        for _ in range(10_000):
            journal.append({"kind": "order", "order_id": "0" * 20, "text": "x" * 600})
    assert benchmark(verify, tmp_path / "log").state == "complete"
