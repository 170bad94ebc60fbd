"""One wake-up for everything that reaches Cerebro's thread: bars, facts, commands."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Condition
from typing import Any


@dataclass(slots=True)
class _Count:
    """What all lanes of an inbox share; every access holds the condition."""

    idle: Callable[[float], bool] | None = None
    changed: Condition = field(default_factory=Condition)
    received: int = 0
    taken: int = 0
    waiters: int = 0

    def wait(self, timeout_s: float) -> bool:
        if self.idle is not None:
            return self.idle(timeout_s)
        with self.changed:
            self.waiters += 1
            try:
                return self.changed.wait_for(lambda: self.received > self.taken, timeout_s)
            finally:
                self.waiters -= 1


class Inbox:
    """Lanes of items from other threads, and one wait for all of them.

    ``inbox.lane("bars").put(bar)`` from any thread; on Cerebro's, each consumer drains its own lane
    at least once a turn of the loop. A lane that nobody drains makes every wait return at once.

    Args:
        idle: called with the seconds instead of waiting, where no other thread brings anything.
    """

    def __init__(self, idle: Callable[[float], bool] | None = None) -> None:
        self._count = _Count(idle)
        self._lanes: dict[str, Lane] = {}

    @property
    def received(self) -> int:
        """How many items were ever put, in all lanes."""
        with self._count.changed:
            return self._count.received

    @property
    def waiting(self) -> int:
        """How many items nobody has drained yet."""
        with self._count.changed:
            return self._count.received - self._count.taken

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits, and nothing is there: Cerebro has done all there was to do."""
        with self._count.changed:
            return self._count.waiters > 0 and self._count.received == self._count.taken

    def lane(self, name: str) -> "Lane":
        """The lane of this name; the same one each time."""
        with self._count.changed:
            return self._lanes.setdefault(name, Lane(self._count))

    def wait(self, timeout_s: float) -> bool:
        """Block until something waits in any lane, or `timeout_s` seconds; say whether it does."""
        return self._count.wait(timeout_s)


class Lane:
    """One consumer's part of an inbox, made by `Inbox.lane`; first in, first out."""

    def __init__(self, count: _Count) -> None:
        self._count = count
        self._items: list[Any] = []

    @property
    def waiting(self) -> int:
        """How many of its items nobody has drained yet."""
        with self._count.changed:
            return len(self._items)

    def put(self, item: Any) -> None:
        """Add an item and wake who waits; from any thread."""
        with self._count.changed:
            self._items.append(item)
            self._count.received += 1
            self._count.changed.notify_all()

    def put_all(self, items: Iterable[Any]) -> None:
        """Add items and wake who waits once; from any thread."""
        with self._count.changed:
            before = len(self._items)
            self._items.extend(items)
            self._count.received += len(self._items) - before
            self._count.changed.notify_all()

    def drain(self) -> list[Any]:
        """Everything that came since the last time, oldest first; never blocks."""
        with self._count.changed:
            taken, self._items = self._items, []
            self._count.taken += len(taken)
            return taken

    def wait(self, timeout_s: float) -> bool:
        """Wait for any lane of the inbox; see `Inbox.wait`."""
        return self._count.wait(timeout_s)
