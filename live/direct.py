"""Backtrader's commonest computations once more, on the arrays that its lines are.

Each does what the `next` of one of Backtrader's classes does, in the same operations and so to the
same bits, without the calls between an indicator and its numbers. A class that overrides `next` is
none of these.
"""

# ruff: noqa: SLF001  a line's place in its array has no public name

import math
from collections.abc import Callable, Mapping
from typing import Any

from backtrader.functions import MultiLogic
from backtrader.indicators.basicops import Average, ExponentialSmoothing
from backtrader.indicators.crossover import NonZeroDifference
from backtrader.linebuffer import LineBuffer, LinesOperation, _LineDelay

Compute = Callable[[], object]


def direct(indicator: Any) -> Compute:
    """What computes the indicator's value at the newest bar: its own `next`, or the like of it."""
    like = None if "next" in vars(indicator) else _LIKE.get(type(indicator).next)
    return (like and like(indicator)) or indicator.next


def _operation(line: Any) -> Compute | None:
    operation, a, b = line.operation, line.a, line.b
    out = written(line)
    if line.btime:
        return None
    if line.bline:

        def compute() -> None:
            value = operation(a.array[a._idx], b.array[b._idx])
            for target in out:
                target.array[target._idx] = value

    elif line.r:

        def compute() -> None:
            value = operation(a, b.array[b._idx])
            for target in out:
                target.array[target._idx] = value

    else:

        def compute() -> None:
            value = operation(a.array[a._idx], b)
            for target in out:
                target.array[target._idx] = value

    return compute


def _delay(line: Any) -> Compute | None:
    source, ago, out = line.a, line.ago, written(line)
    if not isinstance(source, LineBuffer):
        return None

    def compute() -> None:
        value = source.array[source._idx + ago]
        for target in out:
            target.array[target._idx] = value

    return compute


def _logic(line: Any) -> Compute | None:
    sources, logic, out = line.args, line.flogic, written(line)
    if not all(isinstance(source, LineBuffer) for source in sources):
        return None

    def compute() -> None:
        value = logic([source.array[source._idx] for source in sources])
        for target in out:
            target.array[target._idx] = value

    return compute


def _average(indicator: Any) -> Compute:
    source, period, out = first(indicator.data), indicator.p.period, written(indicator.line)

    def compute() -> None:
        end = source._idx + 1
        value = math.fsum(source.array[end - period : end]) / period
        for target in out:
            target.array[target._idx] = value

    return compute


def _smoothing(indicator: Any) -> Compute:
    source, line = first(indicator.data), indicator.line
    alpha, alpha1, out = indicator.alpha, indicator.alpha1, written(line)

    def compute() -> None:
        value = line.array[line._idx - 1] * alpha1 + source.array[source._idx] * alpha
        for target in out:
            target.array[target._idx] = value

    return compute


def _difference(indicator: Any) -> Compute:
    a, b, line = first(indicator.data0), first(indicator.data1), indicator.line
    out = written(line)

    def compute() -> None:
        value = a.array[a._idx] - b.array[b._idx] or line.array[line._idx - 1]
        for target in out:
            target.array[target._idx] = value

    return compute


_LIKE: Mapping[Any, Callable[[Any], Compute | None]] = {
    LinesOperation.next: _operation,
    _LineDelay.next: _delay,
    MultiLogic.next: _logic,
    Average.next: _average,
    ExponentialSmoothing.next: _smoothing,
    NonZeroDifference.next: _difference,
}


def first(line: Any) -> Any:
    """The line that a series stands for where one number is asked for."""
    return line if isinstance(line, LineBuffer) else line.lines[0]


def written(line: Any) -> tuple[Any, ...]:
    """The line, and those bound to it."""
    return (line, *(bound for each in line.bindings for bound in written(each)))
