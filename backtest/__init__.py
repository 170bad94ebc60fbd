"""Backtests from a notebook or the command line.

What is named here is imported when it is first used: `import backtest` alone costs nothing, and
`from backtest import run` not what only a sweep needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest.engine import assemble, run
    from backtest.result import RunResult
    from backtest.spec import BarsSpec, RunSpec
    from backtest.sweep_result import SweepResult
    from backtest.sweep_spec import SweepSpec
    from backtest.sweeps import sweep

__all__ = [
    "BarsSpec", "RunResult", "RunSpec", "SweepResult", "SweepSpec", "assemble", "run", "sweep",
]  # fmt: skip

_HOMES = {
    "BarsSpec": "spec",
    "RunResult": "result",
    "RunSpec": "spec",
    "SweepResult": "sweep_result",
    "SweepSpec": "sweep_spec",
    "assemble": "engine",
    "run": "engine",
    "sweep": "sweeps",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
