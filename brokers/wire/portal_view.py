"""The book's orders in the house's words."""

from collections.abc import Iterator
from decimal import Decimal

from brokers.orders import OrderType, Role
from brokers.wire.portal_book import NONE, PortalBook, PortalEntry
from brokers.wire.transport import OrderStatus, VenueFill, VenueOrder


class PortalView:
    """Reads a book."""

    def __init__(self, book: PortalBook) -> None:
        self._book = book

    def heads(self) -> Iterator[PortalEntry]:
        """Orders that are nobody's leg, oldest first."""
        return (entry for entry in self._book.entries if self._head(entry) is None)

    def fills(self) -> list[VenueFill]:
        """Every execution, oldest first."""
        found = [it.trade.fill for entry in self._book.entries for it in entry.executions.values()]
        found += [trade.fill for trade in self._book.early()]
        return sorted(found, key=lambda fill: (fill.filled_at, fill.execution_id))

    def shown(self, entry: PortalEntry, ref: str = "") -> VenueOrder:
        """An order as the house has it, legs inside.

        Args:
            ref: a name that it had before; empty: the one it has now.
        """
        name = ref or entry.ref
        place = entry.refs.index(name)
        is_last = place == len(entry.refs) - 1
        fills = [it.trade.fill for it in entry.executions.values() if it.trade.ref == name]
        units = sum((fill.quantity for fill in fills), NONE)
        spent = sum((fill.quantity * fill.price for fill in fills), NONE)
        earlier = entry.executed - units if is_last else NONE
        seen = max(entry.filled - earlier, units) if is_last else units
        is_head = self._head(entry) is None
        return VenueOrder(
            venue_order_id=entry.venue_id(name),
            client_order_id=name,
            symbol=entry.symbol,
            side=entry.side,
            quantity=entry.quantity - earlier,
            order_type=entry.order_type,
            status=self._status(entry) if is_last else "replaced",
            filled_quantity=seen,
            updated_at=entry.updated_at,
            filled_average_price=_average(units, spent, entry.average if seen else None),
            limit_price=entry.limit_price,
            stop_price=entry.stop_price,
            role=None if is_head else _role(entry.order_type),
            replaces=entry.venue_id(entry.refs[place - 1]) if place else None,
            replaced_by=None if is_last else entry.venue_id(entry.refs[place + 1]),
            legs=tuple(self.shown(leg) for leg in self._legs(entry)) if is_head else (),
            reason=entry.reason,
        )

    def _status(self, entry: PortalEntry) -> OrderStatus:
        if entry.is_filled:
            return "filled"
        if entry.word == "Inactive":
            return "rejected"
        if entry.word in ("Cancelled", "ApiCancelled"):
            return "canceled"
        if entry.executed or entry.filled:
            return "partially_filled"
        return self._resting(entry)

    def _resting(self, entry: PortalEntry) -> OrderStatus:
        """The state of an order of which nothing has filled."""
        if entry.word in ("Submitted", "PendingCancel"):
            return "new"
        if entry.word != "PreSubmitted":
            return "pending"
        head = self._head(entry)
        if head is not None and entry.parent and not head.is_filled:
            return "held"
        is_simulated = entry.order_type in ("stop", "stop_limit", "trailing_stop")
        return "new" if is_simulated else "pending"

    def _head(self, entry: PortalEntry) -> PortalEntry | None:
        """The entry that a leg belongs to; None: it is no leg. Of two exits the limit is first."""
        if entry.parent:
            return self._book.known(entry.parent) or self._book.find(entry.parent)
        if not entry.group or entry.order_type == "limit":
            return None
        return next(
            (
                it
                for it in self._book.entries
                if it.group == entry.group and it.order_type == "limit" and not it.parent
            ),
            None,
        )

    def _legs(self, head: PortalEntry) -> list[PortalEntry]:
        return [entry for entry in self._book.entries if self._head(entry) is head]


def _average(units: Decimal, spent: Decimal, told: Decimal | None) -> Decimal | None:
    return spent / units if units else told


def _role(kind: OrderType) -> Role:
    return "take_profit" if kind == "limit" else "stop_loss"
