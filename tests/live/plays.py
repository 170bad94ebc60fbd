"""Small rehearsals that trade enough: six strategies on the synthetic market."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from backtest.spec import RunSpec
from feeds import history
from live.rehearsal.crash import POINTS, Point
from live.rehearsal.in_memory import undisturbed
from live.rehearsal.play import Play
from tests.live.kinds import EveryKind

SYMBOLS = ("SPY", "XLK", "XLF", "XLE", "XLV", "XLI", "XLB", "XLU", "XLP", "XLY")
BUSY: dict[str, dict[str, Any]] = {
    "buy_and_hold": {},
    "sma_cross": {"fast": 3, "slow": 8},
    "rsi_reversion": {"period": 3, "oversold": 40.0, "overbought": 60.0},
    "donchian_bracket": {"channel": 5, "exit_channel": 3},
    "sector_rotation": {"lookback": 3, "every": 2, "trend": 5, "top": 1},
    "outlier_fade": {"window": 20, "threshold": 1.5},
}
LAST = {"1d": "2024-12-31", "1m": "2024-01-02"}


@lru_cache
def bars(timeframe: str, count: int) -> dict[str, pd.DataFrame]:
    return history(
        "synthetic", SYMBOLS[:count], "2024-01-02", LAST[timeframe], timeframe=timeframe, seed=7
    )


@lru_cache
def play(name: str, timeframe: str = "1m", count: int = 1, account: Any = "backtrader") -> Play:
    spec = RunSpec(name, BUSY[name], size=10)
    return Play(spec, bars(timeframe, count), account=account)


def drawn(seed: int) -> Play:
    """One of the five that trade often, on days or minutes, under either account."""
    rng = Random(seed)
    name = rng.choice([name for name in BUSY if name != "buy_and_hold"])
    return play(name, rng.choice(["1d", "1m"]), 1, rng.choice(["backtrader", "alpaca"]))


def kinds(timeframe: str, account: Any) -> Play:
    """Every kind of order that Alpaca has, in turn."""
    return Play(RunSpec(EveryKind, {}), bars(timeframe, 1), account=account)


def death(seed: int, passed: Mapping[Point, int]) -> tuple[Point, int]:
    """A named point, each in turn, and one of the times that it is passed."""
    point = POINTS[seed % len(POINTS)]
    return point, Random(seed).randint(1, passed[point])


def log_bytes(folder: Path) -> bytes:
    return (folder / "live.jsonl").read_bytes()


@lru_cache
def passed(name: str) -> Mapping[Point, int]:
    """How often a session of this play passes each point."""
    with TemporaryDirectory() as folder:
        return undisturbed(play(name), Path(folder))
