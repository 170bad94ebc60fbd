"""Orders at work, their families and one-cancels-other groups, as BackBroker keeps them."""

from collections import deque
from collections.abc import Callable, Iterator, MutableSequence
from typing import Any

from brokers.wire.transport import OrderStatus
from live.paper.working import Working


class Book:
    """The queue of accepted orders; it knows who wakes, and who falls with whom.

    Args:
        tell: hears of every order whose state the book changed.
    """

    def __init__(self, tell: Callable[[Working], None]) -> None:
        self.pending: deque[Working | None] = deque()
        self._tell = tell
        self._families: dict[str, deque[Working]] = {}
        self._leaders: dict[str, str] = {}
        self._groups: dict[str, list[str]] = {}
        self._waking: list[Working] = []

    def add(self, order: Working, partner: Working | None = None) -> None:
        """Enter an order into its family, and into the group that `partner` belongs to."""
        leader = self._leaders[partner.venue_order_id] if partner else order.venue_order_id
        self._leaders[order.venue_order_id] = leader
        self._groups.setdefault(leader, []).append(order.venue_order_id)
        self._families.setdefault(order.root, deque()).append(order)

    def each(self) -> Iterator[Working]:
        """Take every order out of the queue once; whoever takes one puts back what is to stay."""
        self.pending.append(None)
        while (order := self.pending.popleft()) is not None:
            yield order

    def has_family(self, order: Working) -> bool:
        """Whether its family still stands; a leg cannot be accepted without."""
        return order.is_head or order.root in self._families

    def siblings(self, order: Working) -> tuple[Working, ...]:
        """Those that would fall with it."""
        return tuple(other for other in self._families.get(order.root, ()) if other is not order)

    def wake(self) -> None:
        """Let legs be tried from now on whose entry has filled on an earlier bar."""
        for order in self._waking:
            order.is_active = True
        self._waking.clear()

    def cancel(self, order: Working) -> None:
        """Cancel an order and those that fall with it; nothing happens when it is not at work."""
        if self._remove(order):
            self._end_family(order)

    def drop(self, order: Working, status: OrderStatus, reason: str = "") -> None:
        """End an order that is in nobody's queue, and those that fall with it."""
        self.end(order, status, reason)
        self.leave_group(order)
        self._end_family(order)

    def end(self, order: Working, status: OrderStatus, reason: str = "") -> None:
        """Set the last status of an order and tell of it."""
        order.status, order.reason = status, reason
        self._tell(order)

    def complete(self, order: Working) -> None:
        """Do what a filled order brings: an entry wakes its legs, a leg ends the others."""
        if not order.is_head:
            self._end_family(order)
            return
        legs = self._families[order.root]
        legs.popleft()
        for leg in legs:
            self._waking.append(leg)
            if leg.status == "held":
                leg.status = "new"
                self._tell(leg)

    def leave_group(self, order: Working) -> None:
        """Cancel the others of its group, once; their families are not asked, as in BackBroker."""
        leader = self._leaders[order.venue_order_id]
        group = self._groups.pop(leader, [])
        if len(group) < 2:
            return
        for other in [o for o in reversed(self.pending) if o and o.venue_order_id in group]:
            self.pending.remove(other)
            self.end(other, "canceled")

    def replace(self, old: Working, new: Working) -> None:
        """Put `new` where `old` stood, in queue, family and group."""
        _put_for(old, new, self.pending)
        _put_for(old, new, self._families[old.root])
        _put_for(old, new, self._waking)
        leader = self._leaders[new.venue_order_id] = self._leaders[old.venue_order_id]
        if leader in self._groups:
            self._groups[leader].append(new.venue_order_id)

    def _remove(self, order: Working) -> bool:
        if order not in self.pending:
            return False
        self.pending.remove(order)
        self.end(order, "canceled")
        self.leave_group(order)
        return True

    def _end_family(self, order: Working) -> None:
        for member in self._families.pop(order.root, ()):
            self._remove(member)


def _put_for(old: Working, new: Working, queue: MutableSequence[Any]) -> None:
    if old in queue:
        queue[queue.index(old)] = new
