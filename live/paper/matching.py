"""The paper venue's matching engine: deterministic, without time, threads or chance of its own.

Under `BacktraderRules` it equals BackBroker to the last bit: cash is checked at the step after the
submission and again at execution, legs sleep on their entry's fill bar, every order is tried at
every step in the order of its acceptance. Step it once for each instant at which any symbol has a
bar, as Cerebro calls its broker. Prices and quantities are Decimal(repr(float)), so that float()
gives back BackBroker's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from pydantic import ValidationError

from brokers.fills import Commission, Slippage
from brokers.orders import OrderSchema, Role, Terms
from brokers.wire.transport import (
    OrderUpdate,
    Replacement,
    VenueAccount,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from live.paper.account import BacktraderRules, Rules
from live.paper.desk import Desk
from live.paper.floor import Floor, Portion, venue_id, whole
from live.paper.ledger import Ledger, Prices
from live.paper.refusal import VenueRefusal, not_found, unprocessable
from live.paper.working import Working

REPLACEABLE = ("new", "held", "partially_filled")


class Matching:
    """One account at the paper venue; its instants never run backwards.

    Args:
        symbols: what can be traded, in the order in which positions are summed.
        seed: of the ids; the same seed gives the same ids.
        portion: asked before every fill, for partial ones.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        rules: Rules | None = None,
        *,
        cash: float = 100_000.0,
        commission: Commission | None = None,
        slippage: Slippage | None = None,
        portion: Portion = whole,
        seed: int = 0,
    ) -> None:
        self.rules: Rules = rules or BacktraderRules()
        self.desk = Desk(Ledger(cash, commission or Commission(), symbols))
        self._symbols = frozenset(symbols)
        self._floor = Floor(self.desk, self.rules, slippage or Slippage(), portion, seed)
        self._seed = seed

    def submit(self, order: OrderSchema, at: datetime) -> VenueOrder:
        """Take an order or a family in; what becomes of it comes as updates.

        Raises:
            VenueRefused: the account may not place it.
        """
        self._floor.at = at
        if order.symbol not in self._symbols or self.desk.ledger.seen(order.symbol) is None:
            raise unprocessable(f"asset {order.symbol} not found")
        partner = self._partner(order)
        for terms in (order, *order.legs):
            self._check_id(terms.client_order_id)
        self.rules.check(order, self.desk, at)
        head, *legs = self._family(order, at)
        is_first = head.is_head or order.oco_client_order_id == order.client_order_id
        # Who does not say which exit was placed first gets the stop tried first, as in a bracket.
        self._floor.take([head, *legs] if is_first else [*legs, head], partner)
        return self.desk.tell(head)

    def cancel(self, venue_order_id: str, at: datetime) -> None:
        """Cancel an order and what falls with it; nothing happens to one that has ended.

        Raises:
            VenueRefused: no such order; or it waits for the next step, and the rules are
                BackBroker's, which does not cancel what it has not accepted.
        """
        self._floor.at = at
        order = self._known(venue_order_id)
        if not self._floor.is_waiting(order):
            self._floor.book.cancel(order)
        elif self.rules.reserves_cash:
            raise unprocessable("order is not cancelable before it is accepted")
        else:
            self._floor.withdraw(order)

    def replace(
        self, venue_order_id: str, client_order_id: str, terms: Replacement, at: datetime
    ) -> VenueOrder:
        """Put another order in the stead of a working one; it keeps its place in the queue.

        Raises:
            VenueRefused: it is not working, or the account may not place what it would become.
        """
        self._floor.at = at
        old = self._known(venue_order_id)
        if old.status not in REPLACEABLE:
            raise unprocessable(f'order is already in "{old.status}" state')
        self._check_id(client_order_id)
        asked = self._amended(old, client_order_id, terms)
        self.rules.check_replacement(old, asked, self.desk, at)
        new = self._successor(old, asked, at)
        old.replaced_by = new.venue_order_id
        self.desk.add(new)
        self._floor.book.replace(old, new)
        self._floor.book.end(old, "replaced")
        self._floor.tell(new)
        if new.is_head and terms.quantity is not None:
            self._fit_legs(new)
        return self.desk.tell(new)

    def split(self, symbol: str, ratio: Decimal) -> None:
        """Restate a position, and the units of orders at work, which keep their prices.

        So does Alpaca (alpaca-py#469): a resting stop may be hit by the new price.
        """
        self.desk.ledger.split(symbol, float(ratio))
        for order in tuple(self.desk.alive.values()):
            if order.symbol == symbol:
                order.quantity *= ratio
                self._floor.tell(order)

    def step(self, at: datetime, bars: Mapping[str, Prices]) -> tuple[OrderUpdate, ...]:
        """Match one instant: the bars that ended at it, by symbol.

        Returns:
            All updates since they were last asked for, oldest first.
        """
        self._floor.step(at, bars)
        return self.drain()

    def drain(self) -> tuple[OrderUpdate, ...]:
        """Updates since they were last asked for, oldest first."""
        return self._floor.drain()

    def order(self, venue_order_id: str) -> VenueOrder | None:
        """The order with this id; None: there is none."""
        order = self.desk.orders.get(venue_order_id)
        return None if order is None else self.desk.tell(order)

    def find(self, client_order_id: str) -> VenueOrder | None:
        """The order with this id of the client's; None: none was ever accepted."""
        order = self.desk.by_client_order_id.get(client_order_id)
        return None if order is None else self.desk.tell(order)

    def orders(self) -> tuple[VenueOrder, ...]:
        """Every order there ever was, oldest first, legs inside their entries."""
        return tuple(self.desk.tell(o) for o in self.desk.orders.values() if o.role is None)

    def fills(self) -> tuple[VenueFill, ...]:
        """Every execution, oldest first."""
        return tuple(self.desk.fills)

    def positions(self) -> tuple[VenuePosition, ...]:
        """Every position that is not flat."""
        return tuple(
            VenuePosition(symbol, Decimal(repr(held.size)), Decimal(repr(held.price)))
            for symbol, held in self.desk.ledger.positions.items()
            if held.size != 0.0
        )

    def account(self) -> VenueAccount:
        """Cash, value at the last closes, and what may be bought."""
        return VenueAccount(
            account_id=venue_id(self._seed, "account", 0),
            cash=Decimal(repr(self.desk.ledger.cash)),
            equity=Decimal(repr(self.desk.ledger.value)),
            buying_power=self.rules.buying_power(self.desk),
        )

    def _check_id(self, client_order_id: str) -> None:
        if client_order_id in self.desk.by_client_order_id:
            raise VenueRefusal(40010001, "client_order_id must be unique")

    def _known(self, venue_order_id: str) -> Working:
        order = self.desk.orders.get(venue_order_id)
        if order is None:
            raise not_found(f"order not found for {venue_order_id}")
        return order

    def _partner(self, order: OrderSchema) -> Working | None:
        if order.oco_client_order_id is None or order.legs:
            return None
        partner = self.desk.by_client_order_id.get(order.oco_client_order_id)
        if partner is None:
            raise unprocessable(f"oco partner {order.oco_client_order_id} not found")
        return partner

    def _family(self, order: OrderSchema, at: datetime) -> list[Working]:
        """The order and its legs; legs of an entry sleep, those of an exit work beside it."""
        is_exit = order.order_class == "oco" and bool(order.legs)
        root = self._next_id(0)
        head = self._working(order, order, root, root, at)
        head.is_head = not is_exit
        legs = [
            self._working(leg, order, self._next_id(1 + nth), root, at, leg.role)
            for nth, leg in enumerate(order.legs)
        ]
        for leg in legs:
            leg.is_head, leg.is_active = False, is_exit
        return [head, *legs]

    def _working(
        self,
        terms: Terms,
        order: OrderSchema,
        venue_order_id: str,
        root: str,
        at: datetime,
        role: Role | None = None,
    ) -> Working:
        created = self.desk.ledger.newest(order.symbol)
        return Working(
            terms,
            order,
            venue_order_id,
            root,
            created=created,
            ends=self.rules.ends(terms, created, at),
            received_at=at,
            updated_at=at,
            role=role,
        )

    def _next_id(self, ahead: int) -> str:
        return venue_id(self._seed, "order", len(self.desk.orders) + ahead)

    def _amended(self, old: Working, client_order_id: str, terms: Replacement) -> Terms:
        trail = "trail_amount" if old.terms.trail_amount is not None else "trail_frac"
        words = {name: getattr(old.terms, name) for name in Terms.model_fields}
        asked = {
            "client_order_id": client_order_id,
            "quantity": self.rules.quantity_after(old, terms.quantity),
            "limit_price": terms.limit_price,
            "stop_price": terms.stop_price,
            trail: terms.trail,
        }
        try:
            return Terms(**words | {name: word for name, word in asked.items() if word is not None})
        except ValidationError as error:
            raise unprocessable(str(error.errors()[0]["msg"])) from None

    def _successor(self, old: Working, terms: Terms, at: datetime) -> Working:
        is_same_stop = terms.stop_price == old.terms.stop_price
        return replace(
            self._working(terms, old.order, self._next_id(0), old.root, at, old.role),
            is_head=old.is_head,
            is_active=old.is_active,
            is_triggered=old.is_triggered and is_same_stop,
            status="held" if old.status == "held" else "new",
            replaces=old.venue_order_id,
        )

    def _fit_legs(self, entry: Working) -> None:
        for leg in self._floor.book.siblings(entry):
            leg.quantity = entry.quantity
            self._floor.tell(leg)
