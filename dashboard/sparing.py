"""A value that is dear to compute: a twentieth of the time at most goes into it."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from brokers.clock import Clock

REST = 20  # times as long as computing took
Value = TypeVar("Value")


class Sparing(Generic[Value]):
    """Keeps the last value, and computes another when its key changed and it has rested."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._held: tuple[object, Value] | None = None
        self._free_s = 0.0

    def get(self, key: object, compute: Callable[[], Value]) -> tuple[Value, bool]:
        """The value, and whether it is that of `key`; an older one may do for a while."""
        with self._lock:
            held = self._held
            begun_s = self._clock.monotonic()
            if held is not None and (held[0] == key or begun_s < self._free_s):
                return held[1], held[0] == key
            value = compute()
            now_s = self._clock.monotonic()
            self._held, self._free_s = (key, value), now_s + REST * (now_s - begun_s)
            return value, True
