"""What risk rules may know, read from a Backtrader broker without touching it."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from brokers.errors import RiskRefused
from brokers.events import Refusal
from brokers.orders import OrderSchema, Side
from brokers.risk import growth
from brokers.translate import seconds


class BrokerSituation:
    """One order's surroundings; see `brokers.risk.Situation` for units.

    Args:
        inner: the broker.
        data: the order's feed.
        order: the order as a schema.
        entries: entries and single orders at work, by reference.
        now: the present in seconds since 1970 UTC.
    """

    def __init__(
        self,
        inner: Any,
        data: Any,
        order: OrderSchema,
        entries: Mapping[int, Any],
        now: Callable[[], float],
    ) -> None:
        self._inner = inner
        self._data = data
        self.order = order
        self._entries = entries
        self._now = now

    @cached_property
    def quantity(self) -> float:
        """Signed units of the order."""
        return float(self.order.signed_quantity)

    @cached_property
    def price(self) -> float:
        """The price to value the order at: its limit, else its stop, else the last close."""
        reference = self.order.reference_price
        return self.last_price if reference is None else float(reference)

    @cached_property
    def growth(self) -> float:
        """Units by which |position| can grow when this and the orders at work fill."""
        return growth(self.position, self.working(self.order.side), self.quantity)

    @cached_property
    def equity(self) -> float:
        """Cash and positions at the last close."""
        return float(self._inner.getvalue())

    @property
    def gross_exposure(self) -> float:
        """Sum of |position| x last close, and of what entries at work may add."""
        feeds = [data for data in self._inner.cerebro.datas if len(data)]
        held = sum(abs(units_held(self._inner, data)) * data.close[0] for data in feeds)
        resting = sum(
            abs(order.executed.remsize) * order.data.close[0]
            for order in self._entries.values()
            if order.alive() and units_held(self._inner, order.data) * order.size >= 0
        )
        return float(held + resting)

    @cached_property
    def position(self) -> float:
        """Units held of the symbol, negative when short."""
        return units_held(self._inner, self._data)

    @property
    def last_price(self) -> float:
        """Close of the symbol's last bar."""
        return float(self._data.close[0])

    @property
    def bar_at(self) -> float:
        """End of the symbol's last bar."""
        return seconds(self._data.datetime[0])

    @cached_property
    def now(self) -> float:
        """The present instant."""
        return self._now()

    def working(self, side: Side) -> float:
        """Signed units that the symbol's orders at work, legs aside, may still fill on a side."""
        sign = 1 if side == "buy" else -1
        return float(
            sum(
                order.executed.remsize
                for order in self._entries.values()
                if order.data is self._data and order.alive() and order.size * sign > 0
            )
        )

    def check_shrinks(self, halted: Refusal) -> None:
        """Hold the order against a guard that is reduce-only.

        Raises:
            RiskRefused: it could do more than close the position, orders at work included.
        """
        order, held = self.order, self.position
        wanted = self.quantity + self.working(order.side)
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
    return max(seconds(data.datetime[0]) for data in cerebro.datas if len(data))
