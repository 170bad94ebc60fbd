"""What risk rules may know, read from a Backtrader broker without touching it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import backtrader as bt

from brokers.at_work import AtWork
from brokers.errors import RiskRefused, SchemaRefused
from brokers.events import Refusal
from brokers.exit_pair import exit_pair
from brokers.kept import kept
from brokers.orders import OrderSchema, OrderType, Side
from brokers.risk import Situation, growth
from brokers.ties import Ties
from brokers.translate import ORDER_TYPES, exact, seconds, symbol


@dataclass(frozen=True, slots=True)
class Resting:
    """An order that may fill from now on: a leg that sleeps is none.

    Args:
        order_id: whoever tells of it may name it as it likes.
        family: the same for orders of which one alone fills: an entry and its legs, two exits that
            cancel each other.
        remaining: units still to be filled.
        limit_price: of a trailing order None, and so is its stop price.
        last: the symbol's last price when it came.
    """

    order_id: str
    family: str
    symbol: str
    side: Side
    order_type: OrderType
    remaining: Decimal
    last: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The account as a venue sees it when an order comes.

    Args:
        value: cash and positions at the last closes.
        held: signed units by symbol; what is missing is flat.
        closes: the last price by symbol, of every symbol held at least.
    """

    cash: float
    value: float
    held: Mapping[str, float]
    closes: Mapping[str, float]
    resting: tuple[Resting, ...] = ()

    def on(self, symbol: str, side: Side) -> list[Resting]:
        """Orders at work in a symbol on one side, oldest first."""
        return [o for o in self.resting if (o.symbol, o.side) == (symbol, side)]

    def promised(self, symbol: str, side: Side) -> Decimal:
        """Units that orders at work may take."""
        return promised(self.on(symbol, side))


class AtVenue(Situation, Protocol):
    """What a venue's profile may ask about an order, beside what every rule may."""

    @property
    def surroundings(self) -> Surroundings:
        """All of the account, where a rule sees one symbol."""

    @property
    def promised(self) -> Decimal:
        """Units of the symbol that orders at work on the order's side may take."""

    @property
    def partner(self) -> OrderSchema | None:
        """The order that this one's `oco=` names, if it was decided in the same turn."""


class BrokerSituation:
    """One order's surroundings; see `brokers.risk.Situation` for units.

    Args:
        inner: the broker.
        data: the order's feed.
        order: the order as a schema.
        at_work: the orders that may still fill.
        now: the present in seconds since 1970 UTC.
        ties: what stands or falls together, and what was cancelled and has perhaps not ended: a
            new order waits for its end before it is sent.
        partner: the order that this one's `oco=` names, if it was decided in the same turn.
        group: the root of the orders that it is tied to by `oco=`: they do not stand beside it.
    """

    def __init__(
        self,
        inner: Any,
        data: Any,
        order: OrderSchema,
        at_work: AtWork,
        now: Callable[[], float],
        ties: Ties,
        partner: OrderSchema | None = None,
        group: int | None = None,
    ) -> None:
        self._inner = inner
        self._data = data
        self.order = order
        self._at_work = at_work
        self._now = now
        self._ties = ties
        self.partner = partner
        self._group = group

    @kept
    def quantity(self) -> float:
        """Signed units of the order."""
        return float(self.order.signed_quantity)

    @kept
    def price(self) -> float:
        """The price to value the order at: its limit, else its stop, else the last close."""
        reference = self.order.reference_price
        return self.last_price if reference is None else float(reference)

    @kept
    def growth(self) -> float:
        """Units by which |position| can grow when this and the orders at work fill."""
        return growth(self.position, self.working(self.order.side), self.quantity)

    @kept
    def equity(self) -> float:
        """Cash and positions at the last close."""
        return float(self._inner.getvalue())

    @property
    def gross_exposure(self) -> float:
        """Sum of |position| x last close, and of what entries at work may add."""
        positions = self._inner.positions
        sizes = {data: position.size for data, position in positions.items() if position.size}
        held = resting = 0.0
        for data in self._inner.cerebro.datas if sizes else ():
            if data in sizes and len(data.lines[0]):
                held += abs(float(sizes[data])) * data.lines.close[0]
        for order in self._ties.apart(self._beside(self._at_work.entries)):
            data, left = order.p.data, order.executed.remsize
            position = positions.get(data)
            if position is None or position.size * left >= 0:
                resting += abs(left) * data.lines.close[0]
        return float(held + resting)

    @kept
    def position(self) -> float:
        """Units held of the symbol, negative when short."""
        return units_held(self._inner, self._data)

    @property
    def last_price(self) -> float:
        """Close of the symbol's last bar."""
        return float(self._data.lines.close[0])

    @property
    def bar_at(self) -> float:
        """End of the symbol's last bar."""
        return seconds(self._data.lines.datetime[0])

    @kept
    def now(self) -> float:
        """The present instant."""
        return self._now()

    def working(self, side: Side) -> float:
        """Signed units that the symbol's orders at work, legs aside, may still fill on a side."""
        here = self._at_work.of(symbol(self._data))
        if not here:
            return 0.0
        sign = 1 if side == "buy" else -1
        beside = (
            order
            for order in self._beside(here)
            if order.parent is None and order.data is self._data and order.size * sign > 0
        )
        return float(sum(order.executed.remsize for order in self._ties.apart(beside)))

    @kept
    def surroundings(self) -> Surroundings:
        """All of the account."""
        feeds = {symbol(data): data for data in self._inner.cerebro.datas if len(data)}
        return Surroundings(
            cash=float(self._inner.getcash()),
            value=self.equity,
            held={name: units_held(self._inner, data) for name, data in feeds.items()},
            closes={name: float(data.lines.close[0]) for name, data in feeds.items()},
            resting=tuple(self._resting(self._at_work.all)),
        )

    @kept
    def promised(self) -> Decimal:
        """See `AtVenue.promised`."""
        beside = self._resting(self._at_work.of(self.order.symbol))
        return promised(order for order in beside if order.side == self.order.side)

    def _beside(self, orders: Iterable[Any]) -> Iterable[Any]:
        """Those among them that the order does not replace; legs stand beside it all the same."""
        if self._group is None:
            return orders
        root, group = self._ties.root, self._group
        return (order for order in orders if order.parent is not None or root(order) != group)

    def _resting(self, orders: Iterable[Any]) -> Iterator[Resting]:
        """Entries, and legs of filled ones: Backtrader wakes these a step later, venues at once."""
        for order in self._beside(orders):
            is_awake = order.parent is None or order.parent.status == bt.Order.Completed
            if is_awake and not self._ties.is_leaving(order):
                yield resting(order, str(self._ties.root(order)))


