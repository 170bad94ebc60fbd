"""What an order's owner asked for, kept beside what the matching engine tells of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from brokers.orders import OrderClass, OrderSchema, Terms
from brokers.wire.transport import Replacement, VenueOrder


@dataclass(frozen=True, slots=True)
class Ticket:
    """One order's terms as they were asked for.

    Args:
        terms: of the entry, or of one leg.
        created_at: when it came, aware UTC.
        parent_id: the venue's id of the leg's entry; None for an entry or a single order.
        notional: money asked for instead of units.
    """

    venue_order_id: str
    terms: Terms
    symbol: str
    order_class: OrderClass
    extended_hours: bool
    created_at: datetime
    parent_id: str | None = None
    notional: Decimal | None = None


class Tickets:
    """Every order that the venue ever took, in the order in which they came."""

    def __init__(self) -> None:
        self._by_id: dict[str, Ticket] = {}

    def __getitem__(self, venue_order_id: str) -> Ticket:
        return self._by_id[venue_order_id]

    def __iter__(self) -> Iterator[Ticket]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def add(
        self, schema: OrderSchema, order: VenueOrder, at: datetime, notional: Decimal | None = None
    ) -> None:
        """Note an accepted order and its legs."""
        entry = Ticket(
            order.venue_order_id,
            schema,
            schema.symbol,
            schema.order_class,
            schema.extended_hours,
            at,
            notional=notional,
        )
        self._by_id[entry.venue_order_id] = entry
        terms = {leg.role: leg for leg in schema.legs}
        for leg in order.legs:
            if leg.role is not None:
                self._by_id[leg.venue_order_id] = replace(
                    entry,
                    venue_order_id=leg.venue_order_id,
                    terms=terms[leg.role],
                    parent_id=entry.venue_order_id,
                    notional=None,
                )

    def replaced(
        self,
        old: Ticket,
        order: VenueOrder,
        change: Replacement,
        at: datetime,
    ) -> None:
        """Note the order that works in the stead of `old`; legs follow their entry."""
        terms = changed(old.terms, order.client_order_id, change)
        self._by_id[order.venue_order_id] = replace(
            old, venue_order_id=order.venue_order_id, terms=terms, created_at=at
        )
        for ticket in tuple(self._by_id.values()):
            if ticket.parent_id == old.venue_order_id:
                self._by_id[ticket.venue_order_id] = replace(ticket, parent_id=order.venue_order_id)


def changed(terms: Terms, client_order_id: str, change: Replacement) -> Terms:
    """The terms after a replacement; what it leaves open stays."""
    wanted = {
        "client_order_id": client_order_id,
        "quantity": change.quantity,
        "limit_price": change.limit_price,
        "stop_price": change.stop_price,
        "trail_amount" if terms.trail_frac is None else "trail_frac": change.trail,
    }
    return terms.model_copy(update={k: v for k, v in wanted.items() if v is not None})
