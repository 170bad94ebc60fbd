"""What a session has decided and what is at work, kept for the view and the exit report."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import backtrader as bt

from analyzers.log_lines import NOT_GIVEN
from analyzers.market_context import instant
from brokers.events import Decision
from brokers.orders import OrderSchema, Terms
from brokers.translate import symbol

DECISIONS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, as a person reads it."""

    at: datetime
    strategy: str
    text: str
    reason: str
    refusal: str | None


@dataclass(frozen=True, slots=True)
class AtWork:
    """One order that may still fill; quantities are unsigned units.

    Args:
        is_exit: a protective leg, asleep or awake.
    """

    order_id: str
    symbol: str
    side: str
    order_type: str
    quantity: float
    filled: float
    price: str
    is_exit: bool
    status: str

    @property
    def text(self) -> str:
        """One line for a person."""
        role = "exit, " if self.is_exit else ""
        price = f" at {self.price}" if self.price else ""
        return (
            f"{self.side} {self.quantity - self.filled:g} {self.symbol} {self.order_type}{price} "
            f"({role}{self.status}, {self.order_id})"
        )


class Tape:
    """Decisions and working orders of all strategies of a session; belongs to Cerebro's thread.

    Args:
        is_hushed: whether what is decided now is not to be told, as during a warm-up.
    """

    def __init__(self, is_hushed: Callable[[], bool] = lambda: False) -> None:
        self._is_hushed = is_hushed
        self.decisions: deque[Decided] = deque(maxlen=DECISIONS_KEPT)
        self.decided = 0
        self.refused = 0
        self.filled = 0
        self.outcomes: dict[str, str] = {}  # Backtrader's last word on each order that has ended
        self._terms: dict[str, tuple[Terms, str]] = {}
        self._working: dict[str, tuple[AtWork, Any]] = {}

    @property
    def working(self) -> tuple[AtWork, ...]:
        """Every order that may still fill, oldest first."""
        return tuple(entry for entry, _ in self._working.values())

    @property
    def orders(self) -> tuple[tuple[AtWork, Any], ...]:
        """The same, each with Backtrader's order."""
        return tuple(self._working.values())

    def decide(self, strategy: str, event: Decision) -> None:
        """Take note of one decision."""
        if self._is_hushed():
            return
        self.decided += 1
        self.refused += event.refusal is not None
        order = event.order
        at = instant(event.data.lines.datetime[0])
        told = _told(order) if order else f"{symbol(event.data)}: contradicts itself"
        refusal = event.refusal.text if event.refusal else None
        self.decisions.append(Decided(at, strategy, told, event.reason or NOT_GIVEN, refusal))
        if order is not None:
            for terms in (order, *order.legs):
                self._terms[terms.client_order_id] = (terms, order.symbol)

    def note(self, order_id: str | None, order: Any) -> None:
        """Take note of an order's new state."""
        if order_id is None or order_id not in self._terms:
            return
        if not order.alive():
            self._working.pop(order_id, None)
            self.outcomes[order_id] = order.getstatusname()
            self.filled += order.status == bt.Order.Completed
            return
        terms, name = self._terms[order_id]
        entry = AtWork(
            order_id,
            name,
            terms.side,
            terms.order_type,
            float(terms.quantity),
            abs(order.executed.size),
            _price(terms),
            "-" in order_id,
            order.getstatusname(),
        )
        known = self._working.get(order_id)
        self._working[order_id] = (entry, order if known is None else known[1])


def _told(order: OrderSchema) -> str:
    price = _price(order)
    legs = " with " + " and ".join(leg.role.replace("_", " ") for leg in order.legs)
    return (
        f"{order.side} {order.quantity:f} {order.symbol} {order.order_type}"
        f"{f' at {price}' if price else ''}{legs if order.legs else ''}"
    )


def _price(terms: Terms) -> str:
    reference = terms.reference_price
    return "" if reference is None else f"{reference:f}"
