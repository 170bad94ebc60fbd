"""Compiled sweeps of sma_cross, warm: W2a 1,000 sets x 2,500 bars, W2b 100 sets x 100,000 bars.

Indicators, fills and metrics of every set; three of them are held against Cerebro. Cold is what a
process without compiled code waits for once, with all its kernel's functions compiled anew.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from backtest import compiled
from backtest.outcomes import Outcomes, concat
from backtest.spec import RunSpec
from benchmarks.works import CASH, COMMISSION, Work, w1a, w1b

SPEC = RunSpec("sma_cross", cash=CASH, commission=COMMISSION, size=100)
W2A = [{"fast": fast, "slow": slow} for fast in range(5, 25) for slow in range(25, 75)]
W2B = [{"fast": fast, "slow": slow} for fast in range(5, 15) for slow in range(20, 70, 5)]

COLD = """
import time
from benchmarks.test_kernel import SPEC, W2A, evaluated, frames_of, w1a
frames, begun = frames_of(w1a()), time.perf_counter()
evaluated(frames, W2A[:1], 1)
print(time.perf_counter() - begun)
"""
MANY = """
from backtest import compiled
from benchmarks.peers.task import own_peak_mb
from benchmarks.test_kernel import SPEC, frames_of, w1a
sets = [{"fast": fast, "slow": slow} for fast in range(2, 202) for slow in range(203, 703)]
done = sum(len(part) for _, part in compiled.evaluate(SPEC, frames_of(w1a()), sets))
print(done, own_peak_mb())
"""


def frames_of(work: Work) -> dict[str, pd.DataFrame]:
    """The work's bars as bar frames."""
    return {name: frame.tz_localize("UTC") for name, frame in work.frames.items()}


def evaluated(frames: dict[str, pd.DataFrame], sets: list[Any], jobs: int) -> Outcomes:
    """All sets in one."""
    return concat([part for _, part in compiled.evaluate(SPEC, frames, sets, jobs=jobs)])


def output_of(program: str, **environment: str) -> list[float]:
    """The numbers that a fresh Python prints."""
    words = [sys.executable, "-c", program]
    done = subprocess.run(
        words, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    return [float(word) for word in done.stdout.split()]


@pytest.mark.parametrize("jobs", [1, -1], ids=["one-thread", "all-threads"])
@pytest.mark.parametrize(("work", "sets"), [(w1a, W2A), (w1b, W2B)], ids=["W2a", "W2b"])
def test_compiled_sweep(benchmark: BenchmarkFixture, work: Any, sets: Any, jobs: int) -> None:
    frames = frames_of(work())
    outcomes = benchmark(evaluated, frames, sets, jobs)
    assert not outcomes.failures
    compiled.confirm(SPEC, frames, [sets[0], sets[len(sets) // 2], sets[-1]])


def test_cold_start(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Compiled anew, then again from what was kept."""
    (cold_s,), (kept_s,) = (output_of(COLD, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    benchmark.extra_info.update(cold_s=cold_s, kept_s=kept_s)
    sys.stdout.write(f"\nfirst evaluation: {cold_s:.1f} s compiled, {kept_s:.1f} s kept\n")
    benchmark.pedantic(list, rounds=1)
    assert kept_s < cold_s


def test_memory_of_a_hundred_thousand_sets(benchmark: BenchmarkFixture) -> None:
    """The goal is less than 500 MB for the whole process, which finds the kernel compiled."""
    output_of(COLD)
    done, peak_mb = benchmark.pedantic(output_of, (MANY,), rounds=1)
    benchmark.extra_info.update(peak_mb=peak_mb)
    sys.stdout.write(f"\n100,000 sets x 2,500 bars: {peak_mb:.0f} MB\n")
    assert done == 100_000
    assert peak_mb < 500
