"""Where orders meet bars: one turn of BackBroker over the paper account's orders."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import isnan
from uuid import NAMESPACE_OID, uuid5

from brokers import fills
from brokers.fills import Position, Slippage
from brokers.wire.transport import OrderUpdate, VenueFill, VenueOrder
from live.paper.account import Rules
from live.paper.book import Book
from live.paper.desk import Desk
from live.paper.ledger import Prices, Seen
from live.paper.working import Working

Portion = Callable[[VenueOrder], Decimal]
"""How many units of an order may fill at this step; the rest waits for the next one."""


def whole(order: VenueOrder) -> Decimal:
    """All that remains: the portion of a venue that fills orders at one go."""
    return order.quantity - order.filled_quantity


class Floor:
    """Orders between arrival and end.

    Args:
        seed: of the ids; the same seed gives the same ids.
    """

    def __init__(
        self, desk: Desk, rules: Rules, slippage: Slippage, portion: Portion, seed: int
    ) -> None:
        self.at = datetime.min.replace(tzinfo=UTC)
        self.desk = desk
        self.book = Book(self.tell)
        self._rules = rules
        self._slippage = slippage
        self._portion = portion
        self._waiting: list[Working] = []
        self._outbox: list[OrderUpdate] = []
        self._seed = seed
        self._executions = 0

    def take(self, family: Sequence[Working], partner: Working | None) -> None:
        """Take a family in, in the order in which it is to be tried."""
        for order in family:
            self.desk.add(order)
            self.book.add(order, partner)
            if self._rules.is_open(order, self.at):
                self._accept(order)
            else:
                self._waiting.append(order)

    def is_waiting(self, order: Working) -> bool:
        """Whether it has not been accepted yet."""
        return order in self._waiting

    def withdraw(self, order: Working) -> None:
        """Cancel an order that waits, and its family."""
        for member in [other for other in self._waiting if other.root == order.root]:
            self._waiting.remove(member)
            self.book.drop(member, "canceled")

    def step(self, at: datetime, bars: Mapping[str, Prices]) -> None:
        """Wake legs, accept what waits, try what is at work, mark the account."""
        self.at = at
        ledger = self.desk.ledger
        ledger.see(at, bars)
        self.book.wake()
        ready = [order for order in self._waiting if self._rules.trades(order, at)]
        self._waiting = [order for order in self._waiting if order not in ready]
        if self._rules.reserves_cash:
            self._reserve(ready)
        else:
            for order in ready:
                self._accept(order)
        for order in self.book.each():
            self._turn(order)
        ledger.revalue()

    def tell(self, order: Working, fill: VenueFill | None = None) -> None:
        """Note that the state of an order changed, and put it out."""
        order.updated_at = self.at
        self.desk.settle(order)
        self._outbox.append(OrderUpdate(self.desk.tell(order), fill))

    def drain(self) -> tuple[OrderUpdate, ...]:
        """Updates since they were last asked for, oldest first."""
        updates, self._outbox = tuple(self._outbox), []
        return updates

    def _reserve(self, ready: Sequence[Working]) -> None:
        """Accept what the cash reaches for, each order seeing what the one before it left."""
        cash = self.desk.ledger.cash
        positions: dict[str, Position] = {}
        for order in ready:
            if not self.book.has_family(order):
                self.book.end(order, "rejected", "its family was refused")
                continue
            cash, positions[order.symbol] = fills.reserve(
                cash,
                positions.get(order.symbol, self.desk.ledger.position(order.symbol)),
                order.side * float(order.remaining),
                order.asked_price,
                self.desk.ledger.commission,
            )
            if cash >= 0.0:
                self._accept(order)
            else:
                self.book.drop(order, "rejected", "margin")

    def _accept(self, order: Working) -> None:
        order.status = "new" if order.is_active else "held"
        self.book.pending.append(order)
        self.tell(order)

    def _turn(self, order: Working) -> None:
        """Let one order expire, wait or be tried."""
        seen = self.desk.ledger.seen(order.symbol) or order.created
        if fills.is_expired(order.kind, order.ends.lapses_at, self._rules.lapses_by(seen, self.at)):
            self.book.drop(order, "expired")
            return
        bar = self._rules.bar_for(order, seen, self.at) if order.is_active else None
        if bar is None:
            self.book.pending.append(order)
            return
        self._try(order, Seen(seen.at, bar))
        if order.status == "filled":
            self.book.complete(order)
        elif order.is_alive and order.ends.has_one_chance:
            self.book.drop(order, "canceled")
        elif order.is_alive:
            self.book.pending.append(order)

    def _try(self, order: Working, seen: Seen) -> None:
        was_triggered = order.is_triggered
        price = order.try_on(seen, self._slippage)
        if not isnan(price):
            self._fill(order, price)
        order.follow(seen.bar.close, was_triggered)

    def _fill(self, order: Working, price: float) -> None:
        remaining = order.remaining
        is_whole = order.terms.time_in_force == "fok"
        part = remaining if is_whole else min(self._portion(order.snapshot()), remaining)
        if part <= 0:
            return
        done = self.desk.ledger.execute(
            order.symbol, order.side * float(part), price, self._rules.credit(self.desk)
        )
        if done.size != 0.0:
            order.add(done.size, price)
            self.tell(order, self._execution(order, done.size, price, done.commission))
            self.book.leave_group(order)
            self._shrink_siblings(order, done.size)
        if done.is_margin:
            self.book.drop(order, "rejected", "margin")

    def _execution(self, order: Working, size: float, price: float, paid: float) -> VenueFill:
        self._executions += 1
        fill = VenueFill(
            execution_id=venue_id(self._seed, "execution", self._executions),
            venue_order_id=order.venue_order_id,
            symbol=order.symbol,
            side=order.terms.side,
            quantity=Decimal(repr(abs(size))),
            price=Decimal(repr(price)),
            filled_at=self.at,
            commission=Decimal(repr(paid)),
        )
        self.desk.fills.append(fill)
        return fill

    def _shrink_siblings(self, order: Working, size: float) -> None:
        if order.is_head or not self._rules.legs_shrink or not order.is_alive:
            return
        for leg in self.book.siblings(order):
            leg.quantity -= Decimal(repr(abs(size)))
            self.tell(leg)


def venue_id(seed: int, kind: str, number: int) -> str:
    """An id that looks like the venues' own and is the same for the same seed."""
    return str(uuid5(NAMESPACE_OID, f"{seed}/{kind}/{number}"))
