"""The flat loop: one strategy over a schedule, with nothing done that nobody would notice."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Protocol

from backtest.turbo.cursor import Cursor, Ride
from backtest.turbo.schedule import Schedule

Watch = Callable[[], object]
PRENEXT, NEXTSTART, NEXT = 1, 0, -1  # Backtrader's own numbers, or their sign


class Orders(Protocol):
    """The broker's side of a turn: StockOrders, or LeanOrders where the broker can be made lean."""

    news: Any  # true when there is something to hear
    every_bar: bool  # whether `tell` has something to say at each turn
    pending: Any  # true when there is something to tell, and to clear afterwards

    def next(self) -> None:
        """Let the broker work."""

    def hear(self) -> None:
        """Bring what it has to say to the strategy."""

    def tell(self) -> None:
        """Call the strategy's notify methods, and the analyzers'."""

    def clear(self) -> None:
        """Forget what was told."""


class FlatLoop:
    """Plays one run.

    Args:
        watches: for each of PRENEXT, NEXTSTART and NEXT what looks at a turn after the strategy.
        ride: whose end, should somebody move a line by hand, hands the run back to stock.
    """

    def __init__(
        self,
        strategy: Any,
        schedule: Schedule,
        orders: Orders,
        watches: dict[int, tuple[Watch, ...]],
        ride: Ride,
    ) -> None:
        self._strategy = strategy
        self._schedule = schedule
        self._orders = orders
        self._watches = watches
        self._ride = ride

    def play(self) -> None:
        """Play until the last turn, or until somebody stops it or moves a line by hand."""
        schedule = self._schedule
        steps = zip(schedule.times, schedule.moving, strict=False)
        start, ready = schedule.start, schedule.ready
        turns = len(schedule.times)
        for phase, count in ((PRENEXT, start), (NEXTSTART, ready - start), (NEXT, turns - ready)):
            if not self._span(islice(steps, count), phase):
                return

    def _span(self, steps: Iterator[tuple[float, Iterable[Cursor]]], phase: int) -> bool:
        """Play the turns of one phase; False when the run is not to go on."""
        strategy, orders, ride = self._strategy, self._orders, self._ride
        cerebro, turn, watches = strategy.cerebro, self._schedule.turn, self._watches[phase]
        remember = strategy.lines.datetime.array.append
        next_, hear, news, tell, every_bar = (
            orders.next, orders.hear, orders.news, orders.tell, orders.every_bar,
        )  # fmt: skip
        for time, moving in steps:
            turn.at += 1
            for cursor in moving:
                cursor.at += 1
            remember(time)
            next_()
            if news:
                hear()
            if cerebro._event_stop:
                return False
            if every_bar or orders.pending:
                tell()
            if phase < 0:
                strategy.next()
            elif phase:
                strategy.prenext()
            else:
                strategy.nextstart()
            for watch in watches:
                watch()
            if orders.pending:
                orders.clear()
            if cerebro._event_stop or ride.has_ended:
                return False
        return True
