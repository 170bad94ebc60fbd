"""Which runs the compiled kernel can stand in for."""

from collections.abc import Mapping
from functools import cached_property
from inspect import getattr_static
from typing import Any

import pandas as pd

from backtest.spec import RunSpec
from strategies.signals import SignalStrategy

# What a strategy may define of the methods that SignalStrategy has; any other of its own changes
# how wishes become orders. DERIVED is what Backtrader's metaclass adds.
OPEN_METHODS = frozenset(("signals", "features", "reason", "Config"))
DERIVED = frozenset(("lines", "linealias", "params", "plotinfo", "plotlines"))

CLOSEST_NS = 20_000  # bars that end closer together share a time in Backtrader


def reason_not_compilable(spec: RunSpec, bars: Any) -> str | None:
    """Why a run cannot go through the kernel; None when it can.

    Args:
        bars: whatever `backtest.run` takes.
    """
    cls = spec.strategy_class
    if not issubclass(cls, SignalStrategy):
        return f"{cls.__name__} decides bar by bar: only a SignalStrategy can be compiled"
    if changed := _changed(cls):
        return f"{cls.__name__} has a {changed} of its own: only signals() can be compiled"
    if not isinstance(spec.commission, int | float):
        return "the commission is a scheme of Backtrader's: only a fraction can be compiled"
    if any(vars(spec.limits).values()):
        return "risk limits look at each order as it comes: they cannot be compiled"
    return _reason_of_bars(bars)


def _changed(cls: type[SignalStrategy]) -> str | None:
    """The first name by which the class acts otherwise than SignalStrategy."""
    for kin in cls.__mro__[: cls.__mro__.index(SignalStrategy)]:
        for name, item in vars(kin).items():
            if name in ("signals", "features") and not isinstance(item, staticmethod):
                return f"{name}() that is no static method"
            inherited = getattr_static(SignalStrategy, name, None)
            is_method = callable(inherited) or isinstance(inherited, property | cached_property)
            if is_method and name not in OPEN_METHODS | DERIVED:
                return f"{name}()"
    return None


def _reason_of_bars(bars: Any) -> str | None:
    frames = bars if isinstance(bars, Mapping) else None
    if frames is None or not frames:
        return "the bars are not frames by symbol: only those can be compiled"
    if any(not isinstance(item, pd.DataFrame) for item in frames.values()):
        return "some bars are a feed of Backtrader's: only frames can be compiled"
    indices = [item.index for item in frames.values() if isinstance(item.index, pd.DatetimeIndex)]
    if any((index.as_unit("ns").asi8 % CLOSEST_NS).any() for index in indices):
        return "the bars start at fractions of 20 us, which Backtrader's times cannot tell apart"
    return None
