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
    "other",  # of the sentinel, or of no symbol here
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
        clock: by which the deadline and the silence are measured.
        sentinel: a liquid symbol besides, whose bars are in no turn but are signs of life.
        stale_turns: a symbol without a bar in so many turns running is stale.

    Raises:
        ConfigError: no symbol, or a number out of range.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        deadline_s: float,
        clock: Clock,
        *,
        sentinel: str | None = None,
        stale_turns: int = 5,
    ) -> None:
        if not symbols:
            raise ConfigError("a barrier needs at least one symbol")
        if not 0 <= deadline_s < math.inf:
            raise ConfigError(f"a barrier's deadline_s must be 0 or more, not {deadline_s}")
        if stale_turns < 1:
            raise ConfigError(f"a barrier's stale_turns must be at least 1, not {stale_turns}")
        self._missed = dict.fromkeys(symbols, 0)
        self._sentinel = sentinel
        self._deadline_s = deadline_s
        self.clock = clock
        self._stale_turns = stale_turns
        self._open: dict[datetime, Bars] = {}
        self._due_s: dict[datetime, float] = {}
        self._given: dict[datetime, frozenset[str]] = {}
        self._given_to: datetime | None = None
        self._known_to: datetime | None = None
        self._heard_at = clock.now()

    @property
    def stale(self) -> frozenset[str]:
        """Symbols whose orders should be refused; one is fresh again with its next bar.

        It may be halted or merely quiet: that is for no alarm, see `is_mute`.
        """
        return frozenset(
            symbol for symbol, missed in self._missed.items() if missed >= self._stale_turns
        )

    def is_mute(self, after_s: float, open_since: datetime | None) -> bool:
        """Whether nobody, the sentinel included, has had a bar for `after_s` seconds.

        Args:
            open_since: when the market opened, aware; None while it is closed and nothing is due.
        """
        if open_since is None:
            return False
        silence = self.clock.now() - max(self._heard_at, open_since)
        return silence.total_seconds() >= after_s

    def skip_to(self, start_at: datetime) -> None:
        """Take every bar that starts at `start_at` or before for known, as after a warm-up."""
        self._known_to = start_at
        for known in [time for time in self._open if time <= start_at]:
            del self._open[known], self._due_s[known]

    def add(self, bar: VenueBar) -> Arrival:
        """Take one bar and say what becomes of it."""
        is_ours = bar.symbol in self._missed
        if not is_ours and bar.symbol != self._sentinel:
            return "other"
        self._heard_at = self.clock.now()
        if verdict := self._verdict(bar):
            return verdict
        bars = self._open.setdefault(bar.start_at, {})
        self._due_s.setdefault(bar.start_at, self.clock.monotonic() + self._deadline_s)
        if not is_ours:
            return "other"
        bars[bar.symbol] = bar
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
            for symbol in self._missed:
                self._missed[symbol] = 0 if symbol in bars else self._missed[symbol] + 1
            if bars:  # the sentinel alone makes no turn
                self._remember(start_at, bars)
                turns.append({symbol: bars[symbol] for symbol in self._missed if symbol in bars})
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
        is_complete = len(self._open[start_at]) == len(self._missed)
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
