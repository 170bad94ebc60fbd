"""Venue and session in lock-step: fills of a bar, quiet, the bar, quiet, the next one."""

from datetime import datetime
from typing import Literal, Protocol

from brokers.errors import SeawallError, TransportError
from brokers.inbox import Inbox
from brokers.store import Store
from feeds.turns import Turns
from live.paper.control import Traffic
from live.paper.market import Step
from live.paper.venue import Venue
from live.rehearsal.crash import Crash, Killed
from live.rehearsal.still import Stalled, StillLoop, VirtualClock
from live.session_log import SessionLog

Phase = Literal["turn over", "moved", "matched", "sent"]
LONGEST_S = 3600.0  # of virtual time in one phase: what has not come by then never will
RELEASE_S = 1.0  # between two looks at what the venue delays


class Side(Protocol):
    """The venue, and its front."""

    @property
    def venue(self) -> Venue:
        """What is stepped."""

    @property
    def gate(self) -> Traffic:
        """Which counts the calls."""


class Player(Protocol):
    """A session, as far as it must be known to be at rest."""

    @property
    def store(self) -> Store:
        """Its connection."""

    @property
    def inbox(self) -> Inbox:
        """Its inbox."""

    @property
    def turns(self) -> Turns:
        """Its feeds'."""

    @property
    def log(self) -> SessionLog:
        """Its log."""

    @property
    def failure(self) -> SeawallError | None:
        """Why no more bars come."""

    def awaits(self, at: datetime) -> bool:
        """Whether bars of its end at an instant."""


class LockStep:
    """Steps the venue whenever a session has nothing left to do.

    Each call of `idle` is the session's word that its inbox is empty. Then, in this order: what is
    in flight settles; time passes up to the next pending timer as long as something is awaited;
    and only when all is quiet the venue does one thing: match, or send the bars, or move on.

    Args:
        until: the session ends with the bars of this instant; None: with the last ones.
    """

    def __init__(
        self,
        far: Side,
        loop: StillLoop,
        clock: VirtualClock,
        crash: Crash,
        until: datetime | None = None,
    ) -> None:
        self._far = far
        self._crash = crash
        self._loop = loop
        self._clock = clock
        self._until = until
        clock.ceiling = far.venue.market.next_at
        self._phase: Phase = "turn over"
        self._step: Step | None = None
        self._begun_s = 0.0
        self._withheld = 0
        self._compared = 0

    def idle(self, actor: Player) -> bool:
        """Bring what is next; whether anything came, or the run is over."""
        if actor.store.state != "live":
            _check(actor)
            return False
        while True:
            self._loop.settle()
            if self._crash.is_dead:
                raise Killed
            _check(actor)
            if actor.inbox.waiting:
                return True
            if not self._is_quiet(actor):
                self._let_pass()
            elif self._awaits_bars(actor):
                if (due_s := actor.turns.barrier.wait_s()) is not None:
                    self._clock.sleep(due_s)
                    return False
                self._let_pass()
            elif not self._go_on():
                actor.turns.finish()
                return True

    def restarted(self) -> None:
        """Begin again with another session, whose first comparison finds all that was withheld."""
        self._compared = 0

    def _is_quiet(self, actor: Player) -> bool:
        """Whether everything that the venue did has reached the session, and been answered."""
        venue, store = self._far.venue, actor.store
        compared = store.progress.comparisons
        if venue.updates.withheld > self._withheld:
            self._withheld, self._compared = venue.updates.withheld, compared
        return (
            self._far.gate.in_flight == 0
            and venue.updates.is_listened_to
            and (venue.data.is_listened_to or not venue.market.timeframe.is_intraday)
            and not venue.late
            and store.is_idle
            and compared > self._compared
        )

    def _awaits_bars(self, actor: Player) -> bool:
        at = self._far.venue.market.at
        return self._phase == "sent" and actor.log.turn_end_at != at and actor.awaits(at)

    def _let_pass(self) -> None:
        """Let time pass to the next pending timer."""
        due_s, now_s = self._clock.due_s, self._clock.monotonic()
        if self._far.venue.late:
            due_s = min(due_s or now_s + RELEASE_S, now_s + RELEASE_S)
        if due_s is None or due_s - self._begun_s > LONGEST_S:
            raise Stalled(f"at {self._far.venue.at}, {self._phase}: something never came")
        self._clock.jump(due_s)
        self._far.venue.move(self._clock.now())
        if self._far.venue.late:
            self._loop.do(self._far.venue.release())

    def _go_on(self) -> bool:
        """Do the next thing at the venue; False after its last bar."""
        venue = self._far.venue
        self._begun_s = self._clock.monotonic()
        if self._phase in ("turn over", "sent"):
            if self._phase == "sent":
                self._phase = "turn over"
                self._crash.passes("bar")
            at = venue.market.next_at
            if at is None or (self._until and at > self._until):
                return False
            self._phase = "moved"
            self._clock.jump_to(at)
        elif self._phase == "moved":
            self._phase, self._step = "matched", venue.market.advance()
            self._clock.ceiling = venue.market.next_at
            if self._step is not None:
                self._loop.do(venue.match(self._step))
        elif self._step is not None:
            self._phase = "sent"
            self._loop.do(venue.send_bars(self._step))
        self._begun_s = self._clock.monotonic()
        return True


def _check(actor: Player) -> None:
    failure = actor.store.failure or actor.failure
    if failure is not None:
        raise TransportError(f"the session broke: {type(failure).__name__}: {failure}")
