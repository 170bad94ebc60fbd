"""How a sweep's time grows with sets, bars, workers, and on other backends."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from backtest import sweep
from benchmarks.works import CASH, COMMISSION, MINUTE_VOLATILITY, SmaCross, walk
from strategies.sma_cross import SmaCross as Signals

SETS = (10, 100, 1_000, 10_000, 100_000)
BARS = (1_000, 10_000, 100_000, 1_000_000)
STRATEGIES = {"compiled": Signals, "cerebro": SmaCross}


@dataclass(frozen=True)
class Point:
    """One sweep: what was varied, its size, and the seconds of a second call."""

    varied: str
    engine: str
    sets: int
    bars: int
    workers: int
    backend: str
    seconds: float


def points(is_quick: bool) -> Iterator[Point]:
    """Every sweep of the scaling table; the quick ones alone take a minute."""
    most = 1_000 if is_quick else 10**9
    for engine, largest in (("compiled", 100_000), ("cerebro", 1_000)):
        for sets in SETS:
            if sets <= min(largest, most):
                yield timed("sets", engine, sets, 2_500)
    for engine, largest in (("compiled", 1_000_000), ("cerebro", 100_000)):
        for bars in BARS:
            if bars <= min(largest, 10 * most):
                yield timed("bars", engine, 100 if engine == "compiled" else 20, bars)
    for workers in (1, 2, 4):
        yield timed("workers", "cerebro", 200, 2_500, workers)
    for backend in ("sequential", "loky", "dask", "ray"):
        yield timed("backend", "cerebro", 200, 2_500, 4, backend)


def timed(
    varied: str, engine: Any, sets: int, bars: int, workers: int = 4, backend: Any = "loky"
) -> Point:
    """The second of two equal sweeps, each with a ledger of its own."""
    frame = walk(pd.date_range("2015-01-01", periods=bars, freq="1min"), MINUTE_VOLATILITY, seed=2)
    frame = frame.tz_localize("UTC").rename_axis("time")
    slow = max(10, round(sets**0.5))
    grid = {"fast": range(2, 2 + -(-sets // slow)), "slow": range(400, 400 + slow)}
    seconds, done = 0.0, 0
    for _ in range(2):
        with TemporaryDirectory() as folder:
            began = time.perf_counter()
            result = sweep(
                STRATEGIES[engine], frame, grid, engine=engine, jobs=workers, backend=backend,
                cash=CASH, commission=COMMISSION, size=100, confirm=0,
                ledger=Path(folder, "ledger.sqlite"),
            )  # fmt: skip
            seconds, done = time.perf_counter() - began, len(result)
    return Point(varied, engine, done, bars, workers, backend, seconds)
