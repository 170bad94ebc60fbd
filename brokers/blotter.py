"""The orders and executions that we know of, and what of the venue's words is news.

Pure and synchronous. Whatever order updates come in, doubled, late or lost and made up for by a
comparison, each fill is told once and the end is the same. A venue's cumulative quantities say
when a fill is still on its way: an order's end is told only after the last of its fills.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from brokers.facts import (
    Accepted,
    Ended,
    Fact,
    Filled,
    Mismatch,
    OrderFact,
    Replaced,
    Restated,
    Split,
    SplitFact,
)
from brokers.orders import OrderSchema, Role, Side
from brokers.wire.transport import ENDED, OrderUpdate, VenueFill, VenueOrder, VenuePosition

FILLED_SHORT = "filled for less than was asked for, after a replacement"
MAX_HELD = 1000  # words about orders that are not ours cannot fill the memory

_NONE = Decimal(0)


@dataclass(slots=True, eq=False)
class _Row:
    """One order of ours, through all the venue's orders that ever worked in its stead.

    Args:
        seen: filled quantity as the venue has it, by the venue's id, oldest id first.
        known: filled quantity as our facts have it, by the venue's id.
        is_pair: its leg works beside it and ends by itself; the legs of an entry end with it.
        replaced: the venue's ids that another order took over from.
        settled: the venue's ids that will not fill any more.
        end: how the last of them ended; told when every fill is known.
    """

    order_id: str
    symbol: str
    quantity: Decimal
    legs: Mapping[Role, str] = field(default_factory=dict)
    is_leg: bool = False
    is_pair: bool = False
    seen: dict[str, Decimal] = field(default_factory=dict)
    known: dict[str, Decimal] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    is_accepted: bool = False
    end: Ended | None = None

    @property
    def tip(self) -> str | None:
        """The venue's id of the order that works now."""
        return next((seen for seen in reversed(self.seen) if seen not in self.replaced), None)

    @property
    def filled(self) -> Decimal:
        """Unsigned units that we know to be filled."""
        return sum(self.known.values(), _NONE)

    @property
    def is_behind(self) -> bool:
        """Whether the venue has filled more than we know of."""
        return any(seen > self.known.get(name, _NONE) for name, seen in self.seen.items())

    @property
    def is_over(self) -> bool:
        """Whether no fill can come any more that we do not know of."""
        if not self.replaced and self.filled >= self.quantity:
            return True
        return self.end is not None and self.replaced <= self.settled and not self.is_behind