def whole(situation: AtVenue) -> OrderSchema:
    """The order as a venue gets it: two exits that cancel each other are one order there.

    Raises:
        SchemaRefused: venues have no such pair.
    """
    order = situation.order
    if order.oco_client_order_id is None:
        return order
    if situation.partner is None:
        raise SchemaRefused(
            f"oco: {order.oco_client_order_id} was placed earlier, or has a partner: venues take"
            " two exits as one order, so place both in the same call of next()"
        )
    if situation.position * situation.quantity >= 0:
        raise SchemaRefused(
            "oco: venues tie exits of a position that is held: use a bracket to enter with both"
        )
    return exit_pair(situation.partner, order)


def check_shrinks(situation: Situation, halted: Refusal) -> None:
    """Hold an order against a guard that is reduce-only.

    Raises:
        RiskRefused: it could do more than close the position, orders at work included.
    """
    order, held = situation.order, situation.position
    wanted = situation.quantity + situation.working(order.side)
    if held * wanted >= 0 or abs(wanted) > abs(held):
        raise RiskRefused("reduce_only", halted.text, f"{order.side} {order.quantity}")


def units_held(inner: Any, data: Any) -> float:
    """Signed units held; asking must not create a position, which would reorder the sum of value.

    BackBroker sums positions in the order in which they were first asked for.
    """
    position = inner.positions.get(data)
    return 0.0 if position is None else float(position.size)


def newest_bar_at(cerebro: Any) -> float:
    """End of the newest bar of all feeds, seconds since 1970 UTC."""
    return seconds(max(data.lines.datetime[0] for data in cerebro.datas if len(data)))


def promised(orders: Iterable[Resting]) -> Decimal:
    """Units that orders may take; of a family only its largest order counts."""
    largest: dict[str, Decimal] = {}
    for order in orders:
        largest[order.family] = max(largest.get(order.family, Decimal(0)), order.remaining)
    return sum(largest.values(), Decimal(0))


def resting(order: Any, family: str) -> Resting:
    """One of Backtrader's orders as a venue has it."""
    kind, created = ORDER_TYPES[order.exectype], order.created
    price = float(created.price or created.pricelimit or created.pclose)
    prices = {"stop_price": price if kind in ("stop", "stop_limit") else None}
    if kind in ("limit", "stop_limit"):
        prices["limit_price"] = price if kind == "limit" else float(created.pricelimit or price)
    return Resting(
        order_id=str(order.ref),
        family=family,
        symbol=symbol(order.data),
        side="buy" if order.isbuy() else "sell",
        order_type=kind,
        remaining=exact(abs(order.executed.remsize)),
        last=exact(created.pclose),
        **{name: None if value is None else exact(value) for name, value in prices.items()},
    )
