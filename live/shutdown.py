"""Taking a session down in order: reduce-only, entries cancelled, confirmed or not, then the end.

`Shutdown` is stepped once a turn of Cerebro's loop and never blocks. The guard's halt cancels what
could still open a position; exits at work stay, or are cancelled and the positions closed, as the
policy says. Where no order can leave any more exits stay in any case: nothing could be closed, and
what is held would be left without them. Once the breaker is open no call leaves through it: the
cancels of entries are then handed to the wire itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from brokers.clock import Clock
from brokers.events import Event, Halt, Refusal
from live.exits import Trigger
from live.tape import AtWork, Tape

Protective = Literal["keep", "flatten"]
NOT_FLATTENED = "positions were not flattened and exits were left: no order could leave any more"


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of the exits at work, and how long the venue's word is awaited."""

    protective: Protective = "keep"
    deadline_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Tripped:
    """What ended the session, and in which words."""

    trigger: Trigger
    text: str


class Guard(Protocol):
    """The guard, as a shutdown needs it."""

    def halt(self, refusal: Refusal) -> None:
        """Go reduce-only and cancel resting entries."""

    def cancel(self, order: Any, *, reason: str | None = None) -> Any:
        """Cancel one order."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a shutdown can do beyond the guard, and whether it still can.

    Args:
        cancel_at_venue: asks the venue itself to cancel these orders, past limiter and breaker.
        close_positions: closes what is held, through the guard; whether something was.
        is_settled: whether every order that left has had its answer.
        is_cut_off: whether the breaker is open, when it began or at any time since.
        can_order: whether an order could leave now: breaker, connection and log allow it.
    """

    cancel_at_venue: Callable[[Sequence[str]], None]
    close_positions: Callable[[str], bool]
    is_settled: Callable[[], bool]
    is_cut_off: Callable[[], bool]
    can_order: Callable[[], bool]


class Shutdown:
    """One session's way down.

    Args:
        guard: round the session's broker.
        tape: what is at work.
        reach: beyond the guard.
        announce: told once, before anything happens, so that the log has it.
        clock: by which the deadline runs.
    """

    def __init__(
        self,
        guard: Guard,
        tape: Tape,
        policy: Policy,
        reach: Reach,
        *,
        announce: Callable[[Tripped], None],
        clock: Clock,
    ) -> None:
        self._guard = guard
        self._tape = tape
        self._policy = policy
        self._reach = reach
        self._announce = announce
        self._clock = clock
        self._is_direct = False
        self._flattens = False
        self._due_s = 0.0
        self.tripped: Tripped | None = None
        self.asked: tuple[str, ...] = ()  # ids of the orders that were cancelled
        self.notes: tuple[str, ...] = ()
        self._entries: tuple[str, ...] = ()
        self.found: tuple[AtWork, ...] = ()  # what was at work when it began
        self._closing_asked = False

    @property
    def is_under_way(self) -> bool:
        """Whether something has tripped."""
        return self.tripped is not None

    def hear(self, event: Event) -> None:
        """Listen to the guard: a broken account limit makes it halt by itself."""
        if not isinstance(event, Halt):
            return
        self.asked = self._entries = event.cancelled
        if event.refusal.kind == "risk":
            self.begin(Tripped("account_limit", event.refusal.text))

    def begin(self, tripped: Tripped) -> None:
        """Go reduce-only and cancel; what trips later changes nothing any more."""
        if self.tripped is not None:
            return
        self.tripped = tripped
        self._due_s = self._clock.monotonic() + self._policy.deadline_s
        self.found = self._tape.working
        self._announce(tripped)
        reason = f"shutdown: {tripped.text}"
        self._guard.halt(Refusal("halt", reason))
        if self._policy.protective == "flatten":
            self._cancel_exits(reason)
        self._go_direct()

    def is_done(self) -> bool:
        """Whether all is confirmed, or the deadline is over; to be asked every turn."""
        if self._clock.monotonic() >= self._due_s:
            return True
        self._go_direct()
        if self.unconfirmed or not (self._is_direct or self._reach.is_settled()):
            return False
        if not self._flattens or self._is_direct:
            return True
        return not self._is_closing()

    def _cancel_exits(self, reason: str) -> None:
        self._flattens = self._reach.can_order()
        if not self._flattens:
            self.notes = (NOT_FLATTENED,)
            return
        left = [pair for pair in self._tape.orders if pair[0].order_id not in self.asked]
        for entry, order in left:
            self._guard.cancel(order, reason=reason)
            self.asked = (*self.asked, entry.order_id)

    def _go_direct(self) -> None:
        if self._reach.is_cut_off() and not self._is_direct:
            self._is_direct = True
            self._reach.cancel_at_venue(self._entries)

    def _is_closing(self) -> bool:
        if self._tape.working:
            return True
        if self._closing_asked:
            return False
        self._closing_asked = True
        return self._reach.close_positions("shutdown: positions are flattened")

    @property
    def unconfirmed(self) -> tuple[AtWork, ...]:
        """Orders that were cancelled and whose end the venue has not told."""
        return tuple(order for order in self._tape.working if order.order_id in self.asked)
