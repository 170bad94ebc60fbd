"""Any transport, kept under the venue's rate, tried again, and ended after three failures."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any, TypeVar

from brokers.clock import Clock
from brokers.errors import (
    BreakerOpen,
    ConfigError,
    DuplicateOrderId,
    OrderRefused,
    SchemaRefused,
    Throttled,
    Transient,
    TransportError,
    Unknown,
    VenueRefused,
)
from brokers.orders import OrderSchema
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Attempt, Breaker
from brokers.wire.limiter import Limiter, Priority
from brokers.wire.steps import between
from brokers.wire.transport import (
    OrderUpdate,
    Reconnected,
    Replacement,
    Transport,
    VenueAccount,
    VenueFill,
    VenueOrder,
    VenuePosition,
)

T = TypeVar("T")


class Resilient:
    """A transport whose every request waits for the limiter, is backed off, and counts.

    Each request books an instant at the limiter, then goes through the breaker, also the second
    and later ones of a call that takes several (`steps.py`); a call that fails with `Transient` is
    tried again, whole, until the back-off's deadline. While one that submits, replaces or cancels
    is tried again, later ones of these wait, and do not overtake it. Throttled tries (429) do not
    count, but a call whose deadline they used up counts once. Refusals, `BreakerOpen` among them,
    pass up at once. Streams are neither limited nor counted.

    Submit and replace send an order a second time only when `find` said after the first that the
    venue has none. Once a try has ended in `Unknown`, what `find` answers is the outcome, also in
    place of a refusal (the first copy is perhaps why the second was refused); a call that ends
    without such an answer raises `Unknown`, whatever it met last.

    Args:
        transport: the wire.
        limiter: the venue's rate, shared by all who call it; orders go first.
        backoff: waits between tries; its deadline also caps how long the venue can hold us off.
        breaker: counts, and belongs to the event loop of the calls.
        clock: for all waiting.
        rng: seeded; draws the waits.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        limiter: Limiter,
        backoff: Backoff,
        breaker: Breaker,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._transport = transport
        self._limiter = limiter
        self._backoff = backoff
        self._breaker = breaker
        self._clock = clock
        self._rng = rng
        self._places = count(1)
        self._again: dict[int, asyncio.Event] = {}  # places of order calls that are tried again

    async def submit(self, order: OrderSchema) -> VenueOrder:
        """See `Transport.submit`; at most one order comes of it."""
        return await self._once(order.client_order_id, lambda: self._transport.submit(order))

    async def replace(
        self, venue_order_id: str, client_order_id: str, terms: Replacement
    ) -> VenueOrder:
        """See `Transport.replace`; at most one replacement comes of it."""
        return await self._once(
            client_order_id,
            lambda: self._transport.replace(venue_order_id, client_order_id, terms),
        )

    async def cancel(self, venue_order_id: str) -> None:
        """See `Transport.cancel`."""
        await self._call("order", lambda: self._transport.cancel(venue_order_id))

    async def find(self, client_order_id: str) -> VenueOrder | None:
        """See `Transport.find`."""
        return await self._call("read", lambda: self._transport.find(client_order_id))

    async def orders_since(self, since: datetime) -> Sequence[VenueOrder]:
        """See `Transport.orders_since`."""
        return await self._call("read", lambda: self._transport.orders_since(since))

    async def fills_since(self, since: datetime) -> Sequence[VenueFill]:
        """See `Transport.fills_since`."""
        return await self._call("read", lambda: self._transport.fills_since(since))

    async def account(self) -> VenueAccount:
        """See `Transport.account`."""
        return await self._call("read", self._transport.account)

    async def positions(self) -> Sequence[VenuePosition]:
        """See `Transport.positions`."""
        return await self._call("read", self._transport.positions)

    def updates(self) -> AsyncIterator[OrderUpdate | Reconnected]:
        """See `Transport.updates`."""
        return self._transport.updates()

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._transport.close()

    async def _once(
        self, client_order_id: str, send: Callable[[], Awaitable[VenueOrder]]
    ) -> VenueOrder:
        """Send what creates an order, and never blindly twice."""
        tries = _Tries(next(self._places))

        async def attempt() -> VenueOrder:
            return await self._create(client_order_id, send, tries)

        try:
            return await self._tried(attempt, tries)
        except (Transient, BreakerOpen) as error:
            if tries.is_lost:
                raise Unknown(str(error), client_order_id) from error
            raise

    async def _create(
        self,
        client_order_id: str,
        send: Callable[[], Awaitable[VenueOrder]],
        tries: "_Tries",
    ) -> VenueOrder:
        if tries.is_lost and (found := await self._look_up(client_order_id, tries)):
            return found
        try:
            return await self._attempt("order", send, tries)
        except Unknown as error:
            tries.is_lost = True
            raise Transient(str(error)) from error
        except VenueRefused as refused:
            is_duplicate = isinstance(refused, DuplicateOrderId)
            if is_duplicate and len(tries.attempts) > 1:
                tries.is_lost = True  # an earlier try did arrive, whatever was said of it
            if tries.is_lost and (found := await self._look_up(client_order_id, tries)):
                return found
            if tries.is_lost and is_duplicate:
                raise Transient(f"{refused}, yet it cannot be found") from refused
            raise

    async def _look_up(self, client_order_id: str, tries: "_Tries") -> VenueOrder | None:
        return await self._attempt("order", lambda: self._transport.find(client_order_id), tries)

    async def _call(self, priority: Priority, send: Callable[[], Awaitable[T]]) -> T:
        tries = _Tries(next(self._places) if priority == "order" else None)

        async def attempt() -> T:
            return await self._attempt(priority, send, tries)

        return await self._tried(attempt, tries)

    async def _tried(self, attempt: Callable[[], Coroutine[Any, Any, T]], tries: "_Tries") -> T:
        try:
            return await self._backoff.acall(attempt, clock=self._clock, rng=self._rng)
        except Throttled as error:
            if not tries.has_failed:
                self._breaker.overdue(tries.attempts[0], str(error))
            raise
        finally:
            if settled := self._again.pop(tries.place or 0, None):
                settled.set()

    async def _attempt(
        self, priority: Priority, send: Callable[[], Awaitable[T]], tries: "_Tries"
    ) -> T:
        """One try of a call."""
        try:
            async with AsyncExitStack() as request:
                leave = partial(self._leave, request, priority, tries)
                await leave()
                token = between.set(leave)
                try:
                    return await send()
                finally:
                    between.reset(token)
        except (_NeverLeft, _Answer) as carrier:
            raise carrier.error from None

    async def _leave(self, request: AsyncExitStack, priority: Priority, tries: "_Tries") -> None:
        """Let one request go: the one place where they leave.

        Entered in `request` until the call is over or needs another one, which is to say that this
        one was answered.
        """
        await request.aclose()
        while tries.place and (first := min(self._again, default=tries.place)) < tries.place:
            await self._again[first].wait()
        if wait_s := self._limiter.reserve(priority):
            await self._clock.wait(wait_s)
        attempt = await request.enter_async_context(self._breaker.attempt())
        request.push(partial(self._note, attempt, tries))
        tries.attempts.append(attempt)

    def _note(
        self,
        attempt: Attempt,
        tries: "_Tries",
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """What the breaker must be told, or not be told, before it hears of an error."""
        if tries.place and isinstance(error, TransportError):
            self._again.setdefault(tries.place, asyncio.Event())
        if isinstance(error, Throttled):
            attempt.throttled()
            held_s = error.retry_after_s or 0.0
            self._limiter.penalise(min(held_s, self._backoff.deadline_s))
        elif isinstance(error, TransportError):
            tries.has_failed = True
        elif isinstance(error, SchemaRefused):
            raise _NeverLeft(error)
        elif isinstance(error, ConfigError):
            raise _Answer(error)


@dataclass(slots=True)
class _Tries:
    """What one call has met so far.

    Args:
        place: among the calls that submit, replace or cancel; None for a read.
        has_failed: a request brought no verdict and was counted at once; 429s are not.
        is_lost: a try ended in `Unknown`, or may as well have: the order perhaps exists.
    """

    place: int | None = None
    attempts: list[Attempt] = field(default_factory=list)
    has_failed: bool = False
    is_lost: bool = False


class _NeverLeft(Exception):
    """Carries a transport's own refusal past the breaker, which would take it for an answer."""

    def __init__(self, error: SchemaRefused) -> None:
        super().__init__(str(error))
        self.error = error


class _Answer(OrderRefused):
    """Carries refused keys to the breaker as what they are: an answer below 500."""

    def __init__(self, error: ConfigError) -> None:
        super().__init__(str(error))
        self.error = error
