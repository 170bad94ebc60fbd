"""What a front will still do by itself, and when."""

from collections.abc import Callable
from typing import Generic, TypeVar

from brokers.clock import Clock

T = TypeVar("T")


class Agenda(Generic[T]):
    """Jobs that are each due at an instant of a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: list[tuple[float, Callable[[], T]]] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, wait_s: float, job: Callable[[], T]) -> None:
        """Note a job that is due in so many seconds."""
        self._jobs.append((self._clock.monotonic() + wait_s, job))

    def due(self) -> list[Callable[[], T]]:
        """Take out the jobs that are due, in the order in which they were noted."""
        now_s = self._clock.monotonic()
        ready = [job for at_s, job in self._jobs if at_s <= now_s]
        self._jobs = [it for it in self._jobs if it[0] > now_s]
        return ready
