"""The flat loop: one strategy over a schedule, with nothing done that nobody would notice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backtest.turbo.cursor import Ride
from backtest.turbo.orderly import Orders
from backtest.turbo.schedule import Schedule

PRENEXT, NEXTSTART, NEXT = 1, 0, -1  # the signs of Backtrader's own numbers

_STEPS = {PRENEXT: "prenext", NEXTSTART: "nextstart", NEXT: "next"}

Watch = Callable[[], object]


@dataclass(frozen=True)
class Watches:
    """Who looks at a turn after the strategy.

    Args:
        by_phase: at each turn of PRENEXT, NEXTSTART and NEXT; may change within a turn.
        of_changes: at each turn with orders or trades to tell of.
    """

    by_phase: dict[int, list[Watch]]
    of_changes: list[Watch]


class FlatLoop:
    """Plays one run.

    Args:
        ride: whose end, should somebody move a line by hand, hands the run back to stock.
    """

    def __init__(
        self, strategy: Any, schedule: Schedule, orders: Orders, watches: Watches, ride: Ride
    ) -> None:
        self._strategy = strategy
        self._schedule = schedule
        self._orders = orders
        self._watches = watches
        self._ride = ride

    def play(self) -> None:
        """Play until the last turn, or until somebody stops it or moves a line by hand."""
        plan = self._schedule
        spans = (
            (PRENEXT, 0, plan.start),
            (NEXTSTART, plan.start, plan.ready),
            (NEXT, plan.ready, len(plan.times)),
        )
        for phase, first, last in spans:
            if not self._span(range(first, last), phase):
                return

    def _span(self, turns: range, phase: int) -> bool:
        """Play the turns of one phase; False when the run is not to go on."""
        strategy, orders, ride = self._strategy, self._orders, self._ride
        lead, turn, cerebro = self._schedule.lead, self._schedule.turn, strategy.cerebro
        next_, hear, news, every_bar = orders.next, orders.hear, orders.news, orders.every_bar
        watches, step = self._watches.by_phase[phase], _STEPS[phase]
        close = self._close
        for _ in turns:
            lead.at += 1
            next_()
            changed = hear() if news else None
            if cerebro._event_stop or ride.has_ended:
                return self._leave()
            turn.at += 1
            if changed or every_bar:
                orders.tell()
            getattr(strategy, step)()
            for watch in watches:
                watch()
            if changed:
                close()
            if cerebro._event_stop or ride.has_ended:
                return False
        return True

    def _leave(self) -> bool:
        """End the run before the strategy's turn; the turn is stock's where it is no stop."""
        if not self._strategy.cerebro._event_stop:
            self._strategy._oncepost(self._schedule.times.item(self._schedule.turn.at + 1))
        return False

    def _close(self) -> None:
        """End a turn with orders or trades that were told of."""
        for watch in self._watches.of_changes:
            watch()
        self._orders.clear()
