"""One run in run-once mode: indicators first, then the flat loop, or stock's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backtest.turbo import unusual
from backtest.turbo.boarding import Clocked, board, clocked
from backtest.turbo.broker import LeanBroker, lean
from backtest.turbo.explain import BROKER, LOOP, Explanation
from backtest.turbo.loop import FlatLoop
from backtest.turbo.once import compute
from backtest.turbo.orderly import LeanOrders, Orders, StockOrders
from backtest.turbo.schedule import Schedule
from backtest.turbo.watching import Watching
from brokers.guard import GuardedBroker

_READ = ("getposition", "getvalue", "getcash", "getcommissioninfo")

Stock = Callable[[list[Any]], None]
_Plan = tuple[Schedule, Clocked]


def play(cerebro: Any, strategies: list[Any], explanation: Explanation, stock: Stock) -> None:
    """Run the strategies, flat if that gives what stock gives.

    Args:
        stock: Backtrader's own `_runonce`.
    """
    reason = unusual.reason(cerebro, strategies)
    with _computed(strategies, explanation):
        plan = reason or _plan(strategies[0])
        explanation.note(LOOP, reason=plan if isinstance(plan, str) else "")
        if isinstance(plan, str) or not _play_flat(cerebro, strategies[0], plan, explanation):
            stock(strategies)


@contextmanager
def _computed(strategies: list[Any], explanation: Explanation) -> Iterator[None]:
    """The indicators' values; for the block, what computes them in stock has nothing to do."""
    for strategy in strategies:
        compute(strategy, explanation)
        strategy.reset()
    for strategy in strategies:
        strategy._once = strategy.reset = _done
    try:
        yield
    finally:
        for strategy in strategies:
            del strategy._once, strategy.reset


def _done() -> None:
    """Nothing: it is done already."""


def _plan(strategy: Any) -> _Plan | str:
    """Which cursors move when, or the reason why that cannot be said beforehand."""
    calendars = [
        np.array(data.lines.datetime.array[: data.buflen()], dtype=np.float64)
        for data in strategy.datas
    ]
    schedule = Schedule.of(calendars, strategy._minperiods)
    if schedule is None:
        return "the times of a feed do not increase"
    riders = clocked(strategy, schedule)
    return riders if isinstance(riders, str) else (schedule, riders)


def _play_flat(cerebro: Any, strategy: Any, plan: _Plan, explanation: Explanation) -> bool:
    """Play; False when somebody moved a line by hand, and stock has to go on from there."""
    schedule, riders = plan
    with _lean(cerebro.broker, explanation) as made:
        ride = board(strategy, schedule, riders)
        try:
            orders: Orders = (
                StockOrders(cerebro, strategy)
                if made is None
                else LeanOrders(cerebro.broker, made, strategy)
            )
            watches = Watching(strategy, schedule, made, explanation).board(ride)
            FlatLoop(strategy, schedule, orders, watches, ride).play()
            return not ride.has_ended
        finally:
            ride.end()
            _leave_status(strategy, schedule)


@contextmanager
def _lean(broker: Any, explanation: Explanation) -> Iterator[LeanBroker | None]:
    """The run's broker, or the one behind its guard, made lean; None where it cannot be."""
    made = lean(broker.inner if isinstance(broker, GuardedBroker) else broker)
    if isinstance(made, str):
        explanation.note(BROKER, reason=made)
        yield None
        return
    explanation.note(BROKER)
    shortcuts = {} if broker is made else _shortcuts(broker, made)
    vars(broker).update(shortcuts)
    try:
        yield made
    finally:
        for name in shortcuts:
            delattr(broker, name)
        made.restore()


def _shortcuts(guard: GuardedBroker, made: LeanBroker) -> dict[str, Any]:
    """What a guard only hands on, read without asking it."""
    free = [name for name in _READ if name not in vars(guard) and not hasattr(type(guard), name)]
    return {name: getattr(made, name) for name in free}


def _leave_status(strategy: Any, schedule: Schedule) -> None:
    """How far the strategy is from its first decision, as of its last turn."""
    if schedule.turn.at >= 0:
        missing = zip(strategy._minperiods, schedule.followers, strict=True)
        strategy._minperstatus = max(period - cursor.at - 1 for period, cursor in missing)
