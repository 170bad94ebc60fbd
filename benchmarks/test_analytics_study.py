"""Time and memory of the ranking and a training set: 500 symbols over ten years."""

import resource
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from analyzers.study.dataset import dataset
from analyzers.study.ranking import ranking

SYMBOLS, DAYS = 500, 2520
RANKING_S, DATASET_S = 10.0, 60.0


def market() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    index = pd.bdate_range("2014-01-01", periods=DAYS, tz="UTC", name="time")
    frames = {}
    for number in range(SYMBOLS):
        close = 50 * np.exp(np.cumsum(rng.normal(0.0003, 0.015, DAYS)))
        table = {"open": close * 1.001, "high": close * 1.01, "low": close * 0.99, "close": close}
        volume = rng.uniform(1e5, 1e6, DAYS)
        frames[f"S{number:03}"] = pd.DataFrame({**table, "volume": volume}, index=index)
    return frames


def told(what: str, seconds: float, goal: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    verdict = "met" if seconds <= goal else "MISSED"
    Console().print(
        f"{what}, {SYMBOLS} symbols x {DAYS} days: {seconds:.1f} s (goal {goal:.0f}: {verdict}), "
        f"peak {peak:.1f} GiB"
    )


def test_ranking_of_500_symbols():
    frames = market()
    begun = time.perf_counter()
    report = ranking(frames, generated_at=datetime(2024, 1, 1, tzinfo=UTC))
    told("ranking", time.perf_counter() - begun, RANKING_S)
    assert report.ranking[-1].rank == SYMBOLS


def test_training_set_of_500_symbols(tmp_path: Path):
    frames = market()
    sectors = {name: f"sector {number % 11}" for number, name in enumerate(frames)}
    begun = time.perf_counter()
    made = dataset(frames, sectors=sectors)
    made.save(tmp_path / "ml")
    told("training set with 42 features", time.perf_counter() - begun, DATASET_S)
    assert len(made.manifest["features"]) == 42