class Blotter:
    """Turns what a venue says into facts, each told once.

    Args:
        positions: signed units held before the first order, by symbol.
    """

    def __init__(self, positions: Mapping[str, Decimal] = MappingProxyType({})) -> None:
        self._positions = dict(positions)
        self._rows: dict[str, _Row] = {}
        self._alive: dict[str, _Row] = {}
        self._by_venue_id: dict[str, _Row] = {}
        self._executions: set[str] = set()
        self._held: list[OrderUpdate] = []  # of orders whose venue id is not known yet
        self._adopted: set[str] = set()
        self.splits: dict[str, Split] = {}  # those that no fill and no position has shown
        self._told: frozenset[Mismatch] = frozenset()

    @property
    def alive(self) -> tuple[str, ...]:
        """Our ids of the orders and legs that may still fill, oldest first."""
        return tuple(self._alive)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Our ids of the orders, legs aside, of which the venue has not said a word."""
        return tuple(r.order_id for r in self._alive.values() if not (r.seen or r.is_leg))

    @property
    def behind(self) -> tuple[str, ...]:
        """Symbols in which the venue has filled more than the fills that we know of."""
        return tuple(sorted({row.symbol for row in self._alive.values() if row.is_behind}))

    def symbol(self, order_id: str) -> str | None:
        """The symbol of an order or a leg; None: it was never expected."""
        row = self._rows.get(order_id)
        return row.symbol if row else None

    def venue_order_id(self, order_id: str) -> str | None:
        """The venue's id of the order that works now; None: not known, or not yet."""
        row = self._rows.get(order_id)
        return row.tip if row else None

    def expect(self, order: OrderSchema) -> None:
        """Take note of an order, legs included, before it is sent."""
        legs = {leg.role: leg.client_order_id for leg in order.legs}
        is_pair = order.order_class == "oco"
        self._add(_Row(order.client_order_id, order.symbol, order.quantity, legs, is_pair=is_pair))
        for leg in order.legs:
            self._add(_Row(leg.client_order_id, order.symbol, leg.quantity, is_leg=True))

    def recall(self, fact: OrderFact | SplitFact) -> None:
        """Take note of a fact told before a restart, its order is expected; or of a split to come.

        Until a split shows, a position is right in old units too.
        """
        if isinstance(fact, Split):
            self.splits[fact.symbol] = fact
            return
        if isinstance(fact, Restated):
            self._restate(fact.symbol, fact.quantity)
            return
        row = self._rows[fact.order_id]
        if isinstance(fact, Filled):
            self._book(row, fact.execution_id, fact.venue_order_id, fact.quantity)
            self._close(row)
        elif isinstance(fact, Ended):
            self._finish(row)
        else:
            row.is_accepted = True
            row.replaced.update(row.seen)
            row.settled.update(row.seen)
            self._own(row, fact.venue_order_id)

    def refuse(self, order_id: str, reason: str) -> tuple[Fact, ...]:
        """End an order that the venue surely does not have."""
        if order_id not in self._alive:
            return ()
        row = self._rows[order_id]
        ended = (order_id, *(row.legs.values() if row.is_pair else ()))
        for name in ended:
            self._finish(self._rows[name])
        return tuple(Ended(name, "rejected", reason) for name in ended)

    def apply(self, update: OrderUpdate) -> tuple[Fact, ...]:
        """What is news in an update, a request's answer among them."""
        return tuple(self._take(update))

    def compare(
        self,
        orders: Sequence[VenueOrder],
        fills: Sequence[VenueFill],
        positions: Iterable[VenuePosition],
    ) -> tuple[Fact, ...]:
        """What was missed, and what cannot be explained; a mismatch is told again if it comes back.

        Args:
            orders: open ones, and those that ended since the last comparison.
            fills: since the last comparison, oldest first.
            positions: all that are not flat, with no fill between them and `fills`.
        """
        facts: list[Fact] = []
        for order in orders:
            facts += self._take(OrderUpdate(order))
        for fill in fills:
            if row := self._by_venue_id.get(fill.venue_order_id):
                facts += self._fill(row, fill)
                facts += self._close(row)
        held = tuple(positions)
        facts += self._restated(held)
        found = (*self._strangers(orders), *self._differences(held))
        facts += [mismatch for mismatch in found if mismatch not in self._told]
        self._told = frozenset(found)
        return tuple(facts)

    def shortfalls(self) -> tuple[Mismatch, ...]:
        """Orders of which the venue has filled more than the fills it has told of."""
        return tuple(
            Mismatch(row.symbol, row.known.get(name, _NONE), seen, name)
            for row in self._alive.values()
            for name, seen in row.seen.items()
            if seen > row.known.get(name, _NONE)
        )

    def adopt(self, orders: Iterable[VenueOrder], positions: Iterable[VenuePosition]) -> None:
        """Take the venue's positions for ours, and its unknown orders for somebody else's."""
        self._positions = {held.symbol: held.quantity for held in positions}
        self._adopted.update(o.venue_order_id for o in _flat(orders) if self._find(o) is None)

    def _add(self, row: _Row) -> None:
        self._rows[row.order_id] = self._alive[row.order_id] = row

    def _find(self, order: VenueOrder) -> _Row | None:
        return (
            self._by_venue_id.get(order.venue_order_id)
            or self._rows.get(order.client_order_id)
            or self._by_venue_id.get(order.replaces or "")
        )

    def _take(self, update: OrderUpdate) -> list[Fact]:
        order = update.order
        row = self._find(order)
        if row is None:
            if update not in self._held:
                self._held = [*self._held[-MAX_HELD + 1 :], update]
            return []
        known = len(self._by_venue_id)
        facts = self._learn(row, order)
        if update.fill:
            facts += self._fill(row, update.fill)
        if order.status in ENDED:
            row.settled.add(order.venue_order_id)
            if order.venue_order_id == row.tip:
                row.end = _end(row.order_id, order)
        facts += self._close(row)
        if len(self._by_venue_id) > known:
            held, self._held = self._held, []
            for earlier in held:
                facts += self._take(earlier)
        return facts

    def _learn(self, row: _Row, order: VenueOrder) -> list[Fact]:
        """The venue's ids of the order, of its successor and of its legs; how much it filled."""
        facts: list[Fact] = []
        if order.replaces:
            row.replaced.add(order.replaces)
            facts += self._succeed(row, order.replaces, order.venue_order_id)
        self._own(row, order.venue_order_id)
        seen = row.seen[order.venue_order_id]
        row.seen[order.venue_order_id] = max(seen, order.filled_quantity)
        if order.status not in ("pending", "rejected"):
            facts += self._accept(row, order.venue_order_id)
        if order.replaced_by:
            row.replaced.add(order.venue_order_id)
            facts += self._succeed(row, order.venue_order_id, order.replaced_by)
        for leg in order.legs:
            if leg.role and leg.role in row.legs:
                self._own(self._rows[row.legs[leg.role]], leg.venue_order_id)
                facts += self._take(OrderUpdate(leg))
        return facts

    def _own(self, row: _Row, venue_order_id: str) -> None:
        self._by_venue_id[venue_order_id] = row
        row.seen.setdefault(venue_order_id, _NONE)

    def _succeed(self, row: _Row, former: str, successor: str) -> list[Fact]:
        if successor in row.seen:
            return []
        self._own(row, successor)
        return [*self._accept(row, former), Replaced(row.order_id, successor)]

    def _accept(self, row: _Row, venue_order_id: str) -> list[Fact]:
        if row.is_accepted or row.order_id not in self._alive:
            return []
        row.is_accepted = True
        return [Accepted(row.order_id, venue_order_id)]

    def _fill(self, row: _Row, fill: VenueFill) -> list[Fact]:
        if fill.execution_id in self._executions:
            return []
        accepted = self._accept(row, fill.venue_order_id)
        quantity = _signed(fill.side, fill.quantity)
        restated = self._brought_forward(row.symbol, fill.filled_at)
        self._book(row, fill.execution_id, fill.venue_order_id, quantity)
        told = Filled(
            row.order_id,
            fill.execution_id,
            quantity,
            fill.price,
            fill.filled_at,
            fill.commission,
            fill.venue_order_id,
        )
        return [*accepted, *restated, told]

    def _book(self, row: _Row, execution_id: str, venue_order_id: str, quantity: Decimal) -> None:
        self._executions.add(execution_id)
        row.known[venue_order_id] = row.known.get(venue_order_id, _NONE) + abs(quantity)
        self._positions[row.symbol] = self._positions.get(row.symbol, _NONE) + quantity

    def _brought_forward(self, symbol: str, filled_at: datetime) -> list[Fact]:
        """Restate a position before a fill in new units."""
        split, ours = self.splits.get(symbol), self._positions.get(symbol, _NONE)
        if split is None or filled_at <= split.ex_at:
            return []
        self._restate(symbol, ours * split.ratio)
        return [Restated(symbol, ours * split.ratio)] if ours else []

    def _restate(self, symbol: str, quantity: Decimal) -> None:
        self.splits.pop(symbol, None)
        self._positions[symbol] = quantity

    def _restated(self, positions: Iterable[VenuePosition]) -> Iterable[Restated]:
        """Positions that a split explains to less than a unit: a fraction may be paid out."""
        for held in positions:
            split, ours = self.splits.get(held.symbol), self._positions.get(held.symbol, _NONE)
            if split is None or held.quantity == ours:
                continue
            if abs(held.quantity - ours * split.ratio) < 1:
                self._restate(held.symbol, held.quantity)
                yield Restated(held.symbol, held.quantity)

    def _close(self, row: _Row) -> list[Fact]:
        """The order's end, unless it filled to its last unit, when no fill is missing."""
        if row.order_id not in self._alive or not row.is_over:
            return []
        self._finish(row)
        return [row.end] if row.end and row.filled < row.quantity else []

    def _finish(self, row: _Row) -> None:
        """Count on no more fills, nor on those of legs whose entry never filled."""
        self._alive.pop(row.order_id, None)
        for leg_id in row.legs.values() if not (row.filled or row.is_pair) else ():
            self._alive.pop(leg_id, None)

    def _strangers(self, orders: Iterable[VenueOrder]) -> Iterable[Mismatch]:
        """Orders that matter and are not ours, and those at work that we know to have ended."""
        for order in _flat(orders):
            row = self._find(order)
            if row is None:
                is_strange = order.status not in ENDED or bool(order.filled_quantity)
            else:
                has_ended = row.order_id not in self._alive
                is_strange = has_ended and not row.is_leg and order.status not in ENDED
            if is_strange and order.venue_order_id not in self._adopted:
                theirs = _signed(order.side, order.quantity)
                yield Mismatch(order.symbol, _NONE, theirs, order.venue_order_id)

    def _differences(self, positions: Iterable[VenuePosition]) -> Iterable[Mismatch]:
        theirs = {held.symbol: held.quantity for held in positions}
        for symbol in sorted((self._positions.keys() | theirs.keys()) - set(self.behind)):
            pair = self._positions.get(symbol, _NONE), theirs.get(symbol, _NONE)
            if pair[0] != pair[1]:
                yield Mismatch(symbol, *pair)


def _end(order_id: str, order: VenueOrder) -> Ended | None:
    if order.status in ("canceled", "expired", "rejected"):
        return Ended(order_id, order.status, order.reason)
    return Ended(order_id, "canceled", FILLED_SHORT) if order.status == "filled" else None


def _signed(side: Side, quantity: Decimal) -> Decimal:
    return quantity if side == "buy" else -quantity


def _flat(orders: Iterable[VenueOrder]) -> Iterable[VenueOrder]:
    for order in orders:
        yield order
        yield from order.legs
