"""The bars of one time, together: they wait until every symbol has its own, or for a deadline."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from brokers.clock import Clock
from brokers.errors import ConfigError
from brokers.wire.transport import VenueBar

Bars = dict[str, VenueBar]
Arrival = Literal[
    "taken",  # it will be in a turn
    "known",  # the strategy has had it: a repetition, or history that overlaps
    "late",  # its turn has been given without it
    "correction",  # of a bar that was finished before
    "other",  # of no symbol here, such as the sentinel's
]

_REMEMBERED = 1000  # turns; a repetition of an older bar is called late


class Barrier:
    """Turns bars, which come one by one in any order, into turns: symbol -> bar of one time.

    A turn is given when all symbols have their bar, or `deadline_s` after the first of them came
    (by the local clock: a venue's stamps may be ahead of it or behind); turns are given in order
    of time, each time once. What comes for a time that has been given is LATE and is dropped: the
    strategy has decided without it, and Backtrader's clock cannot be set back. So is a correction.

    Synchronous and without threads: whoever owns it adds, asks what is due, and waits `wait_s()`.

    Args:
        symbols: whose bars make a turn, in the order in which a turn names them.
        deadline_s: seconds; 0 gives every bar at once.
        clock: by which the deadline is measured.

    Raises:
        ConfigError: no symbol, or a deadline out of range.
    """

    def __init__(self, symbols: Sequence[str], deadline_s: float, clock: Clock) -> None:
        if not symbols:
            raise ConfigError("a barrier needs at least one symbol")
        if not 0 <= deadline_s < math.inf:
            raise ConfigError(f"a barrier's deadline_s must be 0 or more, not {deadline_s}")
        self._symbols = dict.fromkeys(symbols)
        self._deadline_s = deadline_s
        self.clock = clock
        self._open: dict[datetime, Bars] = {}
        self._due_s: dict[datetime, float] = {}
        self._given: dict[datetime, frozenset[str]] = {}
        self._given_to: datetime | None = None
        self._known_to: datetime | None = None

    def skip_to(self, start_at: datetime) -> None:
        """Take every bar that starts at `start_at` or before for known, as after a warm-up."""
        self._known_to = start_at
        for known in [time for time in self._open if time <= start_at]:
            del self._open[known], self._due_s[known]

    def add(self, bar: VenueBar) -> Arrival:
        """Take one bar and say what becomes of it."""
        if bar.symbol not in self._symbols:
            return "other"
        if verdict := self._verdict(bar):
            return verdict
        self._open.setdefault(bar.start_at, {})[bar.symbol] = bar
        self._due_s.setdefault(bar.start_at, self.clock.monotonic() + self._deadline_s)
        return "taken"

    def due(self) -> list[Bars]:
        """Give the turns that are complete or out of time, oldest first; none comes twice."""
        turns = []
        for start_at in sorted(self._open):
            if not self._is_due(start_at):
                break
            del self._due_s[start_at]
            bars = self._open.pop(start_at)
            self._given_to = start_at
            self._remember(start_at, bars)
            turns.append({symbol: bars[symbol] for symbol in self._symbols if symbol in bars})
        return turns

    def wait_s(self) -> float | None:
        """Give the seconds until a turn is due without any further bar; None: nothing waits."""
        if not self._open:
            return None
        oldest = min(self._open)
        if self._is_due(oldest):
            return 0.0
        return self._due_s[oldest] - self.clock.monotonic()

    def _is_due(self, start_at: datetime) -> bool:
        is_complete = len(self._open[start_at]) == len(self._symbols)
        return is_complete or self.clock.monotonic() >= self._due_s[start_at]

    def _remember(self, start_at: datetime, bars: Bars) -> None:
        self._given[start_at] = frozenset(bars)
        if len(self._given) > _REMEMBERED:
            del self._given[next(iter(self._given))]

    def _verdict(self, bar: VenueBar) -> Arrival | None:
        """Say why a bar is in no turn; None: it is awaited."""
        if bar.is_correction:
            return "correction"
        start_at = bar.start_at
        if self._known_to is not None and start_at <= self._known_to:
            return "known"
        if bar.symbol in self._open.get(start_at, ()) or bar.symbol in self._given.get(
            start_at, ()
        ):
            return "known"
        is_past = self._given_to is not None and start_at <= self._given_to
        return "late" if is_past else None
