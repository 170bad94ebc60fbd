"""Orders at work, and what became of the others, carried forward line by line through a log."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from analyzers.why import entry_of

ENDED = frozenset(("Completed", "Canceled", "Expired", "Margin", "Rejected"))
_PRICES = ("limit_price", "stop_price", "trail_amount", "trail_frac")
Record = Mapping[str, Any]


@dataclass(slots=True)
class Working:
    """One order at work; prices are empty where it has none.

    Args:
        status: Backtrader's word, or `decided` while the broker has not answered.
        role: take profit or stop loss of a leg; empty for an entry.
    """

    order_id: str
    strategy: str
    symbol: str
    side: str
    quantity: float
    order_type: str
    price: str
    decided_at: str
    status: str = "decided"
    filled: float = 0.0
    role: str = ""


class OrderBook:
    """The orders of a log that have not ended."""

    def __init__(self) -> None:
        self._working: dict[str, Working] = {}

    @property
    def working(self) -> list[Working]:
        """Those at work, in the order of their decisions."""
        return list(self._working.values())

    def take(self, record: Record) -> None:
        """Carry on with one line."""
        kind, order_id = record["kind"], record.get("order_id")
        if kind == "decision" and record["order"] and not record["refusal"]:
            self._working |= {order.order_id: order for order in _orders(record)}
        elif kind == "fill" and order_id in self._working:
            self._working[order_id].filled += record["quantity"]
        elif kind == "order" and order_id in self._working:
            self._working[order_id].status = record["status"]
            if record["status"] in ENDED:
                del self._working[order_id]

    def kept(self) -> list[dict[str, Any]]:
        """What `restored` needs."""
        return [asdict(order) for order in self.working]

    @classmethod
    def restored(cls, kept: list[dict[str, Any]]) -> "OrderBook":
        """The book as it was kept."""
        book = cls()
        book._working = {order["order_id"]: Working(**order) for order in kept}
        return book


def _orders(record: Record) -> Iterator[Working]:
    """The entry, and its legs."""
    order, bar = record["order"], record["market_context"]["bar"]
    for terms in (order, *order.get("legs", ())):
        yield Working(
            order_id=terms["client_order_id"],
            strategy=record.get("strategy", ""),
            symbol=order["symbol"],
            side=terms["side"],
            quantity=float(terms["quantity"]),
            order_type=terms["order_type"].replace("_", " "),
            price=" / ".join(str(terms[name]) for name in _PRICES if terms.get(name)),
            decided_at=bar["time"] if bar else record["at"],
            role=entry_of(terms["client_order_id"])[1],
        )
