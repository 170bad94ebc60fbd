"""What any venue's wire does: values in, values out. `wire/alpaca.py` is one, tests have another.

A transport knows nothing of retries, limits or breakers (`resilient.py` puts those round it), of
Backtrader, or of what was known before (the blotter does). Its errors are those of
`brokers.errors`: `OrderRefused` is the venue's verdict, `Transient` surely not accepted, `Unknown`
perhaps accepted. A read that fails raises; it never answers with nothing.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from brokers.orders import OrderSchema, OrderType, Role, Side

OrderStatus = Literal[
    "pending",  # received, not yet working; also a market order queued for the next open
    "held",  # a leg that sleeps until its entry has filled
    "new",  # working
    "partially_filled",
    "filled",
    "canceled",
    "expired",
    "rejected",
    "replaced",  # another order, `replaced_by`, works in its stead
]
ENDED: frozenset[OrderStatus] = frozenset(("filled", "canceled", "expired", "rejected", "replaced"))


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order as the venue has it; quantities are unsigned units, instants aware UTC.

    Args:
        venue_order_id: the venue's own id, another one after a replacement.
        client_order_id: ours; for a leg whatever the venue gave it.
        filled_quantity: cumulative.
        filled_average_price: None while nothing has filled.
        role: of a leg; None for an entry or a single order.
        replaces: the venue's id of the order that this one works in the stead of.
        reason: the venue's words for a rejection.
    """

    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    status: OrderStatus
    filled_quantity: Decimal
    updated_at: datetime
    filled_average_price: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    role: Role | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    legs: tuple["VenueOrder", ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One execution; `execution_id` is the venue's and unique in the account's life."""

    execution_id: str
    venue_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    filled_at: datetime
    commission: Decimal | None = None


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """Units held, negative when short, and their average price."""

    symbol: str
    quantity: Decimal
    average_price: Decimal


@dataclass(frozen=True, slots=True)
class VenueAccount:
    """The account in its currency; `blocked` says in the venue's words why it cannot trade."""

    account_id: str
    cash: Decimal
    equity: Decimal
    buying_power: Decimal
    currency: str = "USD"
    blocked: str = ""


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """The venue said something about an order; `fill` when something was executed."""

    order: VenueOrder
    fill: VenueFill | None = None


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The stream of updates is up (again); what happened before may have been missed."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a working order is to become; None leaves a term as it is."""

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None


class Transport(Protocol):
    """A connection to one account at one venue."""

    async def submit(self, order: OrderSchema) -> VenueOrder:
        """Send an order or a family, once it is `cleared`; legs are in the answer.

        Raises:
            SchemaRefused: the venue has no such order, or it must not leave; nothing was sent.
            VenueRefused: the venue's verdict.
            Transient: surely not accepted.
            Unknown: perhaps accepted.
        """

    async def cancel(self, venue_order_id: str) -> None:
        """Ask for a cancel; the outcome comes as an update. An order that has ended is no error."""

    async def replace(
        self, venue_order_id: str, client_order_id: str, terms: Replacement
    ) -> VenueOrder:
        """Put another order, with an id of its own, in the stead of a working one."""

    async def find(self, client_order_id: str) -> VenueOrder | None:
        """The order with this id, whatever became of it; None: the venue never accepted one."""

    async def orders_since(self, since: datetime) -> Sequence[VenueOrder]:
        """Open orders, and those that ended after `since`; legs inside their entries."""

    async def fills_since(self, since: datetime) -> Sequence[VenueFill]:
        """Executions after `since`, oldest first."""

    async def account(self) -> VenueAccount:
        """Cash, equity, buying power."""

    async def positions(self) -> Sequence[VenuePosition]:
        """Every position that is not flat."""

    def updates(self) -> AsyncIterator[OrderUpdate | Reconnected]:
        """Updates as they come; `Reconnected` first, and again after every interruption."""

    async def close(self) -> None:
        """End the connection; harmless when it has ended."""


@dataclass(frozen=True, slots=True)
class VenueBar:
    """One finished bar, prices and volume as floats; `start_at` aware UTC, as vendors stamp it."""

    symbol: str
    start_at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_correction: bool = False


class BarSource(Protocol):
    """Bars of one data feed, past and live."""

    async def history(
        self, symbols: Sequence[str], start: datetime, end: datetime, timeframe: str
    ) -> dict[str, tuple[VenueBar, ...]]:
        """Finished bars that start in [start, end), oldest first; every symbol has an entry."""

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[VenueBar | Reconnected]:
        """Minute bars as they finish, corrections marked; `Reconnected` as in `Transport`."""

    async def close(self) -> None:
        """End the connection; harmless when it has ended."""
