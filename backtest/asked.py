"""A sweep's description from the keywords of one call, for calls that run several sweeps."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import backtrader as bt

from backtest.grid import unknown
from backtest.spec import RunSpec
from backtest.sweep_spec import SweepSpec
from brokers.errors import ConfigError

OF_RUN = ("cash", "commission", "slippage_bps", "size")
OF_SWEEP = tuple(item.name for item in fields(SweepSpec) if item.name not in {"run", "grid"})


def asked(
    strategy: str | type[bt.Strategy] | SweepSpec,
    grid: Mapping[str, Any] | None,
    how: Mapping[str, Any],
) -> SweepSpec:
    """The sweep that `backtest.sweep` would run with these keywords; a SweepSpec stays as it is.

    Raises:
        ConfigError: there is no such keyword, no grid, or one is wrong.
    """
    if isinstance(strategy, SweepSpec):
        if grid is not None or how:
            raise ConfigError("the SweepSpec says it all: leave the grid and the keywords out")
        return strategy
    known = (*OF_RUN, *OF_SWEEP)
    if wrong := next((name for name in how if name not in known), None):
        raise unknown("keyword", wrong, known)
    run = RunSpec(strategy, **{name: it for name, it in how.items() if name in OF_RUN})
    rest = {name: it for name, it in how.items() if name in OF_SWEEP}
    return SweepSpec(run, grid or {}, **rest)
