"""Where and when a session is killed, and what carries the blow to the place.

In memory a session dies at a named point of its own work: on Cerebro's thread `Killed` goes up
through everything, as nothing catches it; on the loop the work stops dead, and the lock-step finds
the session killed as soon as all is at rest.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal, get_args

from analyzers.journal import Journal
from brokers.clock import Clock
from brokers.facts import Fact, Filled
from brokers.orders import OrderSchema
from brokers.wire.http import Http, Response, Socket
from brokers.wire.resilient import Resilient
from brokers.wire.transport import VenueOrder

Point = Literal[
    "bar",  # all is quiet after the nth bar
    "before write",  # of the nth line of the log
    "after write",
    "before sync",
    "after sync",
    "before send",  # of the nth request that changes something at the venue
    "after send",  # the venue does it, nobody hears the answer
    "before answer",  # the answer came, and was not read
    "after answer",  # the nth order is answered, and nobody was told
    "before fill",  # of the nth round of facts: nothing is logged yet
    "after fill",  # of the nth round with a fill: it is logged, and nobody was told
]
POINTS: tuple[Point, ...] = get_args(Point)
_SENDING = ("POST", "DELETE", "PATCH")
_ORDERING = (b"3", b"4")  # placeOrder and cancelOrder of the TWS API


class Killed(BaseException):
    """The session is dead: no handler of errors may do anything about it."""


class Crash:
    """Deaths to come, each at the nth time that a point is passed, counted over all lives.

    Args:
        deaths: (point, nth), nth from 1.
    """

    def __init__(self, deaths: Sequence[tuple[Point, int]] = ()) -> None:
        self._due = set(deaths)
        self._passed: dict[Point, int] = {}
        self.died_at: list[tuple[Point, int]] = []
        self.is_dead = False

    @property
    def passed(self) -> Mapping[Point, int]:
        """How often each point was passed."""
        return self._passed

    @property
    def left(self) -> tuple[tuple[Point, int], ...]:
        """Deaths that did not come."""
        return tuple(sorted(self._due))

    def passes(self, point: Point) -> None:
        """Pass a point on Cerebro's thread.

        Raises:
            Killed: it was the last one.
        """
        if self._strikes(point):
            raise Killed

    def falls(self, point: Point) -> bool:
        """Pass a point in a callback of the loop; whether the session is dead, there or before."""
        return self.is_dead or self._strikes(point)

    async def passes_on_loop(self, point: Point) -> None:
        """Pass a point on the loop; where the session dies, this never ends."""
        if self.is_dead or self._strikes(point):
            await asyncio.get_running_loop().create_future()

    def revive(self) -> None:
        """Begin another life."""
        self.is_dead = False

    def _strikes(self, point: Point) -> bool:
        self._passed[point] = nth = self._passed.get(point, 0) + 1
        if (point, nth) not in self._due:
            return False
        self._due.discard((point, nth))
        self.died_at.append((point, nth))
        self.is_dead = True
        return True


class MortalJournal(Journal):
    """A journal during whose writing the session may die."""

    def __init__(self, path: Path, run_id: str, clock: Clock, crash: Crash) -> None:
        self._crash = crash
        super().__init__(path, run_id, clock)

    def append(self, record: Mapping[str, Any]) -> None:
        """See `Journal.append`."""
        self._crash.passes("before write")
        super().append(record)
        self._crash.passes("after write")

    def sync(self) -> None:
        """See `Journal.sync`."""
        self._crash.passes("before sync")
        super().sync()
        self._crash.passes("after sync")


class MortalHttp:
    """An `Http` during whose requests the session may die."""

    def __init__(self, http: Http, crash: Crash) -> None:
        self._http = http
        self._crash = crash

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        timeout_s: float,
    ) -> Response:
        """See `Http.request`."""
        is_sending = method in _SENDING
        if is_sending:
            await self._crash.passes_on_loop("before send")
        asked = asyncio.ensure_future(
            self._http.request(method, path, params=params, json=json, timeout_s=timeout_s)
        )
        if not is_sending:
            return await asked
        await self._crash.passes_on_loop("after send")
        answer = await asked
        await self._crash.passes_on_loop("before answer")
        return answer

    def stream(
        self, path: str, headers: Mapping[str, str] | None = None, *, quiet_s: float = 10.0
    ) -> AbstractAsyncContextManager[Socket]:
        """See `Http.stream`."""
        return self._http.stream(path, headers, quiet_s=quiet_s)

    async def close(self) -> None:
        """See `Http.close`."""
        await self._http.close()


class MortalLine:
    """A line to a gateway, whose client may die when it has an order sent, or its answer.

    Each write is one message, and so is each arrival.
    """

    def __init__(self, crash: Crash) -> None:
        self._crash = crash
        self._awaits_answer = False

    def leaves(self, data: bytes) -> bool:
        """Whether what the client writes arrives."""
        is_order = data[4:].partition(b"\0")[0] in _ORDERING
        if self._crash.is_dead or (is_order and self._crash.falls("before send")):
            return False
        if is_order:
            self._awaits_answer = True
            self._crash.falls("after send")
        return True

    def comes(self, _data: bytes) -> bool:
        """Whether what is written to it arrives."""
        if self._awaits_answer:
            self._awaits_answer = False
            return not self._crash.falls("before answer")
        return not self._crash.is_dead


class MortalAccount(Resilient):
    """An account; the session may die when it has the answer to an order."""

    crash: Crash

    async def submit(self, order: OrderSchema) -> VenueOrder:
        """See `Transport.submit`."""
        answer = await super().submit(order)
        await self.crash.passes_on_loop("after answer")
        return answer


class MortalFacts:
    """The broker's facts; the session may die before they are logged, and after."""

    def __init__(
        self, facts: Callable[[], Sequence[Fact]], comes: Callable[[], bool], crash: Crash
    ) -> None:
        self._facts = facts
        self._comes = comes
        self._crash = crash

    def __call__(self) -> Sequence[Fact]:
        """What happened since the last time."""
        if self._comes():
            self._crash.passes("before fill")
        told = self._facts()
        if any(isinstance(fact, Filled) for fact in told):
            self._crash.passes("after fill")
        return told
