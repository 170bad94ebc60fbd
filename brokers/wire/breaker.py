"""Three broker calls failing in a row end the session: the circuit breaker."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from brokers.clock import Clock
from brokers.errors import BreakerOpen, OrderRefused, TransportError

FAILURES_TO_OPEN = 3
FAILURES_KEPT = 20

State = Literal["closed", "probing", "open"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that brought no verdict; `counted` is False when it told nothing new."""

    at: datetime
    text: str
    counted: bool


@dataclass(eq=False, slots=True)
class Attempt:
    """One request on its way; `number` grows in the order in which they left."""

    number: int
    is_throttled: bool = False

    def throttled(self) -> None:
        """Note that the venue answered 429, before the `Transient` is raised."""
        self.is_throttled = True


class Breaker:
    """Counts, in the order of completion, what every broker request came to.

    A request goes inside ``async with breaker.attempt() as attempt:``. If the block raises a
    `TransportError` (timeout, no connection, 5xx) it failed; if it ends or raises `OrderRefused`
    the venue answered, which empties the row; after ``attempt.throttled()`` (429) and for any
    other exception, a cancellation among them, the row stays as it was.

    A first failure starts the row and the breaker is probing: from then on requests leave one at a
    time until the venue answers one. THREE failures in a row open it, for good.

    One dropped network fails everything in flight at once and counts ONCE: a failure lengthens the
    row only if its request left after the last counted failure was known. Requests that were
    already out then are not called back and not waited for; their answers still empty the row.

    Belongs to one event loop; `state` and `failures` may be read from any thread.

    Args:
        clock: stamps the failures.
        on_open: called once, on the loop, with the failures kept, oldest first.
    """

    def __init__(self, clock: Clock, on_open: Callable[[tuple[Failure, ...]], None]) -> None:
        self._clock = clock
        self._on_open = on_open
        self._turn = asyncio.Lock()
        self._left = 0
        self._left_at_count = 0
        self._row = 0
        self._failures: deque[Failure] = deque(maxlen=FAILURES_KEPT)

    @property
    def state(self) -> State:
        """Return closed (calls overlap), probing (one at a time) or open (none, for good)."""
        if self._row >= FAILURES_TO_OPEN:
            return "open"
        return "probing" if self._row else "closed"

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return the last failures, oldest first."""
        return tuple(self._failures)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[Attempt]:
        """Let one request go when it is its turn, and take note of what it came to.

        Raises:
            BreakerOpen: the breaker is open, or opened while the request waited for its turn.
        """
        alone = await self._await_turn()
        try:
            if self.state == "open":
                raise BreakerOpen(
                    f"{FAILURES_TO_OPEN} broker calls in a row failed, the last with: "
                    f"{self._failures[-1].text}; check the venue and start a new session"
                )
            self._left += 1
            attempt = Attempt(self._left)
            try:
                yield attempt
            except TransportError as error:
                if not attempt.is_throttled:
                    self._count(attempt, str(error))
                raise
            except OrderRefused:
                self._answered()
                raise
            self._answered()
        finally:
            if alone:
                self._turn.release()

    def overdue(self, first: Attempt, text: str) -> None:
        """Count once, as a failure, a call that met nothing but 429 until its back-off gave up.

        Args:
            first: the call's first attempt; calls throttled side by side count once together.
            text: what the venue said last.
        """
        self._count(first, text)

    async def _await_turn(self) -> bool:
        if not self._row:
            return False
        await self._turn.acquire()
        if not self._row:  # answered meanwhile: those who waited may overlap again
            self._turn.release()
            return False
        return True

    def _answered(self) -> None:
        if self.state != "open":
            self._row = 0

    def _count(self, attempt: Attempt, text: str) -> None:
        is_new = not self._row or attempt.number > self._left_at_count
        counted = is_new and self.state != "open"
        self._failures.append(Failure(self._clock.now(), text, counted))
        if counted:
            self._row += 1
            self._left_at_count = self._left
            if self.state == "open":
                self._on_open(self.failures)
