"""Large arrays, kept for the next who needs one of the same shape.

Memory that a process has not touched before costs more than the whole evaluation of a small sweep.
"""

from threading import Lock
from typing import Any

import numpy as np


class Spares:
    """Arrays at rest, the latest `most_bytes` of them; safe between threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held: list[np.ndarray] = []
        self._lock = Lock()

    def take(self, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        """An array with any content; whoever took it owns it."""
        with self._lock:
            for place, array in enumerate(self._held):
                if array.shape == shape and array.dtype == dtype:
                    return self._held.pop(place)
        return np.empty(shape, dtype)

    def give(self, *arrays: np.ndarray) -> None:
        """Put arrays to rest; nobody may hold them any more."""
        with self._lock:
            self._held = [*arrays, *self._held]
            while sum(array.nbytes for array in self._held) > self._most_bytes:
                self._held.pop()
