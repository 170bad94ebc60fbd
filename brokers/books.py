"""Our books kept in step with a venue's: its updates taken in, and compared after each gap.

Belongs to one event loop, see `brokers/store.py`. A comparison and an update never overlap.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from brokers.blotter import Blotter
from brokers.clock import Clock
from brokers.errors import BreakerOpen, TransportError
from brokers.facts import Fact, Mismatch
from brokers.wire.transport import (
    OrderUpdate,
    Reconnected,
    Transport,
    VenueAccount,
    VenueFill,
    VenueOrder,
    VenuePosition,
)

T = TypeVar("T")
Snapshot = tuple[Sequence[VenueOrder], Sequence[VenueFill], Sequence[VenuePosition]]

OVERLAP = timedelta(seconds=60)  # a comparison begins so long before the last one
RESTATED_WITHIN = timedelta(days=2)
LOOKS = 5  # for positions without a fill between, and for fills that the venue has yet to tell


@dataclass(frozen=True, slots=True)
class Pace:
    """How those who deal with a venue take their time.

    Args:
        lanes: how many orders that stand apart from each other may be on their way at once.
        cancel_wait_s: how long an order waits for a cancel in its symbol to be confirmed.
        settle_s: between two looks at what should have settled by now.
        poll_s: between comparisons while orders are at work; None: only after a gap.
    """

    lanes: int = 1
    cancel_wait_s: float = 10.0
    settle_s: float = 2.0
    poll_s: float | None = None


@dataclass(slots=True)
class Progress:
    """How much the books have taken in since they were opened.

    Args:
        updates: of the stream, those that were no news among them.
        streams: how often the stream was opened.
        comparisons: that were finished.
    """

    updates: int = 0
    streams: int = 0
    comparisons: int = 0


class Books:
    """Reads a venue, and tells the facts that are news.

    Args:
        blotter: what is known; nobody else may use it from now on.
        tell: takes each fact, on the loop's thread.
        since: nothing before this instant is compared, aware UTC.
    """

    def __init__(
        self,
        transport: Transport,
        blotter: Blotter,
        tell: Callable[[Fact], object],
        *,
        clock: Clock,
        since: datetime,
        pace: Pace,
    ) -> None:
        self.account: VenueAccount | None = None
        self.is_comparing = False
        self.is_explained = True  # no mismatch was told so far
        self.compared = asyncio.Event()
        self.blotter = blotter
        self.progress = Progress()
        self._transport = transport
        self._tell_one = tell
        self._clock = clock
        self._since = since
        self._pace = pace
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._is_behind = asyncio.Event()

    async def follow(self) -> None:
        """Take the stream of updates in; compare whenever it says that it was interrupted.

        Raises:
            TransportError: the stream ended.
        """
        async for item in self._transport.updates():
            if isinstance(item, Reconnected):
                self.progress.streams += 1
                await self.compare()
                self.compared.set()
            else:
                await self.apply(item)
                self.progress.updates += 1
        raise TransportError("the stream of order updates ended: start the session again")

    async def watch(self) -> None:
        """Compare when an update was lost, which shows in the venue's cumulative quantities."""
        while True:
            await self._is_behind.wait()
            self._is_behind.clear()
            await self._clock.wait(self._pace.settle_s)
            if self.blotter.behind:
                await self.compare()

    async def poll(self) -> None:
        """Compare from time to time while orders or splits are at work, if the pace says so."""
        while self._pace.poll_s is not None:
            await self._clock.wait(self._pace.poll_s)
            if self.blotter.alive or self._awaits_split():
                await self.compare()

    def _awaits_split(self) -> bool:
        """Whether the venue is about to restate a position; it may be a day late."""
        now = self._clock.now()
        return any(
            split.eve_at <= now <= split.ex_at + RESTATED_WITHIN
            for split in self.blotter.splits.values()
        )

    async def apply(self, update: OrderUpdate) -> None:
        """Take in one update, or the answer to a request."""
        async with self._lock:
            self._tell(self.blotter.apply(update))
        if self.blotter.behind:
            self._is_behind.set()

    async def refuse(self, order_id: str, reason: str) -> None:
        """End an order that the venue surely does not have."""
        async with self._lock:
            self._tell(self.blotter.refuse(order_id, reason))

    async def compare(self) -> None:
        """Compare all with the venue, however often its answers fail, until the breaker opens."""
        async with self._lock:
            self.is_comparing = True
            try:
                await self.insist(self._compare)
            except BreakerOpen:
                return  # the stream goes on, so that a shutdown hears what becomes of its cancels
            finally:
                self.is_comparing = False

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until there is an answer.

        Raises:
            OrderRefused: the breaker is open, or the venue will not tell.
        """
        while True:
            try:
                return await call()
            except TransportError:
                await self._clock.wait(self._pace.settle_s)

    async def until(self, is_so: Callable[[], bool], wait_s: float) -> bool:
        """Wait until facts have made something so, or for `wait_s` seconds; say whether it is."""
        timer = asyncio.ensure_future(self._clock.wait(wait_s))
        try:
            while not is_so() and not timer.done():
                self._news.clear()
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait({news, timer}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        finally:
            timer.cancel()
        return is_so()

    async def _compare(self) -> None:
        began_at = self._clock.now()
        for look in range(LOOKS):
            if look:
                await self._clock.wait(self._pace.settle_s)
            self._tell(self.blotter.compare(*await self._snapshot()))
            if not self.blotter.behind:
                break
        else:
            self._tell(self.blotter.shortfalls())
        self.account = await self._transport.account()
        self._since = max(self._since, began_at - OVERLAP)
        self.progress.comparisons += 1

    async def _snapshot(self) -> Snapshot:
        """Orders, fills and positions of one moment: no fill came while they were read."""
        fills = await self._transport.fills_since(self._since)
        for _ in range(LOOKS):
            positions = await self._transport.positions()
            orders = await self._transport.orders_since(self._since)
            before, fills = fills, await self._transport.fills_since(self._since)
            if len(before) == len(fills):
                break
        return orders, fills, positions

    def _tell(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.is_explained = self.is_explained and not isinstance(fact, Mismatch)
            self._tell_one(fact)
        self._news.set()
