"""The order desk: what leaves for a venue, one job after the other; see `brokers/store.py`."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from brokers.books import Books, Pace
from brokers.errors import BreakerOpen, OrderRefused, TransportError, Unknown
from brokers.orders import OrderSchema
from brokers.wire.clearance import Clearance, clearance
from brokers.wire.transport import OrderUpdate, Replacement, Transport

LAPSED = "lapsed: the session was down when it should have left, and its bar is not the last one"
UNEXPLAINED = "our books and the venue's differ from the start: reconcile, or start with --adopt"
NEVER_ARRIVED = "it was sent, no answer came, and the venue has no such order"


@dataclass(frozen=True, slots=True)
class Cancel:
    """An order or a leg to cancel."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Replace:
    """An order or a leg to replace; `number` counts its replacements from 1."""

    order_id: str
    number: int
    terms: Replacement


Job = OrderSchema | Cancel | Replace


class _Queued(NamedTuple):
    symbol: str
    job: Job
    apart: bool
    leave: Clearance | None


class Desk:
    """Works off jobs in the order in which they were decided; belongs to one event loop.

    A request leaves after every earlier one was answered; where jobs were put as standing apart,
    after every earlier one in its symbol was, and not before those ahead of it have left. An order
    also waits for the end of all orders in its symbol whose cancel was asked for: venues refuse
    what trades against one's own order, or sells what another order holds. Where the first
    comparison found what cannot be explained, cancels leave and no order ever does.

    Args:
        transport: usually a `Resilient` one, which alone sends an order again.
        books: told of every answer.
        hold: told True when several jobs are out at once, False when all are answered.
    """

    def __init__(
        self,
        transport: Transport,
        books: Books,
        pace: Pace,
        hold: Callable[[bool], object] = lambda _: None,
    ) -> None:
        self.done = 0
        self.is_open = False
        self._is_shut = False
        self._transport = transport
        self._books = books
        self._pace = pace
        self._hold = hold
        self._jobs: asyncio.Queue[_Queued] = asyncio.Queue()
        self._lanes = asyncio.Semaphore(pace.lanes)
        self._is_apart = False
        self._unanswered: dict[str, asyncio.Task[None]] = {}  # by symbol
        self._cancelling: set[str] = set()

    def put(
        self, jobs: Iterable[Job], *, apart: bool = False, leave: Clearance | None = None
    ) -> None:
        """Queue jobs; those about orders that never came here are done.

        Args:
            apart: whether the venue's verdict on each is the same whatever becomes of the others,
                and of those put as apart before them.
            leave: what the orders among them wait for at the door.
        """
        blotter = self._books.blotter
        for job in jobs:
            if isinstance(job, OrderSchema):
                blotter.expect(job)
                self._jobs.put_nowait(_Queued(job.symbol, job, apart, leave))
            elif (symbol := blotter.symbol(job.order_id)) is not None:
                self._jobs.put_nowait(_Queued(symbol, job, apart, leave))
            else:
                self.done += 1

    async def work(self, intents: Mapping[str, OrderSchema], current: Collection[str] = ()) -> None:
        """Work off the jobs until cancelled, from the first comparison on.

        Args:
            intents: orders of before a restart of which no outcome is known; see to them first.
            current: ids of those that are worth sending still; the others have lapsed.
        """
        await self._books.compared.wait()
        self._is_shut = not self._books.is_explained
        for order_id, order in intents.items():
            if order_id in self._books.blotter.unanswered:
                await self._resolve(order, order_id in current)
        self.is_open = True
        async with asyncio.TaskGroup() as group:
            while True:
                symbol, job, apart, leave = await self._jobs.get()
                await self._await_turn(symbol, job, apart)
                task = group.create_task(self._do(job, symbol, leave))
                self._unanswered[symbol] = task
                if len(self._unanswered) > 1:
                    self._hold(True)

    async def _await_turn(self, symbol: str, job: Job, apart: bool) -> None:
        """Wait until the job may leave; those after it wait as well."""
        earlier = list(self._unanswered.values())
        if apart and self._is_apart:
            earlier = [self._unanswered[symbol]] if symbol in self._unanswered else []
        self._is_apart = apart
        if earlier:
            await asyncio.wait(earlier)
        await self._lanes.acquire()
        if isinstance(job, OrderSchema):
            await self._await_cancels(symbol)

    async def _do(self, job: Job, symbol: str, leave: Clearance | None) -> None:
        if isinstance(job, OrderSchema):
            clearance.set(leave)
            await self._submit(job)
        elif job.order_id in self._books.blotter.alive:
            await self._change(job)
        del self._unanswered[symbol]
        if not self._unanswered:
            self._hold(False)
        self.done += 1  # what was held counts as not done
        self._lanes.release()

    async def _submit(self, order: OrderSchema) -> None:
        if self._is_shut:
            await self._books.refuse(order.client_order_id, UNEXPLAINED)
            return
        try:
            answer = await self._transport.submit(order)
        except Unknown:
            await self._look_up(order)
        except (OrderRefused, TransportError) as error:
            await self._books.refuse(order.client_order_id, str(error))
        else:
            await self._books.apply(OrderUpdate(answer))

    async def _look_up(self, order: OrderSchema) -> None:
        """Ask until the venue says whether it has the order; only the breaker ends this."""
        with suppress(BreakerOpen):
            if not await self._is_found(order):
                await self._books.refuse(order.client_order_id, NEVER_ARRIVED)

    async def _resolve(self, order: OrderSchema, is_current: bool) -> None:
        with suppress(BreakerOpen):
            if await self._is_found(order):
                return
            if is_current:
                await self._submit(order)
            else:
                await self._books.refuse(order.client_order_id, LAPSED)

    async def _is_found(self, order: OrderSchema) -> bool:
        name = order.client_order_id
        found = await self._books.insist(lambda: self._transport.find(name))
        if found is not None:
            await self._books.apply(OrderUpdate(found))
        return found is not None

    async def _change(self, job: Cancel | Replace) -> None:
        blotter = self._books.blotter
        if blotter.venue_order_id(job.order_id) is None:
            await self._books.compare()
        venue_order_id = blotter.venue_order_id(job.order_id)
        if venue_order_id is None:
            return
        try:
            if isinstance(job, Cancel):
                await self._transport.cancel(venue_order_id)
                self._cancelling.add(job.order_id)
            else:
                name = f"{job.order_id}-r{job.number}"
                answer = await self._transport.replace(venue_order_id, name, job.terms)
                await self._books.apply(OrderUpdate(answer))
        except BreakerOpen:
            return
        except (OrderRefused, TransportError):
            await self._books.compare()  # perhaps it has ended; if not, it works on as it was

    async def _await_cancels(self, symbol: str) -> None:
        """Wait for the end of what is being cancelled; then the venue decides."""
        blotter = self._books.blotter
        awaited = {name for name in self._cancelling if blotter.symbol(name) == symbol}
        if not awaited:
            return

        def is_over() -> bool:
            return awaited.isdisjoint(blotter.alive)

        if not await self._books.until(is_over, self._pace.cancel_wait_s):
            await self._books.compare()
        self._cancelling -= awaited
