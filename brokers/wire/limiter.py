"""Keep under a venue's rate: never more than so many calls in any window, order calls first."""

import math
from bisect import bisect_right, insort
from threading import Lock
from typing import Literal

from brokers.clock import Clock
from brokers.errors import ConfigError

Priority = Literal["order", "read"]


class Limiter:
    """Books for each call the instant at which it may leave; the caller does the waiting.

    ``clock.sleep(limiter.reserve())`` or ``await clock.wait(limiter.reserve("order"))``, then call.
    Of the instants booked, no half-open window of `per_s` seconds holds more than `calls`.
    Reads leave in the order in which they asked and use at most ``calls - order_calls`` of a
    window; an order takes the earliest instant that is free, before reads that still wait.
    Thread-safe.

    Args:
        calls: how many calls a window may hold; set it a little under the venue's number, because
            the venue counts arrivals, and calls travel at different speeds.
        per_s: length of the window in seconds.
        clock: the time in which windows are counted.
        order_calls: calls of each window that reads leave free for orders; less than `calls`.

    Raises:
        ConfigError: a number is out of range.
    """

    def __init__(self, calls: int, per_s: float, clock: Clock, *, order_calls: int = 0) -> None:
        if calls < 1:
            raise ConfigError(f"a limiter needs calls of at least 1, not {calls}")
        if not 0 < per_s < math.inf:
            raise ConfigError(f"a limiter needs a finite per_s above 0, not {per_s}")
        if not 0 <= order_calls < calls:
            raise ConfigError(
                f"order_calls ({order_calls}) must be at least 0 and below calls ({calls}), "
                "or no read would ever leave"
            )
        self._calls = calls
        self._read_calls = calls - order_calls
        self._per_s = per_s
        self._clock = clock
        self._lock = Lock()
        self._booked: list[float] = []
        self._reads: list[float] = []
        self._held_until = -math.inf

    def reserve(self, priority: Priority = "read") -> float:
        """Book one call and return the seconds to wait before making it; 0.0 means now.

        Args:
            priority: "order" for submit, replace and cancel, "read" for the rest.
        """
        with self._lock:
            now = self._clock.monotonic()
            self._forget(now)
            at = max(now, self._held_until)
            if priority == "read" and self._reads:
                at = self._free(self._reads, self._read_calls, max(at, self._reads[-1]))
            wait_s, at = self._book(now, at)
            if priority == "read":
                self._reads.append(at)
            return wait_s

    def penalise(self, wait_s: float) -> None:
        """Book nothing for the next `wait_s` seconds: the venue said when to come back.

        The longest of several penalties holds; a call booked before keeps its instant.
        """
        with self._lock:
            self._held_until = max(self._held_until, self._clock.monotonic() + wait_s)

    def _book(self, now: float, at: float) -> tuple[float, float]:
        """Book the first free instant from `at` on that a caller can reach by adding its wait."""
        while True:
            free = self._free(self._booked, self._calls, at)
            wait_s = free - now
            if now + wait_s < free:
                wait_s = math.nextafter(wait_s, math.inf)
            at = now + wait_s
            if at == free:
                insort(self._booked, at)
                return wait_s, at

    def _free(self, booked: list[float], limit: int, at: float) -> float:
        """Return the first instant from `at` on that leaves no window more than `limit` calls."""
        for first, last in zip(booked, booked[limit - 1 :], strict=False):
            # A full window takes no further call inside it, nor before or after within its length.
            end = first + self._per_s
            if last < end and at < end and last < at + self._per_s:
                at = end
        return at

    def _forget(self, now: float) -> None:
        for booked in (self._booked, self._reads):
            del booked[: bisect_right(booked, now, key=lambda at: at + self._per_s)]
