"""Elementwise operations on blocks of rows, for numba: NumPy's and strategies.arrays', to the bit.

Truth is 1.0 and 0.0. What remembers rows gets `memory`, two numbers that begin as NaN.
"""

import math
from typing import Final

from backtest.compiled.desk import Floats, Ints

ADD: Final = 0
SUBTRACT: Final = 1
MULTIPLY: Final = 2
DIVIDE: Final = 3
GREATER: Final = 4
GREATER_EQUAL: Final = 5
EQUAL: Final = 6
NOT_EQUAL: Final = 7
AND: Final = 8
OR: Final = 9
NOT: Final = 10
IS_NAN: Final = 11
WHERE: Final = 12
CROSSOVER: Final = 13
LATCH: Final = 14
CHANGES: Final = 15


def calculate(code: int, a: Floats, b: Floats, out: Floats) -> None:
    """The four of arithmetic."""
    if code == ADD:
        for i in range(a.size):
            out[i] = a[i] + b[i]
    elif code == SUBTRACT:
        for i in range(a.size):
            out[i] = a[i] - b[i]
    elif code == MULTIPLY:
        for i in range(a.size):
            out[i] = a[i] * b[i]
    else:
        for i in range(a.size):
            out[i] = a[i] / b[i]


def compare(code: int, a: Floats, b: Floats, out: Floats) -> None:
    """Comparisons; with NaN only "not equal" holds."""
    if code == GREATER:
        for i in range(a.size):
            out[i] = 1.0 if a[i] > b[i] else 0.0
    elif code == GREATER_EQUAL:
        for i in range(a.size):
            out[i] = 1.0 if a[i] >= b[i] else 0.0
    elif code == EQUAL:
        for i in range(a.size):
            out[i] = 1.0 if a[i] == b[i] else 0.0
    else:
        for i in range(a.size):
            out[i] = 1.0 if a[i] != b[i] else 0.0


def combine(code: int, a: Floats, b: Floats, out: Floats) -> None:
    """Logic of ones and zeros, and isnan."""
    if code == AND:
        for i in range(a.size):
            out[i] = a[i] * b[i]
    elif code == OR:
        for i in range(a.size):
            out[i] = max(a[i], b[i])
    elif code == NOT:
        for i in range(a.size):
            out[i] = 1.0 - a[i]
    else:
        for i in range(a.size):
            out[i] = 1.0 if a[i] != a[i] else 0.0  # NaN alone differs from itself


def choose(where: Floats, a: Floats, b: Floats, out: Floats) -> None:
    """numpy.where."""
    for i in range(where.size):
        one, other = a[i], b[i]  # both, so that nothing branches
        out[i] = one if where[i] != 0.0 else other


def find_crosses(fast: Floats, slow: Floats, out: Floats, memory: Floats) -> None:
    """strategies.arrays.crossover.

    memory: the last difference that was not zero, and whether any is known (NaN: no).
    """
    before, is_known = memory[0], not math.isnan(memory[1])
    if is_known and are_apart(fast, slow):
        find_plain_crosses(fast, slow, out, before)
        memory[0] = fast[fast.size - 1] - slow[fast.size - 1]
        return
    for i in range(fast.size):
        away = fast[i] - slow[i]
        out[i] = cross(before, away) if is_known else math.nan
        is_known = is_known or not math.isnan(away)
        if away != 0.0:
            before = away
    memory[0], memory[1] = before, 1.0 if is_known else math.nan


def cross(before: float, after: float) -> float:
    """1 from below to above zero, -1 from above to below, else 0."""
    rises = 1.0 if (before < 0.0) & (after > 0.0) else 0.0
    falls = 1.0 if (before > 0.0) & (after < 0.0) else 0.0
    return rises - falls


def are_apart(fast: Floats, slow: Floats) -> bool:
    """Tell whether no difference is zero or NaN."""
    apart = 0
    for i in range(fast.size):
        apart += 1 if (fast[i] < slow[i]) | (fast[i] > slow[i]) else 0
    return apart == fast.size


def find_plain_crosses(fast: Floats, slow: Floats, out: Floats, before: float) -> None:
    """find_crosses where every difference counts as the one before the next."""
    out[0] = cross(before, fast[0] - slow[0])
    for i in range(1, fast.size):
        out[i] = cross(fast[i - 1] - slow[i - 1], fast[i] - slow[i])


def hold_latch(on: Floats, off: Floats, out: Floats, memory: Floats) -> None:
    """strategies.arrays.latch; memory: its last value."""
    state = 0.0 if math.isnan(memory[0]) else memory[0]
    for i in range(on.size):
        state = 0.0 if off[i] != 0.0 else (1.0 if on[i] != 0.0 else state)
        out[i] = state
    memory[0] = state


def find_changes(state: Floats, out: Floats, memory: Floats) -> None:
    """strategies.arrays.changes; memory: the state of the row before, and whether there was one."""
    before = 0.0 if math.isnan(memory[1]) else memory[0]
    for i in range(state.size):
        out[i] = state[i] if state[i] != before else math.nan
        before = state[i]
    memory[0], memory[1] = before, 1.0


def fill(out: Floats, value: float) -> None:
    """The same number in every row."""
    for i in range(out.size):
        out[i] = value


def mark_wishes(targets: Floats, marks: Ints) -> None:
    """1 for each row that is not NaN; marks that are there already stay."""
    for i in range(targets.size):
        marks[i] |= 0 if math.isnan(targets[i]) else 1


def note_marked(marks: Ints, start: int, stop: int, events: Ints, count: int) -> int:
    """Put down the steps from `start` on that are marked, behind `count` others; their new count.

    Each step is written, and overwritten by the next where it has no mark: no branch depends on it.
    """
    for step in range(start, stop):
        events[count] = step
        count += marks[step - start]
    return count
