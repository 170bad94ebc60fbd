"""The book's orders in the house's words."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from brokers.orders import OrderType, Role
from brokers.wire.ibkr_book import NONE, OVER, SIDES, Book, Entry, number
from brokers.wire.ibkr_orders import UNSET
from brokers.wire.transport import ENDED, OrderStatus, VenueFill, VenueOrder

_TYPES: dict[str, OrderType] = {
    "MKT": "market",
    "MOC": "market_on_close",
    "LMT": "limit",
    "LOC": "limit",
    "STP": "stop",
    "STP LMT": "stop_limit",
    "TRAIL": "trailing_stop",
    "TRAIL LIMIT": "trailing_stop_limit",
}
_LIMITS = ("LMT", "LOC", "STP LMT")


class View:
    """Reads a book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def heads(self) -> Iterator[Entry]:
        """Orders that are nobody's leg, oldest first."""
        return (
            entry for entry in self._book.entries if entry.perm_id and self._head(entry) is None
        )

    def fills(self) -> list[VenueFill]:
        """Every execution, oldest first."""
        homes = [entry.executions for entry in self._book.entries] + list(self._book.early.values())
        found = [it.fill for home in homes for it in home.values()]
        return sorted(found, key=lambda fill: (fill.filled_at, fill.execution_id))

    def shown(self, entry: Entry, ref: str = "") -> VenueOrder:
        """An order as the house has it, legs inside.

        Args:
            ref: a name that it had before; empty: the one it has now.
        """
        name = ref or entry.ref
        place = entry.refs.index(name)
        is_last = place == len(entry.refs) - 1
        fills = [it.fill for it in entry.executions.values() if it.ref == name]
        units = sum((fill.quantity for fill in fills), NONE)
        spent = sum((fill.quantity * fill.price for fill in fills), NONE)
        earlier = entry.executed - units if is_last else NONE
        seen = max(entry.filled - earlier, units) if is_last else units
        order, is_head = entry.order, self._head(entry) is None
        return VenueOrder(
            venue_order_id=entry.venue_id(name),
            client_order_id=name,
            symbol=self._book.symbol(entry.contract),
            side=SIDES[order.action],
            quantity=entry.quantity - earlier,
            order_type=_TYPES.get(order.orderType, "market"),
            status=self._status(entry) if is_last else "replaced",
            filled_quantity=seen,
            updated_at=entry.updated_at,
            filled_average_price=spent / units if units else (entry.average if seen else None),
            limit_price=_price(order.lmtPrice) if order.orderType in _LIMITS else None,
            stop_price=_price(order.auxPrice) if order.orderType.startswith("STP") else None,
            role=None if is_head else _role(order.orderType),
            replaces=entry.venue_id(entry.refs[place - 1]) if place else None,
            replaced_by=None if is_last else entry.venue_id(entry.refs[place + 1]),
            legs=tuple(self.shown(leg) for leg in self._legs(entry)) if is_head else (),
            reason=entry.reason,
        )

    def _status(self, entry: Entry) -> OrderStatus:
        if entry.is_rejected:
            return "rejected"
        if entry.is_filled:
            return "filled"
        if entry.word in OVER:
            return "canceled"
        if entry.executed or entry.filled:
            return "partially_filled"
        return self._resting(entry)

    def _resting(self, entry: Entry) -> OrderStatus:
        """The state of an order of which nothing has filled."""
        if entry.word in ("Submitted", "PendingCancel"):
            return "new"
        if entry.word != "PreSubmitted":
            return "pending"
        head = self._head(entry)
        if head is not None and entry.parent_id + entry.parent_perm_id and not head.is_filled:
            return "held"
        is_simulated = entry.order.orderType.startswith(("STP", "TRAIL"))
        return "new" if is_simulated else "pending"

    def _head(self, entry: Entry) -> Entry | None:
        """The entry that a leg belongs to; None: it is no leg."""
        if entry.parent_perm_id:
            return self._book.known(str(entry.parent_perm_id))
        if entry.parent_id:
            return self._book.at(entry.client_id, entry.parent_id)
        group = entry.order.ocaGroup
        head = self._book.find(group) if group else None
        return None if head is entry else head

    def _legs(self, head: Entry) -> list[Entry]:
        """Legs that IB has told of; before, they have no id."""
        beside = [it for it in self._book.entries if it.contract.symbol == head.contract.symbol]
        return [it for it in beside if it.perm_id and self._head(it) is head]


def is_ended(order: VenueOrder) -> bool:
    """Whether order and legs have all ended."""
    return all(member.status in ENDED for member in (order, *order.legs))


def latest(order: VenueOrder) -> datetime:
    """When order or legs changed last."""
    return max(member.updated_at for member in (order, *order.legs))


def _role(order_type: str) -> Role:
    return "take_profit" if order_type == "LMT" else "stop_loss"


def _price(value: float) -> Decimal | None:
    return None if value > UNSET else number(value)
