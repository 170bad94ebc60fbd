"""Backtrader's broker for an account elsewhere: orders go to an outbox, facts come back.

Cash, positions and value are the floats that BackBroker would have computed from the same fills,
in its order of adding; they are plain reads. All of it belongs to Cerebro's thread.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any, Protocol

import backtrader as bt

from brokers.facts import (
    Accepted,
    Broken,
    Ended,
    Fact,
    Filled,
    Mismatch,
    Replaced,
    Restated,
    Split,
)
from brokers.holdings import Holdings
from brokers.orders import OrderSchema
from brokers.splits import Restatement, Splits
from brokers.translate import BROKER_WORDS, ORDER_WORDS, symbol
from brokers.wire.transport import VenuePosition

NOT_REVIEWED = "it was not reviewed: only a GuardedBroker may place orders here"
LATE_LEG = "a leg must be placed with its entry (transmit=False), the venue takes none later"
ENTRY_ENDED = "its entry ended without a fill"

AMPLE = 2.0  # cash for each unit of money that orders may take: prices move, shorts need margin

Notice = Mismatch | Broken | Split


class Outbox(Protocol):
    """Where orders go; `brokers/store.py` has one. Nothing here waits for the venue."""

    def send(self, order: OrderSchema) -> None:
        """Queue an order, or a family, until the turn ends."""

    def cancel(self, order_id: str) -> None:
        """Queue the cancel of an order or a leg; an order that has ended is no error."""

    def release(self, *, apart: bool = False) -> None:
        """End the turn: what is queued may leave; harmless when nothing is.

        Args:
            apart: whether the venue's verdict on each is the same whatever becomes of the others.
        """


class RemoteBroker(bt.BrokerBase):
    """A Backtrader broker over an outbox and a source of facts; put a `GuardedBroker` before it.

    Args:
        outbox: where reviewed orders go.
        facts: called once each turn: what happened since, oldest first.
        cash: the account's, before the first fact.
        holdings: positions before the first fact; those in symbols without a feed are not counted.
        note: called with each fact before it takes effect, to log it; it must not raise.
    """

    def __init__(
        self,
        outbox: Outbox,
        facts: Callable[[], Iterable[Fact]],
        *,
        cash: float,
        holdings: Sequence[VenuePosition] = (),
        note: Callable[[Fact], object] | None = None,
    ) -> None:
        super().__init__()
        self.startingcash = self._value = float(cash)
        self._holdings = Holdings(self.startingcash, self.getcommissioninfo)
        self.positions = self._holdings.positions
        self._splits = Splits(self._holdings, self._trades_of)
        self.restatements: Sequence[Restatement] = self._splits.done
        self._feeds: dict[str, Any] = {}
        self.notices: list[Notice] = []
        self._outbox = outbox
        self._facts = facts
        self._taken_over = tuple(holdings)
        self._note = note or (lambda _: None)
        self._expected: OrderSchema | None = None
        self._families: dict[int, list[Any]] = {}  # not yet transmitted, by the entry's reference
        self._legs: dict[int, list[Any]] = {}
        self._orders: dict[str, Any] = {}
        self._open: dict[int, Any] = {}  # those that may still fill, by reference
        self._ids: dict[int, str] = {}
        self._left: dict[str, Decimal] = {}  # unsigned units not yet filled, by our id
        self._sent: deque[Any] = deque()  # feeds of orders sent since the last turn
        self._notes: deque[Any] = deque()

    def start(self) -> None:
        """Take the holdings in, so that trades which close them are counted from their price."""
        super().start()
        self._feeds = {symbol(data): data for data in self.cerebro.datas}
        for held in self._taken_over:
            if held.symbol in self._feeds:
                self._take_in(self._feeds[held.symbol], held)
        self._taken_over = ()
        self._value = self._holdings.equity()

    def stop(self) -> None:
        """Let the last turn's orders leave."""
        self._outbox.release(apart=len(self._sent) > 1 and self._is_ample())

    def expect(self, order: OrderSchema) -> None:
        """Take the guard's reviewed order; the family transmitted next is sent as this."""
        self._expected = order

    def buy(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Place a buy; the words are BackBroker's."""
        return self._place(bt.BuyOrder, owner, data, size, how)

    def sell(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Place a sell; the words are BackBroker's."""
        return self._place(bt.SellOrder, owner, data, size, how)

    def cancel(self, order: Any) -> bool:
        """Ask for a cancel; the order stays alive until the venue has answered.

        Returns:
            Whether it could be asked for.
        """
        order_id = self._ids.get(order.ref)
        if order_id is None or not order.alive():
            return False
        self._outbox.cancel(order_id)
        return True

    def next(self) -> None:
        """Let the last turn's orders leave, take in what happened, and mark the account."""
        self.stop()
        while self._sent:
            self.positions[self._sent.popleft()]  # BackBroker sums positions in this order
        self._splits.after_bars(self._feeds)
        for fact in self._facts():
            self._note(fact)
            self._take(fact)
        self._value = self._holdings.equity()

    def getcash(self) -> float:
        """Cash after the last fact."""
        return self._holdings.cash

    def getvalue(self, datas: Any = None, mkt: bool = False) -> float:
        """Cash and positions at the last close; of one feed, the worth of its position.

        Args:
            mkt: the positions alone.
        """
        if datas is None:
            return self._value - self.getcash() if mkt else self._value
        return self._holdings.value_of(*datas) if len(datas) == 1 else self._holdings.equity(datas)

    # Backtrader's metaclass does not make these two, and its analyzers call them.
    get_cash = getcash
    get_value = getvalue
    fundmode = property(bt.BrokerBase.get_fundmode)

    def getposition(self, data: Any) -> bt.Position:
        """Units held and their average price."""
        return self.positions[data]

    def get_notification(self) -> Any:
        """The next order whose state changed, as it was then; None when there is none."""
        return self._notes.popleft() if self._notes else None

    def get_orders_open(self, safe: bool = False) -> list[Any]:
        """The orders that may still fill; clones of them when `safe`."""
        alive = list(self._open.values())
        return [order.clone() for order in alive] if safe else alive

    def _is_ample(self) -> bool:
        """Whether cash pays for all that is open, with room: then no order takes another's."""
        units: defaultdict[tuple[Any, bool], float] = defaultdict(float)
        values: defaultdict[tuple[Any, bool], float] = defaultdict(float)
        for order in self._open.values():
            if order.parent is None:
                left = order.executed.remsize
                units[order.data, order.isbuy()] += left
                values[order.data, order.isbuy()] += abs(left) * (
                    order.price or order.created.pclose
                )
        needed = sum(
            value
            for key, value in values.items()
            if not _closes(self._holdings.units(key[0]), units[key])
        )
        return AMPLE * needed <= self.getcash()

    def _place(self, make: Any, owner: Any, data: Any, size: float, how: Mapping[str, Any]) -> Any:
        words = {name: value for name, value in how.items() if name in ORDER_WORDS}
        words["exectype"], words["pricelimit"] = how.get("exectype"), how.get("plimit")
        order = make(owner=owner, data=data, size=size, **words)
        order.addinfo(**{k: v for k, v in how.items() if k not in BROKER_WORDS})
        parent = how.get("parent")
        if parent is None:
            family = [order]
        elif parent.ref in self._families:
            family = [*self._families[parent.ref], order]
        else:
            return self._reject(order, LATE_LEG)
        self._families[family[0].ref] = family
        if how.get("transmit", True):
            self._transmit(self._families.pop(family[0].ref))
        return order

    def _transmit(self, family: list[Any]) -> None:
        schema, self._expected = self._expected, None
        if schema is None:
            for order in family:
                self._reject(order, NOT_REVIEWED)
            return
        for order, terms in zip(family, (schema, *schema.legs), strict=True):
            order_id = terms.client_order_id
            self._orders[order_id], self._ids[order.ref] = order, order_id
            self._left[order_id] = terms.quantity
            self._open[order.ref] = order
            self._sent.append(order.data)
            order.submit()
            self._notify(order)
        self._legs[family[0].ref] = family[1:]
        self._outbox.send(schema)

    def _take(self, fact: Fact) -> None:
        if isinstance(fact, Mismatch | Broken | Split):
            self.notices.append(fact)
        if isinstance(fact, Split):
            self._splits.expect(fact)
            self._splits.after_bars(self._feeds)
        elif isinstance(fact, Restated) and fact.symbol in self._feeds:
            self._splits.settle(fact, self._feeds[fact.symbol])
        elif isinstance(fact, Accepted | Filled | Ended | Replaced):
            self._happen(fact)

    def _trades_of(self, data: Any) -> Iterator[bt.Trade]:
        """The open trades of a feed, of all strategies."""
        for strategy in self.cerebro.runningstrats:
            for trades in strategy._trades[data].values():  # noqa: SLF001  Backtrader's own books
                yield from (trade for trade in trades if trade.isopen)

    def _happen(self, fact: Accepted | Filled | Ended | Replaced) -> None:
        order = self._orders[fact.order_id]
        if isinstance(fact, Filled):
            self._fill(order, fact)
        elif isinstance(fact, Ended):
            self._end(order, fact)
        elif isinstance(fact, Accepted) and order.alive():
            order.accept()
            self._notify(order)

    def _fill(self, order: Any, fact: Filled) -> None:
        self._splits.before_fill(symbol(order.data), order.data, fact.filled_at)
        price, at = float(fact.price), fact.filled_at.astimezone(UTC).replace(tzinfo=None)
        done = self._holdings.fill(order.data, fact.quantity, price, at, fact.commission)
        order.execute(bt.date2num(at), float(fact.quantity), price, *done)
        self._left[fact.order_id] -= abs(fact.quantity)
        self._settle(order, max(self._left[fact.order_id], Decimal(0)))
        order.addcomminfo(self.getcommissioninfo(order.data))
        self._notify(order)

    def _settle(self, order: Any, left: Decimal) -> None:
        """Say what is left to fill, exactly; floats of its parts may not add up to nothing."""
        order.executed.remsize = float(left) if order.isbuy() else -float(left)
        if left:
            order.partial()
            return
        order.completed()
        for leg in self._legs.get(order.ref, ()):
            leg.activate()

    def _end(self, order: Any, fact: Ended) -> None:
        if not order.alive():
            return
        if fact.status == "rejected" and "margin" in fact.reason.lower():
            order.addinfo(refusal=fact.reason)
            order.margin()
        elif fact.status == "rejected":
            order.addinfo(refusal=fact.reason)
            order.reject()
        else:
            order.cancel()
            order.status = bt.Order.Expired if fact.status == "expired" else order.status
        self._notify(order)
        if not order.executed.size:
            for leg in self._legs.get(order.ref, ()):
                self._end_leg(leg)

    def _end_leg(self, leg: Any) -> None:
        """As BackBroker: a leg that was never accepted is rejected, any other cancelled."""
        if not leg.alive():
            return
        if leg.status != bt.Order.Submitted:
            leg.cancel()
            self._notify(leg)
        else:
            self._reject(leg, ENTRY_ENDED)

    def _reject(self, order: Any, reason: str) -> Any:
        order.addinfo(refusal=reason)
        order.reject()
        self._notify(order)
        return order

    def _notify(self, order: Any) -> None:
        if not order.alive():
            self._open.pop(order.ref, None)
        self._notes.append(order.clone())

    def _take_in(self, data: Any, held: VenuePosition) -> None:
        size, price = float(held.quantity), float(held.average_price)
        done = self._holdings.take_in(data, held.quantity, price)
        make = bt.BuyOrder if size > 0 else bt.SellOrder
        order = make(data=data, size=abs(size), price=price, simulated=True)
        order.addcomminfo(self.getcommissioninfo(data))
        order.execute(0, size, price, *done)
        self._notify(order)


def _closes(held: float, units: float) -> bool:
    return held * units < 0 and abs(units) <= abs(held)


class EndOfTurn:
    """Backtrader's idea of a store (`cerebro.addstore`): asked at the beginning of every turn.

    So the orders of one turn leave before the feeds wait for the next. What cannot be explained,
    or a connection that broke, goes to ``cerebro.addstorecb`` and ``notify_store``.
    """

    def __init__(self, broker: RemoteBroker) -> None:
        self._broker = broker

    def start(self) -> None:
        """Nothing to do; the session starts its connection itself."""

    def stop(self) -> None:
        """Nothing to do; the session stops its connection itself."""

    def get_notifications(self) -> list[tuple[Notice, tuple[()], dict[str, Any]]]:
        """Release the turn that is over; what the session must know."""
        self._broker.stop()
        told: list[tuple[Notice, tuple[()], dict[str, Any]]] = [
            (notice, (), {}) for notice in self._broker.notices
        ]
        self._broker.notices.clear()
        return told
