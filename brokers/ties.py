"""Which of Backtrader's orders stand or fall together: legs with their entry, and what `oco=` ties.

An order's root is the reference of the first order of its group, its own when it stands alone.
"""

from collections.abc import Iterable, Iterator
from typing import Any


class Ties:
    """Groups of orders of which one alone fills, and those whose cancel is on its way."""

    def __init__(self) -> None:
        self._roots: dict[int, int] = {}
        self._leaving: set[int] = set()

    def root(self, order: Any) -> int:
        """What the order shares with those it stands or falls with."""
        ref: int = (order.parent or order).ref
        return self._roots.get(ref, ref)

    def tie(self, order: Any, partner: Any) -> None:
        """Put an order into its partner's group."""
        self._roots[order.ref] = self.root(partner)

    def leave(self, order: Any) -> None:
        """Note that the order was cancelled, though it may not have ended yet."""
        self._leaving.add(self.root(order))

    def is_leaving(self, order: Any) -> bool:
        """Whether it, or one that it falls with, was cancelled."""
        return self.root(order) in self._leaving

    def apart(self, orders: Iterable[Any]) -> Iterator[Any]:
        """Of each group the largest order, in the order of the groups' first ones.

        Args:
            orders: entries and single orders; legs are in their entry's group.
        """
        if not self._roots:
            yield from orders
            return
        largest: dict[int, Any] = {}
        for order in orders:
            root = self.root(order)
            known = largest.get(root)
            if known is None or abs(order.executed.remsize) > abs(known.executed.remsize):
                largest[root] = order
        yield from largest.values()
