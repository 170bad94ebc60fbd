"""Stand-ins for the far side, honest and simple."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.clock import ManualClock
from brokers.orders import OrderSchema, Terms
from brokers.wire.clearance import cleared
from brokers.wire.transport import (
    ENDED,
    OrderStatus,
    OrderUpdate,
    Reconnected,
    Replacement,
    VenueAccount,
    VenueFill,
    VenueOrder,
    VenuePosition,
)

NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)


class FakeVenue:
    """A venue in memory, and the `Transport` to it: accepts all, fills when a test says so.

    `said` keeps every update; those of `lose` and of a dropped stream are never heard. Orders are
    named by OUR ids, legs by "<entry>-sl" and "<entry>-tp", whatever their ids here.
    """

    def __init__(self, cash: str = "100000") -> None:
        self.cash = Decimal(cash)
        self.orders: dict[str, VenueOrder] = {}
        self.fills: list[VenueFill] = []
        self.said: list[OrderUpdate] = []
        self.calls: list[tuple[str, Any]] = []
        self.held: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.is_closed = False
        self.silent_for = 0
        self._tip: dict[str, str] = {}  # our id -> the venue's id that works now
        self._family: dict[str, tuple[str, ...]] = {}  # entry -> its legs, by our ids
        self._script: defaultdict[str, list[tuple[BaseException, bool]]] = defaultdict(list)
        self._stream: asyncio.Queue[OrderUpdate | Reconnected | BaseException | None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ids = 0

    # What a test does to it.

    def fail_next(self, call: str, error: BaseException, *, after: bool = False) -> None:
        """Have the next such call raise, before it takes effect or after."""
        self._script[call].append((error, after))

    def lose(self, count: int) -> None:
        """Let nobody hear the next `count` updates."""
        self.silent_for = count

    def reconnect(self) -> None:
        """Say that the stream is up again after an interruption."""
        self._send(Reconnected(self._now()))

    def break_stream(self, error: BaseException | None = None) -> None:
        """End the stream, with an error if there is one."""
        self._send(error)

    def fill(self, order_id: str, quantity: str | None = None, price: str = "10") -> None:
        """Execute some units of an order, by default all that are left."""
        order = self.orders[self._tip[order_id]]
        size = order.quantity - order.filled_quantity if quantity is None else Decimal(quantity)
        signed = size if order.side == "buy" else -size
        filled = order.filled_quantity + size
        status: OrderStatus = "filled" if filled == order.quantity else "partially_filled"
        execution = VenueFill(
            self._id("x"), order.venue_order_id, order.symbol, order.side, size, Decimal(price),
            self._now(),
        )  # fmt: skip
        self.fills.append(execution)
        self.held[order.symbol] += signed
        self.cash -= signed * Decimal(price)
        self._say(replace(order, status=status, filled_quantity=filled), execution)
        if status == "filled":
            self._on_filled(order_id)

    def end(self, order_id: str, status: OrderStatus, reason: str = "") -> None:
        """Cancel, expire or reject an order, and the legs that it will never wake."""
        order = self.orders[self._tip[order_id]]
        if order.status in ENDED:
            return
        self._say(replace(order, status=status, reason=reason))
        for leg in self._family.get(order_id, ()):
            self.end(leg, "canceled")

    def supersede(self, order_id: str, **terms: Any) -> VenueOrder:
        """Put another order in the stead of this one, as a triggered stop-loss leg may meet."""
        former = self.orders[self._tip[order_id]]
        left = {"quantity": former.quantity - former.filled_quantity} | terms
        names = {"venue_order_id": self._id("v"), "client_order_id": self._id("c")} | left
        successor = replace(
            former, **names, filled_quantity=Decimal(0), replaces=former.venue_order_id, legs=()
        )
        self._tip[order_id] = successor.venue_order_id
        self._say(replace(former, status="replaced", replaced_by=successor.venue_order_id))
        self._say(successor)
        return successor

    def place(self, order: OrderSchema, status: OrderStatus = "new") -> VenueOrder:
        """Take an order or a family in, as `submit` does."""
        legs = tuple(
            self._make(leg, order.symbol, "held", self._id("c"), role=leg.role)
            for leg in order.legs
        )
        made = self._make(order, order.symbol, status, order.client_order_id, legs=legs)
        for leg, ours in zip(legs, order.legs, strict=True):
            self._tip[ours.client_order_id] = leg.venue_order_id
        self._tip[order.client_order_id] = made.venue_order_id
        self._family[order.client_order_id] = tuple(leg.client_order_id for leg in order.legs)
        self._say(made)
        return made

    def work(self, order_id: str) -> None:
        """Move an order that was pending to the book."""
        self._say(replace(self.orders[self._tip[order_id]], status="new"))

    def snapshot(self) -> tuple[list[VenueOrder], list[VenueFill], list[VenuePosition]]:
        """What a comparison is made with."""
        held = [VenuePosition(s, q, Decimal(10)) for s, q in self.held.items() if q]
        return list(self.orders.values()), list(self.fills), held

    def made(self, call: str) -> list[Any]:
        """The arguments of the calls of this name."""
        return [argument for name, argument in self.calls if name == call]

    # The transport.

    async def submit(self, order: OrderSchema) -> VenueOrder:
        await cleared()
        return await self._answer("submit", order.client_order_id, lambda: self.place(order))

    async def cancel(self, venue_order_id: str) -> None:
        def cancel() -> None:
            for ours, tip in self._tip.items():
                if tip == venue_order_id:
                    self.end(ours, "canceled")

        await self._answer("cancel", venue_order_id, cancel)

    async def replace(
        self, venue_order_id: str, client_order_id: str, terms: Replacement
    ) -> VenueOrder:
        ours = next(ours for ours, tip in self._tip.items() if tip == venue_order_id)
        words = {n: v for n in ("quantity", "limit_price") if (v := getattr(terms, n)) is not None}
        words["client_order_id"] = client_order_id
        return await self._answer("replace", client_order_id, lambda: self.supersede(ours, **words))

    async def find(self, client_order_id: str) -> VenueOrder | None:
        def find() -> VenueOrder | None:
            return next(
                (o for o in self.orders.values() if o.client_order_id == client_order_id), None
            )

        return await self._answer("find", client_order_id, find)

    async def orders_since(self, since: datetime) -> Sequence[VenueOrder]:
        return await self._answer("orders_since", since, lambda: self.snapshot()[0])

    async def fills_since(self, since: datetime) -> Sequence[VenueFill]:
        return await self._answer("fills_since", since, lambda: self.snapshot()[1])

    async def positions(self) -> Sequence[VenuePosition]:
        return await self._answer("positions", None, lambda: self.snapshot()[2])

    async def account(self) -> VenueAccount:
        return await self._answer(
            "account", None, lambda: VenueAccount("paper", self.cash, self.cash, self.cash)
        )

    async def updates(self) -> AsyncIterator[OrderUpdate | Reconnected]:
        self._loop, self._stream = asyncio.get_running_loop(), asyncio.Queue()
        yield Reconnected(self._now())
        while True:
            item = await self._stream.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
            yield item

    async def close(self) -> None:
        self.is_closed = True

    # Inside.

    async def _answer(self, call: str, argument: Any, act: Any) -> Any:
        self.calls.append((call, argument))
        await asyncio.sleep(0)
        error, after = self._script[call].pop(0) if self._script[call] else (None, False)
        if error is not None and not after:
            raise error
        answer = act()
        if error is not None:
            raise error
        return answer

    def _make(
        self, terms: Terms, symbol: str, status: OrderStatus, name: str, **more: Any
    ) -> VenueOrder:
        made = VenueOrder(
            self._id("v"), name, symbol, terms.side, terms.quantity, terms.order_type, status,
            Decimal(0), self._now(), limit_price=terms.limit_price, stop_price=terms.stop_price,
            **more,
        )  # fmt: skip
        self.orders[made.venue_order_id] = made
        return made

    def _on_filled(self, order_id: str) -> None:
        for leg in self._family.get(order_id, ()):
            self._say(replace(self.orders[self._tip[leg]], status="new"))
        siblings = [legs for legs in self._family.values() if order_id in legs]
        for leg in (leg for legs in siblings for leg in legs if leg != order_id):
            self.end(leg, "canceled")

    def _say(self, order: VenueOrder, fill: VenueFill | None = None) -> None:
        legs = tuple(self.orders[leg.venue_order_id] for leg in order.legs)
        order = replace(order, updated_at=self._now(), legs=legs)
        self.orders[order.venue_order_id] = order
        update = OrderUpdate(order, fill)
        self.said.append(update)
        if self.silent_for:
            self.silent_for -= 1
        else:
            self._send(update)

    def _send(self, item: OrderUpdate | Reconnected | BaseException | None) -> None:
        if self._loop is not None and self._stream is not None:
            self._loop.call_soon_threadsafe(self._stream.put_nowait, item)

    def _id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}{self._ids}"

    def _now(self) -> datetime:
        return NOON + timedelta(seconds=self._ids)


class HeldClock(ManualClock):
    """A clock whose waits end only when a test says `advance`; for one event loop."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self._waits: list[tuple[float, asyncio.Future[None]]] = []

    async def wait(self, wait_s: float) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits.append((self.monotonic() + wait_s, done))
        await done

    async def advance(self, wait_s: float) -> None:
        """Move on, end the waits that are over, and let all run until it is quiet."""
        self.sleep(wait_s)
        for until, done in self._waits:
            if until <= self.monotonic() and not done.done():
                done.set_result(None)
        await quiet()


async def quiet() -> None:
    """Let everything run that can."""
    for _ in range(60):
        await asyncio.sleep(0)
