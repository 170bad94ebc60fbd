"""A column of numbers that grows, and whose readers are never disturbed by its growth."""

import numpy as np
import numpy.typing as npt

FIRST = 1024  # rows


class Column:
    """Numbers of one type; `values` is a view that stays as it is while rows are added."""

    def __init__(self, kind: npt.DTypeLike, values: npt.NDArray[np.generic] | None = None) -> None:
        self._length = 0 if values is None else len(values)
        room = max(FIRST, self._length)
        self._values = np.zeros(room, dtype=kind)
        if values is not None:
            self._values[: self._length] = values

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> npt.NDArray[np.generic]:
        """All rows so far."""
        return self._values[: self._length]

    def append(self, value: float) -> None:
        """Add a row."""
        if self._length == len(self._values):
            grown = np.zeros(2 * self._length, dtype=self._values.dtype)
            grown[: self._length] = self._values
            self._values = grown
        self._values[self._length] = value
        self._length += 1

    def amend(self, value: float) -> None:
        """Put another number in the last row."""
        self._values[self._length - 1] = value
