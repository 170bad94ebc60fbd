"""The TWS API's messages about orders and executions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Protocol

from brokers.errors import VenueRefused
from brokers.wire.transport import ENDED, VenueFill, VenueOrder
from live.paper import tws_words
from live.paper.faults import Kind
from live.paper.tws_forms import Ask, BadOrder, ask, change, family, is_name
from live.paper.tws_wire import Field
from live.paper.tws_words import Listing, Shown
from live.paper.venue import Told, Venue

FIRST_PERM_ID = 900_001
REJECTED, CANCELED, ALIEN, ENDED_ALREADY, NOT_NOW = 201, 202, 10147, 10148, 161
UNKNOWN_SYMBOL, DUPLICATE, CANNOT_MODIFY, MODIFY_FAILED = 200, 103, 104, 329
HELD, REJECTED_AS_PLANNED = 399, "the plan wants it"
_AT_FILLS: tuple[Kind, ...] = ("status_first", "late_commission")
_NONE = Decimal(0)
Later = Callable[[float, Callable[[], object]], None]


class Client(Protocol):
    """One connected client."""

    @property
    def client_id(self) -> int:
        """The number that it gave itself."""

    @property
    def version(self) -> int:
        """Of the protocol."""

    def send(self, *fields: Field) -> None:
        """Send one message."""

    def error(self, request_id: int | str, code: int, text: str) -> None:
        """Send an error, or what the API calls one."""


@dataclass(slots=True)
class Placed:
    """One order as the gateway keeps it, through all its modifications.

    Args:
        names: of the venue's orders that worked for it, the present one last.
    """

    client_id: int
    perm_id: int
    ask: Ask
    listing: Listing
    names: list[str] = field(default_factory=list)
    is_sent: bool = False
    is_withdrawn: bool = False
    is_of_before: bool = False  # the gateway's last restart

    def is_meant(self, ref: str) -> bool:
        """Whether one who names this reference, under its id, means this order."""
        return not self.is_of_before or self.ask.ref in ref.split("/")


class Orders:
    """Orders of all clients; what happens to them goes to the client that placed them."""

    def __init__(
        self, venue: Venue, listings: dict[str, Listing], account: str, later: Later
    ) -> None:
        self._venue = venue
        self._later = later
        self._listings = listings
        self._account = account
        self._placed: dict[tuple[int, int], Placed] = {}
        self._by_name: dict[str, Placed] = {}
        self._perm_ids = count(FIRST_PERM_ID)
        self.last_order_id = 0

    async def place(self, client: Client, fields: list[str]) -> None:
        """Message 3, placeOrder: a new order, or new terms for one that is known."""
        wanted: Ask | None = None
        try:
            wanted = ask(fields, client.version)
            listing = self._listings.get(wanted.symbol)
            if listing is None:
                text = "No security definition has been found for the request"
                client.error(wanted.order_id, UNKNOWN_SYMBOL, text)
            elif known := self._placed.get((client.client_id, wanted.order_id)):
                if known.is_meant(wanted.ref):
                    await self._modify(client, known, wanted)
                else:
                    client.error(wanted.order_id, DUPLICATE, "Duplicate order id")
            else:
                await self._take(client, wanted, listing)
        except (BadOrder, VenueRefused) as refused:
            text = refused.text if isinstance(refused, VenueRefused) else str(refused)
            order_id = fields[1] if wanted is None else wanted.order_id
            client.error(order_id, REJECTED, f"Order rejected - reason:{text}")

    def begin_anew(self) -> None:
        """Give order ids from the beginning; those of before may be given again."""
        self.last_order_id = 0
        for known in self._placed.values():
            known.is_of_before = True

    async def cancel(self, client: Client, fields: list[str]) -> None:
        """Message 4, cancelOrder."""
        order_id = int(fields[2])
        known = self._placed.get((client.client_id, order_id))
        if known is None:
            client.error(
                order_id, ALIEN, f"OrderId {order_id} that needs to be cancelled is not found."
            )
        elif not known.is_sent:
            known.is_withdrawn = True
            client.send(*tws_words.order_status(self.shown(known)))
            client.error(order_id, CANCELED, "Order Canceled - reason:")
        else:
            await self._cancel_sent(client, known)

    async def cancel_all(self, client: Client, _fields: list[str]) -> None:
        """Message 58, reqGlobalCancel: of every client's orders."""
        for known in self._open():
            await self._cancel_sent(client, known)

    def tell_open(self, client: Client, _fields: list[str]) -> None:
        """Message 5, reqOpenOrders: of this client."""
        self._tell_open(client, [it for it in self._open() if it.client_id == client.client_id])

    def tell_all_open(self, client: Client, _fields: list[str]) -> None:
        """Message 16, reqAllOpenOrders."""
        self._tell_open(client, list(self._open()))

    def tell_completed(self, client: Client, _fields: list[str]) -> None:
        """Message 99, reqCompletedOrders."""
        for known in self._placed.values():
            if known.is_sent and self._tip(known).status in ENDED:
                client.send(*tws_words.completed_order(self.shown(known), client.version))
        client.send(102)

    def tell_executions(self, client: Client, fields: list[str]) -> None:
        """Message 7, reqExecutions: of this client; client 0 is told of all."""
        for number, update in enumerate(self._venue.executions):
            known = self._by_name.get(update.order.client_order_id)
            if known and update.fill and client.client_id in (0, known.client_id):
                order, fill = update.order, update.fill
                exec_id = self._tell_execution(client, known, order, fill, number, fields[2])
                client.send(*tws_words.commission(fill, exec_id))
        client.send(55, 1, fields[2])

    def deliver(self, told: Told, clients: dict[int, Client]) -> bool:
        """Pass on what happened; False when its client is not there."""
        order, fill = told.update.order, told.update.fill
        known = self._by_name.get(order.client_order_id)
        client = clients.get(known.client_id) if known else None
        if known is None or client is None:
            return False
        if order.status == "replaced":
            return True
        fault = self._venue.trouble.at("execution", *_AT_FILLS) if fill else None
        kind = fault.kind if fault else ""
        if kind == "status_first":
            self._tell_state(client, known, order)
        if fill is not None:
            executions = self._venue.executions
            number = next(n for n, it in enumerate(executions) if it.fill == fill)
            exec_id = self._tell_execution(client, known, order, fill, number, "-1")
            tell_cost = partial(client.send, *tws_words.commission(fill, exec_id))
            if fault and kind == "late_commission":
                self._later(fault.wait_s, tell_cost)
            else:
                tell_cost()
        if kind != "status_first":
            self._tell_state(client, known, order)
        return True

    def shown(self, known: Placed, order: VenueOrder | None = None) -> Shown:
        """How an order looks now, or looked when it was `order`."""
        filled = average = _NONE
        status, why, ended_at = "PreSubmitted", "", None
        if known.is_sent:
            tip = order or self._tip(known)
            filled, average = self._totals(known, tip)
            why = "child" if tip.status == "held" else ""
            status = tws_words.STATUS[tip.status]
            if tip.status == "new" and known.ask.order_type.startswith(("STP", "TRAIL")):
                status = "PreSubmitted"
            ended_at = tip.updated_at if tip.status in ENDED else None
        elif known.is_withdrawn:
            status = "Cancelled"
        parent = self._placed.get((known.client_id, known.ask.parent_id))
        return Shown(
            client_id=known.client_id,
            perm_id=known.perm_id,
            ask=known.ask,
            listing=known.listing,
            status=status,
            filled=filled,
            average=average,
            last=average,
            account=self._account,
            why_held=why,
            parent_perm_id=parent.perm_id if parent else 0,
            ended_at=ended_at,
        )

    async def _take(self, client: Client, wanted: Ask, listing: Listing) -> None:
        known = Placed(client.client_id, next(self._perm_ids), wanted, listing)
        self._placed[client.client_id, wanted.order_id] = known
        self.last_order_id = max(self.last_order_id, wanted.order_id)
        if not wanted.transmits:
            return
        head, children = self._family(known)
        fault = self._venue.trouble.at("order", "held", "reject")
        try:
            if fault and fault.kind == "reject":
                raise BadOrder(REJECTED_AS_PLANNED)
            await self._send(head, children)
        except (BadOrder, VenueRefused):
            for member in (head, *children):
                del self._placed[member.client_id, member.ask.order_id]
            raise
        if fault:
            self._tell_held(client, head)
        for member in (head, *children):
            self._tell_state(client, member, self._tip(member))

    async def _send(self, head: Placed, children: list[Placed]) -> None:
        names = {}
        for member in (head, *children):
            names[member.ask.order_id] = self._name(member, member.ask.ref)
        schema = family(head.ask, [it.ask for it in children], names, self._partner(head))
        for member in (head, *children):
            member.is_sent = True
        await self._venue.submit(schema)

    def _family(self, known: Placed) -> tuple[Placed, list[Placed]]:
        """The order that was transmitted last, with all that waited for it."""
        parent = known.ask.parent_id
        if not parent:
            return known, []
        head = self._placed.get((known.client_id, parent))
        if head is None or head.is_sent or head.is_withdrawn:
            del self._placed[known.client_id, known.ask.order_id]
            raise BadOrder("its parent has been transmitted, or is unknown")
        children = [
            it
            for it in self._placed.values()
            if it.client_id == known.client_id and it.ask.parent_id == parent and not it.is_sent
        ]
        return head, sorted(children, key=lambda it: it.ask.order_id)

    def _partner(self, known: Placed) -> str:
        """The venue's name for one that is at work in the same OCA group."""
        group = known.ask.oca_group
        for other in self._open() if group else ():
            if other.ask.oca_group == group and other is not known and not other.ask.parent_id:
                return other.names[-1]
        return ""

    async def _modify(self, client: Client, known: Placed, wanted: Ask) -> None:
        tip = self._tip(known) if known.is_sent else None
        if tip is None or tip.status in ENDED:
            client.error(wanted.order_id, CANNOT_MODIFY, "Cannot modify a filled order.")
            return
        before, _ = self._totals(known, tip)
        terms = change(known.ask, wanted, before)
        name = self._name(known, wanted.ref)
        try:
            await self._venue.replace(self._venue.tickets[tip.venue_order_id], terms, name)
        except VenueRefused as refused:
            known.names.remove(name)
            client.error(wanted.order_id, MODIFY_FAILED, f"Order modify failed. {refused.text}")
            return
        known.ask = wanted
        self._tell_state(client, known, self._tip(known))

    async def _cancel_sent(self, client: Client, known: Placed) -> None:
        order_id, tip = known.ask.order_id, self._tip(known)
        if tip.status in ENDED:
            text = f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: "
            client.error(order_id, ENDED_ALREADY, f"{text}{tws_words.STATUS[tip.status]}.")
            return
        try:
            await self._venue.cancel(tip.venue_order_id)
        except VenueRefused as refused:
            text = f"Cancel attempted when order is not in a cancellable state: {refused.text}"
            client.error(order_id, NOT_NOW, text)

    def _tell_state(self, client: Client, known: Placed, order: VenueOrder) -> None:
        it = self.shown(known, order)
        if order.status == "rejected":
            text = f"Order rejected - reason:{order.reason}"
            client.error(it.ask.order_id, REJECTED, text)
        client.send(*tws_words.open_order(it, client.version))
        client.send(*tws_words.order_status(it))
        if order.status in ("canceled", "expired"):
            client.error(it.ask.order_id, CANCELED, "Order Canceled - reason:")

    def _tell_held(self, client: Client, known: Placed) -> None:
        it = replace(self.shown(known, self._tip(known)), status="PreSubmitted")
        client.send(*tws_words.open_order(it, client.version))
        client.send(*tws_words.order_status(it))
        text = (
            "Order Message:\nWarning: your order will not be placed at the exchange until the open."
        )
        client.error(it.ask.order_id, HELD, text)

    def _tell_execution(
        self,
        client: Client,
        known: Placed,
        order: VenueOrder,
        fill: VenueFill,
        number: int,
        request_id: str,
    ) -> str:
        exec_id = f"0000e0d5.{number:08x}.01.01"
        totals = self._totals(known, order)
        words = tws_words.execution(self.shown(known, order), fill, exec_id, totals, client.version)
        client.send(11, request_id, *words)
        return exec_id

    def _tell_open(self, client: Client, orders: list[Placed]) -> None:
        for known in orders:
            it = self.shown(known)
            client.send(*tws_words.open_order(it, client.version))
            client.send(*tws_words.order_status(it))
        client.send(53, 1)

    def _open(self) -> Iterator[Placed]:
        for known in tuple(self._placed.values()):
            if known.is_sent and self._tip(known).status not in ENDED:
                yield known

    def _name(self, known: Placed, ref: str) -> str:
        """A name for the venue: the client's own, if it can be one and is free."""
        is_free = is_name(ref) and self._venue.matching.find(ref) is None
        is_free = is_free and ref not in self._by_name
        name = ref if is_free else self._venue.next_id()
        self._by_name[name] = known
        known.names.append(name)
        return name

    def _tip(self, known: Placed) -> VenueOrder:
        return self._order(known.names[-1])

    def _order(self, name: str) -> VenueOrder:
        order = self._venue.matching.find(name)
        if order is None:
            raise LookupError(name)
        return order

    def _totals(self, known: Placed, tip: VenueOrder) -> tuple[Decimal, Decimal]:
        """Units filled under all names up to that of `tip`, and their average price."""
        parts = []
        for name in known.names:
            order = tip if name == tip.client_order_id else self._order(name)
            parts.append((order.filled_quantity, order.filled_average_price or _NONE))
            if name == tip.client_order_id:
                break
        units = sum((part for part, _ in parts), _NONE)
        spent = sum((part * price for part, price in parts), _NONE)
        return units, spent / units if units else _NONE
