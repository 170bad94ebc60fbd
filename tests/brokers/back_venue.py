"""A BackBroker at the far side: takes schemas, gives facts, and matches when it is asked."""

from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any

import backtrader as bt

from brokers.facts import Accepted, Ended, Fact, Filled
from brokers.orders import OrderSchema, Terms
from brokers.remote import RemoteBroker
from brokers.translate import ORDER_TYPES, exact

EXEC_TYPES = {name: number for number, name in ORDER_TYPES.items()}
ENDS = {
    bt.Order.Canceled: ("canceled", ""),
    bt.Order.Expired: ("expired", ""),
    bt.Order.Margin: ("rejected", "margin: cash does not reach"),
    bt.Order.Rejected: ("rejected", "its entry is gone"),
}


class BackVenue:
    """An outbox that is a whole venue, on the feeds of the Cerebro that the remote broker is in.

    Args:
        tells_commission: put the commission into the facts.
    """

    def __init__(self, cash: float, *, tells_commission: bool = False) -> None:
        self.venue = bt.brokers.BackBroker(cash=cash)
        self.near = RemoteBroker(self, self.facts, cash=cash)
        self.sent: list[OrderSchema] = []
        self._tells_commission = tells_commission
        self._orders: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    def send(self, order: OrderSchema) -> None:
        self.sent.append(order)
        data = next(d for d in self.near.cerebro.datas if d._name == order.symbol)
        entry = self._place(order, data, oco=self._orders.get(order.oco_client_order_id or ""),
                            transmit=not order.legs)  # fmt: skip
        for leg in order.legs:
            self._place(leg, data, parent=entry, transmit=leg is order.legs[-1])

    def cancel(self, order_id: str) -> None:
        self.venue.cancel(self._orders[order_id])

    def release(self, *, apart: bool = False) -> None:
        pass

    def facts(self) -> Iterator[Fact]:
        self.venue.next()
        while note := self.venue.get_notification():
            yield from self._told(note)

    def _place(self, terms: Terms, data: Any, **how: Any) -> Any:
        def number(value: Decimal | None) -> float | None:
            return None if value is None else float(value)

        is_limit = terms.order_type == "limit"
        order = getattr(self.venue, terms.side)(
            None,
            data,
            float(terms.quantity),
            price=number(terms.limit_price if is_limit else terms.stop_price),
            plimit=None if is_limit else number(terms.limit_price),
            exectype=EXEC_TYPES[terms.order_type],
            valid=terms.expires_at and bt.date2num(terms.expires_at),
            trailamount=number(terms.trail_amount),
            trailpercent=number(terms.trail_frac),
            **how,
        )
        self._orders[terms.client_order_id] = order
        self._names[order.ref] = terms.client_order_id
        return order

    def _told(self, note: Any) -> Iterator[Fact]:
        name = self._names[note.ref]
        if note.status == bt.Order.Accepted:
            yield Accepted(name, f"v{note.ref}")
        elif note.status in (bt.Order.Partial, bt.Order.Completed):
            for number, bit in enumerate(note.executed.iterpending()):
                at = bt.num2date(bit.dt).replace(tzinfo=UTC)
                paid = exact(bit.comm) if self._tells_commission else None
                x = f"{note.ref}-{len(note.executed.exbits)}-{number}"
                yield Filled(name, x, exact(bit.size), exact(bit.price), at, paid)
        elif note.status in ENDS:
            yield Ended(name, *ENDS[note.status])
