"""Owns the one connection to a venue: its thread, its event loop, and what may leave on it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

from brokers.blotter import Blotter
from brokers.books import Books, Pace, Progress
from brokers.clock import Clock
from brokers.desk import Cancel, Desk, Job, Replace
from brokers.errors import ConfigError
from brokers.exit_pair import exit_pair
from brokers.facts import Broken, Ended, OrderFact, SplitFact
from brokers.inbox import Lane
from brokers.orders import OrderSchema
from brokers.relay import Relay
from brokers.thread import Host, LoopThread
from brokers.wire.clearance import Clearance
from brokers.wire.transport import BarSource, Replacement, Transport

T = TypeVar("T")
State = Literal["new", "connected", "live", "failed", "stopped"]

PARTNER_LEFT = "oco: the order that it names has left already: place both in one call of next()"


class Link(NamedTuple):
    """What a connection is made of."""

    transport: Transport
    bars: BarSource | None = None


@dataclass(frozen=True, slots=True)
class _Wiring:
    """What lives on the loop."""

    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event
    link: Link
    books: Books
    desk: Desk


class Store:
    """One account's connection; its methods belong to Cerebro's thread.

    Only `start` and `stop` wait for the venue; they are for before and after a run. Until `go_live`
    nothing leaves: orders and cancels are taken note of, which is how a restart re-executes, with
    `recall` for each fact of the log. From then on each turn's jobs leave when `release` ends the
    turn. An error on the loop becomes `failure` and a `Broken` fact; orders are refused afterwards.

    Args:
        connect: makes the connection, on the loop.
        facts: the lane of the inbox that the remote broker drains.
        clock: for all waiting.
        since: the session's beginning, aware UTC; nothing before it is compared.
        blotter: with the positions that the session began with.
        sync: brings the log to the disk; called once a turn, and only then its orders leave.
        host: runs the loop; by default a thread named "store".
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Link]],
        facts: Lane,
        *,
        clock: Clock,
        since: datetime,
        blotter: Blotter | None = None,
        sync: Callable[[], object] = lambda: None,
        pace: Pace | None = None,
        host: Host | None = None,
    ) -> None:
        self.failure: BaseException | None = None
        self._connect = connect
        self._facts = facts
        self._clock = clock
        self._since = since
        self._blotter = blotter or Blotter()
        self._sync = sync
        self._pace = pace or Pace()
        self._state: State = "new"
        self._connected: Future[_Wiring] = Future()
        self._host = host or LoopThread("store")
        self._tasks: list[asyncio.Task[None]] = []  # the loop's
        self._intents: dict[str, OrderSchema] = {}
        self._replacements: dict[str, int] = {}
        self._queued: list[Job] = []
        self._released = 0

    @property
    def state(self) -> State:
        """Where in its life it is."""
        return "failed" if self.failure and self._state != "stopped" else self._state

    @property
    def is_idle(self) -> bool:
        """Whether all that was released has been answered and every comparison begun is over."""
        wiring = self._wiring
        is_settled = wiring.desk.is_open or self._state == "connected"
        is_done = wiring.desk.done == self._released
        return is_settled and is_done and not wiring.books.is_comparing

    @property
    def progress(self) -> Progress:
        """How much was taken in of the venue's words; the loop's thread counts on."""
        return self._wiring.books.progress

    def start(self) -> None:
        """Start the thread and connect; raises what `connect` raises."""
        self._host.start(self._serve)
        self._host.wait(self._connected)
        error = self._connected.exception()
        if error is not None:
            self._host.join()
            raise error
        self._state = "connected"

    def stop(self) -> None:
        """End what runs on the loop, close the connection, join the thread; harmless twice."""
        if self._state != "stopped":
            self._connected.add_done_callback(_halt)
            self._host.join()
        self._state = "stopped"

    def attend(self, work: Callable[[Link], Coroutine[Any, Any, None]]) -> None:
        """Run something on the loop until it ends or `stop`, such as a stream of bars."""
        self._begin(work(self._wiring.link))

    def recall(self, fact: OrderFact | SplitFact) -> None:
        """Take note of a fact of the log, before `go_live`; its order has been sent again."""
        self._blotter.recall(fact)

    def go_live(self, current: Collection[str] = ()) -> None:
        """Follow the venue, compare with it, settle what a restart left open, then let jobs leave.

        Args:
            current: ids of orders that may still be sent when the venue never got them; the other
                ones lapse.
        """
        wiring, alive = self._wiring, self._blotter.alive
        intents = {name: self._intents[name] for name in self._blotter.unanswered}
        cancels = [job for job in self._queued if isinstance(job, Cancel) and job.order_id in alive]
        self._queued, self._released = [], len(cancels)
        wiring.loop.call_soon_threadsafe(wiring.desk.put, cancels)
        self._state = "live"
        for work in (wiring.books.follow(), wiring.books.watch(), wiring.books.poll()):
            self._begin(work)
        self._begin(wiring.desk.work(intents, current))

    def send(self, order: OrderSchema) -> None:
        """Queue an order or a family until the turn ends.

        An order that names one of this turn in its `oco_client_order_id` leaves as one with it.
        """
        if order.oco_client_order_id is not None:
            first = self._take_back(order.oco_client_order_id)
            if first is None:
                self._facts.put(Ended(order.client_order_id, "rejected", PARTNER_LEFT))
                return
            order = exit_pair(first, order)
        if self._state == "live":
            self._queued.append(order)
        else:
            self._blotter.expect(order)
            self._intents[order.client_order_id] = order

    def cancel(self, order_id: str) -> None:
        """Queue the cancel of an order or a leg until the turn ends."""
        self._queued.append(Cancel(order_id))

    def replace(self, order_id: str, terms: Replacement) -> None:
        """Queue a replacement; when the venue refuses it the order works on as it is."""
        number = self._replacements[order_id] = self._replacements.get(order_id, 0) + 1
        self._queued.append(Replace(order_id, number, terms))

    def release(self, *, apart: bool = False) -> None:
        """End the turn: its jobs are made ready, and orders leave once the log is synced.

        When the log cannot be synced, the turn's orders are refused; its cancels leave.

        Args:
            apart: see `Desk.put`.
        """
        if self._state != "live" or not self._queued:
            return
        queued, self._queued = self._queued, []
        if self.failure:
            self._refuse(queued, f"the connection broke: {self.failure}")
            queued = [job for job in queued if not isinstance(job, OrderSchema)]
        self._released += len(queued)
        loop, desk = self._wiring.loop, self._wiring.desk
        leave = Clearance(loop)
        loop.call_soon_threadsafe(partial(desk.put, queued, apart=apart, leave=leave))
        try:
            self._sync()
        except OSError as error:
            leave.refuse(f"the log could not be brought to the disk: {error}")
        else:
            leave.give()

    def _refuse(self, jobs: Iterable[Job], text: str) -> None:
        for order in (job for job in jobs if isinstance(job, OrderSchema)):
            for name in order.heads:
                self._facts.put(Ended(name, "rejected", text))

    def _take_back(self, order_id: str) -> OrderSchema | None:
        """An order of this turn, no longer to be sent by itself; None: it has left."""
        if self._state != "live":
            return self._intents.pop(order_id, None)
        for job in self._queued:
            if isinstance(job, OrderSchema) and job.client_order_id == order_id:
                self._queued.remove(job)
                return job
        return None

    @property
    def _wiring(self) -> _Wiring:
        if not self._connected.done():
            raise ConfigError("the store is not connected: call its start() first")
        return self._connected.result()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._wiring.loop.call_soon_threadsafe(self._begin_here, work)

    def _begin_here(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._note_end)
        self._tasks.append(task)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self.failure is None:
            self.failure = _first(error)
            self._facts.put(Broken(f"{type(self.failure).__name__}: {self.failure}"))

    async def _serve(self) -> None:
        opening = asyncio.get_running_loop().create_task(self._open())
        await asyncio.wait([opening])
        if (error := opening.exception()) is not None:
            self._connected.set_exception(error)
            return
        wiring = opening.result()
        self._connected.set_result(wiring)
        await wiring.stopping.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for part in wiring.link:
            if part is not None:
                self._begin_here(part.close())
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _open(self) -> _Wiring:
        link = await self._connect()
        relay = Relay(self._facts.put_all, self._clock)
        books = Books(
            link.transport,
            self._blotter,
            relay.tell,
            clock=self._clock,
            since=self._since,
            pace=self._pace,
        )
        desk = Desk(link.transport, books, self._pace, relay.hold)
        return _Wiring(asyncio.get_running_loop(), asyncio.Event(), link, books, desk)


def _halt(connected: Future[_Wiring]) -> None:
    """Let the loop end, once it has something to end."""
    if connected.exception() is None:
        wiring = connected.result()
        wiring.loop.call_soon_threadsafe(wiring.stopping.set)


def _first(error: BaseException) -> BaseException:
    """The error behind a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
