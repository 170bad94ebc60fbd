"""Orders as IB counts them: one number for each, through all its modifications."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from brokers.wire.transport import ENDED, VenueOrder
from live.paper.tws_forms import Ask, is_name
from live.paper.tws_words import Listing
from live.paper.venue import Venue

FIRST_ORDER_ID = 1_001
_NONE = Decimal(0)


@dataclass(slots=True, eq=False)
class Placed:
    """One order.

    Args:
        names: of the venue's orders that worked for it, the present one last.
    """

    ask: Ask
    listing: Listing
    placed_at: datetime
    names: list[str] = field(default_factory=list)

    @property
    def order_id(self) -> int:
        """IB's."""
        return self.ask.order_id


class Book:
    """Every order that was ever taken."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._placed: dict[int, Placed] = {}
        self._by_name: dict[str, Placed] = {}
        self._refs: set[str] = set()
        self._next_id = FIRST_ORDER_ID

    def __iter__(self) -> Iterator[Placed]:
        return iter(tuple(self._placed.values()))

    def reserve(self, count: int) -> int:
        """Set numbers aside for so many orders; the first of them."""
        first, self._next_id = self._next_id, self._next_id + count
        return first

    def has_ref(self, ref: str) -> bool:
        """Whether a client's name has been used."""
        return ref in self._refs

    def get(self, order_id: int) -> Placed | None:
        """The order with this number."""
        return self._placed.get(order_id)

    def of(self, client_order_id: str) -> Placed | None:
        """The order that one of the venue's works for."""
        return self._by_name.get(client_order_id)

    def add(self, ask: Ask, listing: Listing) -> Placed:
        """Enter an order, with a name for the venue."""
        known = self._placed[ask.order_id] = Placed(ask, listing, self._venue.at)
        self.rename(known, ask.ref)
        return known

    def remove(self, known: Placed) -> None:
        """Forget an order that the venue would not have."""
        del self._placed[known.order_id]
        self._refs.discard(known.ask.ref)
        for name in known.names:
            del self._by_name[name]

    def rename(self, known: Placed, ref: str) -> str:
        """Give an order its next name: the client's own, if it can be one and is free."""
        is_free = is_name(ref) and self._venue.matching.find(ref) is None
        name = ref if is_free and ref not in self._by_name else self._venue.next_id()
        self._by_name[name] = known
        self._refs.add(ref)
        known.names.append(name)
        return name

    def drop_name(self, known: Placed) -> None:
        """Take the last name back; the venue would not have the change."""
        del self._by_name[known.names.pop()]

    def tip(self, known: Placed) -> VenueOrder:
        """The venue's order that works for it now."""
        return self._order(known.names[-1])

    def is_open(self, known: Placed) -> bool:
        """Whether anything may still come of it."""
        return self.tip(known).status not in ENDED

    def totals(self, known: Placed, tip: VenueOrder) -> tuple[Decimal, Decimal]:
        """Units filled under all names up to that of `tip`, and their average price."""
        units = spent = _NONE
        earlier = known.names[: known.names.index(tip.client_order_id)]
        for order in (*map(self._order, earlier), tip):
            units += order.filled_quantity
            spent += order.filled_quantity * (order.filled_average_price or _NONE)
        return units, spent / units if units else _NONE

    def _order(self, name: str) -> VenueOrder:
        order = self._venue.matching.find(name)
        if order is None:
            raise LookupError(name)
        return order
