"""One order as the paper venue holds it, from its arrival to its end."""

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from brokers import fills
from brokers.fills import Slippage
from brokers.orders import OrderSchema, OrderType, Role, Terms
from brokers.situation import Resting
from brokers.wire.transport import ENDED, OrderStatus, VenueOrder
from live.paper.ledger import Seen

KINDS: dict[OrderType, int] = {
    "market": fills.MARKET,
    "market_on_close": fills.MARKET_ON_CLOSE,
    "limit": fills.LIMIT,
    "stop": fills.STOP,
    "stop_limit": fills.STOP_LIMIT,
    "trailing_stop": fills.TRAILING_STOP,
    "trailing_stop_limit": fills.TRAILING_STOP_LIMIT,
}
TRAILING = (fills.TRAILING_STOP, fills.TRAILING_STOP_LIMIT)


class Ends(NamedTuple):
    """When an order has to end, in seconds since 1970.

    Args:
        lapses_at: the last instant at which it works; NaN: for ever.
        session_end: of the session that it was created in.
        has_one_chance: what the first bar it is tried on leaves unfilled is cancelled.
    """

    lapses_at: float
    session_end: float
    has_one_chance: bool = False


@dataclass(slots=True, eq=False)
class Working:
    """An order with the prices that Backtrader would give it.

    Args:
        terms: its own; after a replacement not those of `order`.
        order: what was submitted: for a leg its family's.
        root: the venue's first id of the family's head; its own for a single order.
        is_head: an entry or a single order; the others leave with each other.
        created: the symbol's newest bar when the order came.
        executed: signed units, summed as BackBroker sums them.
        price: average of what was executed.
    """

    terms: Terms
    order: OrderSchema
    venue_order_id: str
    root: str
    created: Seen
    ends: Ends
    received_at: datetime
    updated_at: datetime
    role: Role | None = None
    is_head: bool = True
    is_active: bool = True
    quantity: Decimal = Decimal(0)
    status: OrderStatus = "pending"
    kind: int = fills.MARKET
    stop: float = math.nan
    limit: float = math.nan
    offset: float = 0.0
    is_triggered: bool = False
    noted: float = math.nan
    filled: Decimal = Decimal(0)
    executed: float = 0.0
    price: float = 0.0
    replaces: str | None = None
    replaced_by: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        terms, close = self.terms, self.created.bar.close
        self.quantity = terms.quantity
        self.kind = KINDS[terms.order_type]
        if self.kind == fills.MARKET and terms.time_in_force == "cls":
            self.kind = fills.MARKET_ON_CLOSE
        limit, stop = terms.limit_price, terms.stop_price
        self.stop = close if (first := stop or limit) is None else float(first)
        self.limit = self.stop if limit is None else float(limit)
        if self.kind in TRAILING:
            self.offset = self.stop - self.limit
            asked, self.stop = self.stop, self.side * math.inf
            self._trail(asked)

    @property
    def symbol(self) -> str:
        """Of the instrument."""
        return self.order.symbol

    @property
    def side(self) -> int:
        """1 to buy, -1 to sell."""
        return 1 if self.terms.side == "buy" else -1

    @property
    def remaining(self) -> Decimal:
        """Units still to be filled."""
        return self.quantity - self.filled

    @property
    def is_alive(self) -> bool:
        """Whether anything may still come of it."""
        return self.status not in ENDED

    @property
    def is_asleep(self) -> bool:
        """Whether it is a leg whose entry has not filled."""
        return not self.is_active and self.status in ("pending", "held")

    @property
    def resting(self) -> Resting:
        """The order as the account's rules look at it."""
        terms = self.terms
        return Resting(
            order_id=self.venue_order_id,
            family=self.root,
            symbol=self.symbol,
            side=terms.side,
            order_type=terms.order_type,
            remaining=self.remaining,
            last=Decimal(repr(self.created.bar.close)),
            limit_price=terms.limit_price,
            stop_price=terms.stop_price,
        )

    @property
    def asked_price(self) -> float:
        """What BackBroker holds against the cash at submission."""
        return self.limit if self.kind == fills.LIMIT else self.stop

    def try_on(self, seen: Seen, slippage: Slippage) -> float:
        """Return the price at which the bar fills it, NaN for none, and remember what it saw."""
        if self.kind == fills.MARKET_ON_CLOSE:
            price, _ = fills.fill_close(
                seen.bar.close,
                self.noted,
                seen.at.timestamp(),
                self.created.at.timestamp(),
                self.ends.session_end,
            )
            if math.isnan(price):
                self.noted = seen.bar.close
            return price
        if self.kind == fills.MARKET and seen.at <= self.created.at:
            return math.nan
        price, self.is_triggered = fills.fill_order(
            self.kind,
            self.side,
            seen.bar,
            self.stop,
            self.limit,
            self.is_triggered,
            slippage,
        )
        return price

    def follow(self, close: float, was_triggered: bool) -> None:
        """Let a trailing stop that is still at work follow the close of the bar it was tried on."""
        if self.kind in TRAILING and not was_triggered and self.is_alive:
            self._trail(close)

    def add(self, size: float, price: float) -> None:
        """Count an execution of `size` signed units."""
        self.price = fills.average_price(self.executed, self.price, size, price)
        self.executed += size
        self.filled += Decimal(repr(abs(size)))
        self.status = "partially_filled" if self.remaining > 0 else "filled"

    def snapshot(self, legs: tuple[VenueOrder, ...] = ()) -> VenueOrder:
        """The order as the venue tells of it."""
        terms = self.terms
        return VenueOrder(
            venue_order_id=self.venue_order_id,
            client_order_id=terms.client_order_id,
            symbol=self.symbol,
            side=terms.side,
            quantity=self.quantity,
            order_type=terms.order_type,
            status=self.status,
            filled_quantity=self.filled,
            updated_at=self.updated_at,
            filled_average_price=Decimal(repr(self.price)) if self.filled else None,
            limit_price=terms.limit_price,
            stop_price=terms.stop_price,
            role=self.role,
            replaces=self.replaces,
            replaced_by=self.replaced_by,
            legs=legs,
            reason=self.reason,
        )

    def _trail(self, price: float) -> None:
        amount, frac = float(self.terms.trail_amount or 0), float(self.terms.trail_frac or 0)
        self.stop = fills.trail_stop(self.side, self.stop, price, amount, frac)
        self.limit = self.stop - self.offset
