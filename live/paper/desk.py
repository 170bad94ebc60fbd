"""What the paper venue knows: orders, executions and the ledger, for its rules to read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from brokers.situation import Surroundings
from brokers.wire.transport import VenueFill, VenueOrder
from live.paper.ledger import Ledger
from live.paper.working import Working


@dataclass(slots=True)
class Desk:
    """Everything in the account's life, oldest first; nothing is ever forgotten."""

    ledger: Ledger
    orders: dict[str, Working] = field(default_factory=dict)
    by_client_order_id: dict[str, Working] = field(default_factory=dict)
    families: dict[str, list[Working]] = field(default_factory=dict)
    fills: list[VenueFill] = field(default_factory=list)
    alive: dict[str, Working] = field(default_factory=dict)

    def add(self, order: Working) -> None:
        """Take a new order in."""
        self.orders[order.venue_order_id] = order
        self.by_client_order_id[order.terms.client_order_id] = order
        self.families.setdefault(order.root, []).append(order)
        self.alive[order.venue_order_id] = order

    def settle(self, order: Working) -> None:
        """Note that its state changed."""
        if not order.is_alive:
            self.alive.pop(order.venue_order_id, None)

    def surroundings(self, without: str = "") -> Surroundings:
        """The account as its rules look at it.

        Args:
            without: root of a family to leave out, of which one order is to be replaced.
        """
        ledger = self.ledger
        awake = [o for o in self.alive.values() if not o.is_asleep and o.root != without]
        return Surroundings(
            cash=ledger.cash,
            value=ledger.value,
            held={symbol: held.size for symbol, held in ledger.positions.items()},
            closes=ledger.closes,
            resting=tuple(order.resting for order in awake),
        )

    def tell(self, order: Working) -> VenueOrder:
        """The order as the venue tells of it, an entry with its legs."""
        legs: Iterable[Working] = ()
        if order.role is None and order.replaced_by is None:
            legs = (leg for leg in self.families[order.root] if leg.role is not None)
        return order.snapshot(tuple(leg.snapshot() for leg in legs))
