"""Backtests from a notebook or the command line."""

from backtest.engine import assemble, run
from backtest.result import RunResult
from backtest.spec import BarsSpec, RunSpec
from backtest.sweep_result import SweepResult
from backtest.sweep_spec import SweepSpec
from backtest.sweeps import sweep

__all__ = [
    "BarsSpec", "RunResult", "RunSpec", "SweepResult", "SweepSpec", "assemble", "run", "sweep",
]  # fmt: skip
