"""What makes one doubt a hit: halts, few prints, splits, stale closes."""

import numpy as np

from analyzers.outliers.baseline import Baseline
from analyzers.outliers.tape import Tape

HALT, FEW_PRINTS, LIKE_A_SPLIT = "halt", "few prints", "looks like a split"

# Below, thin symbols would be halted all day.
_DENSE = 0.8
_RATIOS = np.array([1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100])
_NEAR = 0.03  # an open lies within it of the split's ratio, since the night moves it too


class Oddities:
    """The data-quality flags of one session."""

    def __init__(self, known: Baseline) -> None:
        self._known = known

    def of(self, tape: Tape, cell: tuple[int, int]) -> tuple[str, ...]:
        """The flags of one row and column, in a fixed order."""
        known, limits, column = self._known, self._known.limits, cell[1]
        so_far = float(tape.slots[cell[0]]) + 1.0
        flags = list(known.flags.get(column, ()))
        if known.prints_frac[column] >= _DENSE and tape.hole[cell] >= limits.halt_bars:
            flags.append(HALT)
        if tape.bars[cell] < limits.few_prints_frac * so_far:
            flags.append(FEW_PRINTS)
        if "split today" not in flags and self._is_like_a_split(float(tape.open[cell]), column):
            flags.append(LIKE_A_SPLIT)
        if column in known.mixed:
            flags.append(known.mixed[column])
        return tuple(flags)

    def _is_like_a_split(self, opened: float, column: int) -> bool:
        before = float(self._known.previous_close[column])
        if not before > 0.0:
            return False
        ratio = max(opened / before, before / opened)
        return bool((np.abs(ratio / _RATIOS - 1.0) < _NEAR).any())
