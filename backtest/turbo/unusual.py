"""What makes a run so unusual that stock's own loop has to play it.

Live feeds, replays, resampled feeds and runs that save memory are not among it: Backtrader does
not play them in run-once mode.
"""

from collections.abc import Iterator
from typing import Any

import backtrader as bt
from backtrader.feed import AbstractDataBase
from backtrader.linebuffer import LineActions

_STRATEGY = (
    "_oncepost", "_notify", "_getminperstatus", "_next_analyzers", "_next_observers", "clear",
    "_addnotification", "forward", "advance", "__len__",
)  # fmt: skip
_FEED = (
    "advance", "advance_peek", "rewind", "home", "forward", "buflen", "__len__", "__getattr__",
    "_tick_nullify", "_tick_fill",
)  # fmt: skip
_INDICATOR = ("advance", "__len__")
_CEREBRO = ("_brokernotify", "_check_timers", "_next_writers")


def reason(cerebro: Any, strategies: list[Any]) -> str:
    """Why the flat loop cannot play this run; empty when it can."""
    return next(_reasons(cerebro, strategies), "")


def _reasons(cerebro: Any, strategies: list[Any]) -> Iterator[str]:
    if len(strategies) != 1:
        yield f"there are {len(strategies)} strategies"
        return
    for name in ("cheat_on_open", "quicknotify"):
        if getattr(cerebro.p, name):
            yield f"{name} is on"
    if cerebro._timers or cerebro._timerscheat:
        yield "there are timers"
    if cerebro.runwriters:
        yield "there are writers"
    yield from _own(cerebro, bt.Cerebro, _CEREBRO)
    [strategy] = strategies
    yield from _own(strategy, bt.Strategy, _STRATEGY)
    if strategy.lines.fullsize() != 1 or strategy.datetime.bindings:
        yield "the strategy has lines of its own"
    for data in cerebro.datas:
        yield from _of_feed(data)
    if list(map(id, strategy.datas)) != list(map(id, cerebro.datas)):
        yield "the strategy does not see every feed"
    for indicator in strategy.getindicators():
        parent = LineActions if isinstance(indicator, LineActions) else bt.Indicator
        yield from _own(indicator, parent, _INDICATOR)


def _of_feed(data: Any) -> Iterator[str]:
    yield from _own(data, AbstractDataBase, _FEED)
    if data._filters or data._ffilters:
        yield f"{data._name} is filtered"


def _own(it: Any, known: type, names: tuple[str, ...]) -> Iterator[str]:
    """A reason for each internal of Backtrader's that an object's class, or it itself, changes."""
    for name in names:
        if name in vars(it) or getattr(type(it), name, None) is not getattr(known, name, None):
            yield f"{type(it).__name__} has its own {name}"
