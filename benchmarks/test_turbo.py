"""Stock Backtrader and turbo side by side: the same work, the same results, the ratio of times.

Stock runs with its default observers. Turbo is bare, with and without them; then the guarded `run`,
then `run` with the decision log. Rounds are interleaved; the table shows medians.
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import backtrader as bt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rich.console import Console
from rich.table import Table

from backtest import run
from backtest.turbo import Cerebro
from benchmarks.works import CASH, COMMISSION, Work, w1a, w1b, w3

ROUNDS = 5
Ends = tuple[float, list[float]]  # final value, price of every fill
GOALS = {"W1b": {"turbo": 20, "run": 10, "run and log": 5}, "W3": {"turbo": 10}}


@dataclass
class Way:
    """One way to run a work, and the seconds it took in each round."""

    name: str
    go: Callable[[Work], Ends]
    seconds: list[float] = field(default_factory=list)

    def timed(self, work: Work) -> Ends:
        began = time.perf_counter()
        ends = self.go(work)
        self.seconds.append(time.perf_counter() - began)
        return ends


def cerebro(work: Work, kind: type[bt.Cerebro], stdstats: bool = True) -> Ends:
    made = kind(stdstats=stdstats)
    for name, frame in work.frames.items():
        made.adddata(bt.feeds.PandasData(dataname=frame), name=name)
    made.broker.setcash(CASH)
    made.broker.setcommission(commission=COMMISSION)
    made.addstrategy(work.strategy)
    [ran] = made.run()
    assert kind is bt.Cerebro or made.explain().is_fast
    return made.broker.getvalue(), ran.fills


def guarded(work: Work, log: bool = False) -> Ends:
    bars = {
        name: frame.tz_localize("UTC").rename_axis("time") for name, frame in work.frames.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "decisions.jsonl") if log else None
        result = run(work.strategy, bars, cash=CASH, commission=COMMISSION, log=path)
    filled = result.orders.loc[result.orders["status"] == "Completed"]
    return result.final_value, filled.sort_values("executed_at", kind="stable")[
        "filled_price"
    ].tolist()


def ways() -> list[Way]:
    return [
        Way("stock", lambda work: cerebro(work, bt.Cerebro)),
        Way("turbo", lambda work: cerebro(work, Cerebro)),
        Way("turbo, no observers", lambda work: cerebro(work, Cerebro, stdstats=False)),
        Way("run", guarded),
        Way("run and log", lambda work: guarded(work, log=True)),
    ]


def played(work: Work) -> list[Way]:
    """Every way, `ROUNDS` times in turn, each with stock's results."""
    compared = ways()
    for _ in range(ROUNDS):
        expected, *others = [way.timed(work) for way in compared]
        assert len(expected[1]) > 50
        for value, fills in others:
            assert value == expected[0]
            assert sorted(fills) == sorted(expected[1])
    return compared


@pytest.mark.parametrize("make", [w1a, w1b, w3], ids=["W1a", "W1b", "W3"])
def test_turbo_against_stock(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], make: Callable[[], Work]
) -> None:
    work = make()
    compared = benchmark.pedantic(played, (work,), rounds=1)
    stock, *faster = compared
    table = Table("way", "seconds", "x stock", "goal", title=f"{work.name}, {ROUNDS} rounds")
    table.add_row(stock.name, f"{median(stock.seconds):.3f}", "1", "")
    for way in faster:
        ratio = median(a / b for a, b in zip(stock.seconds, way.seconds, strict=True))
        goal = GOALS.get(work.name, {}).get(way.name)
        verdict = "" if goal is None else f"{goal}: {'met' if ratio >= goal else 'MISSED'}"
        table.add_row(way.name, f"{median(way.seconds):.3f}", f"{ratio:.1f}", verdict)
        benchmark.extra_info[way.name] = ratio
    with capsys.disabled():
        console = Console(width=100)
        console.print()
        console.print(table)
        console.print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
