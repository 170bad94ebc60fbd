"""Results of small real runs."""

from typing import Any

import pandas as pd

from backtest.result import RunResult
from tests.analyzers.small_runs import Script, play


def result(script: Script, *frames: pd.DataFrame, **how: Any) -> RunResult:
    """The result of the same run."""
    partial, config = how.pop("partial", False), how.pop("config", {})
    run = play(script, *frames, **how).analyzers
    held = {frame.attrs["passport"].symbol: frame for frame in frames}
    return RunResult.of(
        run.equity,
        run.ledger,
        config={"strategy": "scripted", "params": {}, "cash": how.get("cash", 1000.0), **config},
        passports={symbol: frame.attrs["passport"] for symbol, frame in held.items()},
        bars=held,
        partial=partial,
    )
