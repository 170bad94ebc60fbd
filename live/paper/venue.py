"""The paper venue put together: matching, market, faults, and the clients who listen."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID, uuid5

from brokers.clock import Clock
from brokers.orders import OrderSchema
from brokers.wire.transport import OrderUpdate, Replacement, VenueFill, VenueOrder
from live.paper.channel import Channel
from live.paper.faults import Plan
from live.paper.market import Market, Step
from live.paper.matching import Matching
from live.paper.ticker import Part, Ticker
from live.paper.tickets import Ticket, Tickets
from live.paper.trouble import Trouble

_SPACE = UUID("5ea11a11-0000-4000-8000-000000000001")


@dataclass(frozen=True, slots=True)
class Told:
    """An update as it goes out, with the units held after it."""

    update: OrderUpdate
    position: Decimal


@dataclass(frozen=True, slots=True)
class Mark:
    """The account's equity at one instant."""

    at: datetime
    equity: Decimal


class Front(Protocol):
    """Who speaks for a venue, as far as faults of its own protocol go."""

    @property
    def late(self) -> int:
        """How much it will still do by itself."""

    async def strike(self) -> None:
        """Do what the plan wants at the next step."""

    async def release(self) -> None:
        """Do what is due."""


class _Calm:
    """A front without faults of its own."""

    late = 0

    async def strike(self) -> None:
        """Nothing."""

    async def release(self) -> None:
        """Nothing."""


class Venue:
    """One account and one market, for any front to speak for.

    It belongs to one event loop.

    Args:
        market: what it has shown before the run is the past that clients may ask for.
        clock: of the wires: delays and refusals.
        plan: what is to go wrong.
        seed: of the ids that the venue gives.
    """

    def __init__(
        self,
        matching: Matching,
        market: Market,
        clock: Clock,
        *,
        plan: Plan | None = None,
        seed: int = 0,
    ) -> None:
        self.matching = matching
        self.market = market
        self.trouble = Trouble(plan or Plan())
        self.updates: Channel[Told] = Channel("trade_updates", self.trouble, clock)
        self.data: Channel[Sequence[Part]] = Channel("data", self.trouble, clock)
        self.tickets = Tickets()
        self.front: Front = _Calm()
        self._ticker = Ticker(market)
        self.executions: list[OrderUpdate] = []
        self.marks: list[Mark] = []
        self._held: dict[str, Decimal] = defaultdict(Decimal)
        self._seed = seed
        self._ids = 0
        self._moved_to = self.shown_to = market.at
        newest = (market.newest(symbol) for symbol in market.symbols)
        matching.desk.ledger.see(market.at, {bar.symbol: bar for bar in newest if bar is not None})

    @property
    def at(self) -> datetime:
        """The market's time, aware UTC."""
        return max(self.market.at, self._moved_to)

    @property
    def late(self) -> int:
        """What is held back and will still come."""
        return self.updates.late + self.data.late + self.front.late

    def move(self, at: datetime) -> None:
        """Let the market's time go on between two steps; it never goes back."""
        self._moved_to = max(self._moved_to, at)

    def next_id(self) -> str:
        """Give an id to what a client left without one; the same in every run."""
        self._ids += 1
        return str(uuid5(_SPACE, f"{self._seed} {self._ids}"))

    async def submit(self, schema: OrderSchema, notional: Decimal | None = None) -> VenueOrder:
        """Take an order in.

        Raises:
            VenueRefused: the account may not place it.
        """
        order = self.matching.submit(schema, self.at)
        self.tickets.add(schema, order, self.at, notional)
        await self._publish(self.matching.drain())
        return order

    async def cancel(self, venue_order_id: str) -> None:
        """Cancel an order and what falls with it.

        Raises:
            VenueRefused: it cannot be cancelled now.
        """
        self.matching.cancel(venue_order_id, self.at)
        await self._publish(self.matching.drain())

    async def replace(
        self,
        ticket: Ticket,
        change: Replacement,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Put another order in the stead of a working one; a trail is what the order's own is.

        Raises:
            VenueRefused: it is not working, or the account may not place the other.
        """
        name = client_order_id or self.next_id()
        order = self.matching.replace(ticket.venue_order_id, name, change, self.at)
        self.tickets.replaced(ticket, order, change, self.at)
        await self._publish(self.matching.drain())
        return order

    async def match(self, step: Step) -> int:
        """Match one instant and send what came of it; the number of updates, before any fault."""
        await self.front.strike()
        for split in step.splits:
            self.matching.split(split.symbol, split.ratio)
            self._held[split.symbol] *= split.ratio
        updates = self.matching.step(step.at, step.bars)
        self.marks.append(Mark(step.at, self.matching.account().equity))
        await self._publish(updates)
        return len(updates)

    async def send_bars(self, step: Step) -> None:
        """Send what the market shows at one instant in one frame, faults and all.

        `shown_to` is then that instant: what was matched is past only once it has been shown.
        """
        self.shown_to = step.at
        await self.data.send(self._ticker.parts(step))

    async def release(self) -> None:
        """Send what was delayed and is due."""
        await self.front.release()
        await self.updates.release()
        await self.data.release()

    async def _publish(self, updates: Sequence[OrderUpdate]) -> None:
        parts = [part for update in updates for part in self._parts(update)]
        for left, part in zip(reversed(range(len(parts))), parts, strict=True):
            if part.fill is not None:
                self.executions.append(part)
                sign = 1 if part.fill.side == "buy" else -1
                self._held[part.fill.symbol] += sign * part.fill.quantity
            told = Told(part, self._held[part.order.symbol])
            await self.updates.send(told, is_last=left == 0)
        await self.updates.flush()

    def _parts(self, update: OrderUpdate) -> tuple[OrderUpdate, ...]:
        """The update, or the two halves of its fill where the plan wants them."""
        if update.fill is None or not self.trouble.fill():
            return (update,)
        return halves(update, update.fill)


def halves(update: OrderUpdate, fill: VenueFill) -> tuple[OrderUpdate, OrderUpdate]:
    """Two updates in the stead of one, at the same price; whole units stay whole if they can."""
    first, order = fill.quantity // 2 or fill.quantity / 2, update.order
    rest = fill.quantity - first
    before = order.filled_quantity - rest
    average = fill.price
    if before != first:
        known = order.filled_average_price or fill.price
        average = (known * order.filled_quantity - fill.price * rest) / before
    paid = None if fill.commission is None else fill.commission * first / fill.quantity
    id_of = [str(uuid5(_SPACE, f"{fill.execution_id} {half}")) for half in (1, 2)]
    earlier = replace(
        order,
        status="partially_filled",
        filled_quantity=before,
        filled_average_price=average,
    )
    left = None if paid is None or fill.commission is None else fill.commission - paid
    return (
        OrderUpdate(earlier, replace(fill, execution_id=id_of[0], quantity=first, commission=paid)),
        OrderUpdate(order, replace(fill, execution_id=id_of[1], quantity=rest, commission=left)),
    )
