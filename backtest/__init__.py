"""Backtests from a notebook or the command line."""

from backtest.engine import assemble, run
from backtest.result import RunResult
from backtest.spec import BarsSpec, RunSpec

__all__ = ["BarsSpec", "RunResult", "RunSpec", "assemble", "run"]
