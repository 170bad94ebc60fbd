"""Orders that a guard let through and that may still fill, found by their symbol."""

from collections import defaultdict
from itertools import chain
from typing import Any

from brokers.translate import symbol


class AtWork:
    """Entries and single orders, and legs; each list has the oldest first.

    An order that has ended is dropped by whoever hears of it; until then it is passed over here.
    """

    def __init__(self) -> None:
        self._entries: dict[int, Any] = {}  # by reference
        self._in: defaultdict[str, dict[int, Any]] = defaultdict(dict)  # all, by symbol

    def add(self, order: Any) -> None:
        """Take note of an order."""
        self._in[symbol(order.data)][order.ref] = order
        if order.parent is None:
            self._entries[order.ref] = order

    def drop(self, order: Any) -> None:
        """Forget an order; harmless when it is not known."""
        self._entries.pop(order.ref, None)
        self._in[symbol(order.data)].pop(order.ref, None)

    @property
    def entries(self) -> list[Any]:
        """Entries and single orders."""
        return [order for order in self._entries.values() if order.alive()]

    @property
    def all(self) -> list[Any]:
        """Legs too."""
        every = chain.from_iterable(orders.values() for orders in self._in.values())
        return sorted((order for order in every if order.alive()), key=lambda order: order.ref)

    def of(self, name: str) -> list[Any]:
        """All of one symbol."""
        return [order for order in self._in[name].values() if order.alive()]
