"""Who looks at each turn of a run: analyzers, observers, and our own equity curve."""

from array import array
from functools import partial
from typing import Any

import backtrader as bt

from analyzers.equity import EquityCurve
from backtest.turbo.broker import LeanBroker
from backtest.turbo.cursor import Ride
from backtest.turbo.explain import OBSERVER, Explanation
from backtest.turbo.loop import NEXT, NEXTSTART, PRENEXT, Watch, Watches
from backtest.turbo.schedule import Schedule
from backtest.turbo.trail import Trail
from backtest.turbo.valuation import Valuation

_CALLS = {PRENEXT: "_prenext", NEXTSTART: "_nextstart", NEXT: "_next"}
_METHODS = (*_CALLS.values(), *(name.removeprefix("_") for name in _CALLS.values()))


class Watching:
    """Sets a run's watches.

    Args:
        made: the run's broker where it is lean; without one all look as in stock.
    """

    def __init__(
        self, strategy: Any, schedule: Schedule, made: LeanBroker | None, explanation: Explanation
    ) -> None:
        self._strategy = strategy
        self._schedule = schedule
        self._analyzers = [one for one in strategy.analyzers if not _is_silent(one)]
        self._valuation = Valuation(made, schedule, strategy.datas) if made is not None else None
        self._observers = list(strategy.getobservers())
        self._trails = bool(self._valuation and self._observers and Trail.can_follow(strategy))
        if self._observers:
            reason = (
                "" if self._trails else "the broker is stock" if made is None else "not all known"
            )
            explanation.note(OBSERVER, reason=reason)

    def board(self, ride: Ride) -> Watches:
        """Put on the ride what can ride, and say who is left to look at each turn."""
        curve = self._curve()
        if curve is not None and self._valuation is not None:
            curve.follow(partial(_steps, self._valuation, self._schedule))
            ride.before_end(partial(curve.follow, None))
        trail = self._trail(ride)
        marks: list[Watch] = [] if trail is None else [trail.mark]
        watches = Watches({phase: self._watches(phase, curve) for phase in _CALLS}, marks)
        ride.before_end(partial(self._hand_back, watches))
        return watches

    def _hand_back(self, watches: Watches) -> None:
        """Let analyzers and observers look as in stock, from this very turn on."""
        strategy = self._strategy
        for phase, watching in watches.by_phase.items():
            watching[:] = [
                partial(strategy._next_analyzers, phase, once=True),
                partial(strategy._next_observers, phase, once=True),
            ]
        watches.of_changes.clear()

    def _curve(self) -> EquityCurve | None:
        """The equity curve, if nobody who looks after it could move the account unseen by it."""
        last = self._analyzers[-1:] if self._trails else self._analyzers
        found = (one for one in last if type(one) is EquityCurve)
        return next(found, None) if self._valuation else None

    def _trail(self, ride: Ride) -> Trail | None:
        if not self._trails or self._valuation is None:
            return None
        trail = Trail(self._strategy, self._schedule, self._valuation)
        trail.board(ride)
        return trail

    def _watches(self, phase: int, curve: EquityCurve | None) -> list[Watch]:
        note = self._valuation.note if self._valuation else _nothing
        watches: list[Watch] = [
            note if one is curve else getattr(one, _CALLS[phase]) for one in self._analyzers
        ]
        if self._trails and curve is None:
            watches.append(note)
        if self._observers and not self._trails:
            watches.append(partial(self._strategy._next_observers, phase, once=True))
        return watches


def _steps(
    valuation: Valuation, schedule: Schedule
) -> "tuple[array[float], array[float], array[float]]":
    """Time, value and cash of each turn so far."""
    values, cash = valuation.until_now()
    return array("d", schedule.times[: len(values)].tobytes()), values[:], cash[:]


def _nothing() -> None:
    """Note nothing."""


def _is_silent(analyzer: Any) -> bool:
    """Tell whether an analyzer has nothing to do at a turn."""
    cls = type(analyzer)
    own = any(getattr(cls, name) is not getattr(bt.Analyzer, name) for name in _METHODS)
    return not (own or analyzer._children or vars(analyzer).keys() & set(_METHODS))
