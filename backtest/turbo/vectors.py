"""Backtrader's elementary indicators over whole lines, each equal to its own `once` to the bit.

All of Backtrader's indicators are made of these few. A function here gives the values of
``line.array[start:end]``, or None where stock has to compute them.
"""

import math
import operator
from array import array
from collections.abc import Callable
from itertools import accumulate, chain, islice, repeat
from typing import Any

import numpy as np
from backtrader import functions
from backtrader.indicators import basicops, crossover
from backtrader.linebuffer import LineOwnOperation, LinesOperation, PseudoArray, _LineDelay

from backtest.turbo import windows
from backtest.turbo.windows import Floats

Values = Any  # float64 array, or an iterable of floats
Vector = Callable[[Any, int, int], Values | None]

_ROWS = 4096  # of a matrix at a time, to keep it small
_EXACT_INT = 1 << 53
_ALIKE = {  # numpy computes these as Python does
    operator.__add__, operator.__sub__, operator.__mul__, operator.__lt__, operator.__gt__,
    operator.__le__, operator.__ge__, operator.__eq__, operator.__ne__,
    operator.__abs__, operator.__neg__,
}  # fmt: skip
_OF_WINDOWS = {math.fsum: windows.sums, max: windows.highest, min: windows.lowest}


def vector_of(indicator: Any) -> Vector | None:
    """What computes an indicator's `once`; None when that is none of Backtrader's own."""
    return None if "once" in vars(indicator) else _VECTORS.get(type(indicator).once)


def _part(line: Any, start: int, end: int) -> Floats | None:
    """The values of a line, as they are; None for anything that is no plain line."""
    values = getattr(line, "array", None)
    if type(values) is not array or start < 0 or len(values) < end:
        return None
    return np.frombuffer(values)[start:end]


def _operand(it: Any, start: int, end: int) -> Any:
    """The values of a line, or a number; None for anything else."""
    if isinstance(it, PseudoArray):
        it = it.wrapped
    if type(it) is float or (type(it) is int and abs(it) < _EXACT_INT):
        return float(it)
    return _part(it, start, end)


def _each(values: Any) -> Any:
    return repeat(values) if type(values) is float else values.tolist()


def _operation(it: LinesOperation, start: int, end: int) -> Values | None:
    if it.btime:
        return None
    first, second = _operand(it.a, start, end), _operand(it.b, start, end)
    if first is None or second is None or end <= start:
        return None
    if it.operation in _ALIKE or (it.operation is operator.__truediv__ and np.all(second)):
        return it.operation(first, second)
    return map(it.operation, _each(first), _each(second))


def _own_operation(it: LineOwnOperation, start: int, end: int) -> Values | None:
    values = _part(it.a, start, end)
    if values is not None and it.operation in _ALIKE:
        return it.operation(values)
    return None if values is None else map(it.operation, values.tolist())


def _delay(it: _LineDelay, start: int, end: int) -> Values | None:
    if isinstance(it.a, PseudoArray):
        return repeat(it.a.wrapped, end - start)
    return _part(it.a, start + it.ago, end + it.ago)


def _logic(it: functions.MultiLogic, start: int, end: int) -> Values | None:
    sides = [_operand(arg, start, end) for arg in it.args]
    fold = _FOLDS.get(type(it))
    if fold is None or len(sides) < 2 or any(side is None for side in sides):
        return None
    found = sides[0]
    for side in sides[1:]:
        found = fold(found, side)
    return np.broadcast_to(found, end - start)


def _if(it: functions.If, start: int, end: int) -> Values | None:
    condition, a, b = (_operand(side, start, end) for side in (it.cond, it.a, it.b))
    if condition is None or a is None or b is None:
        return None
    return np.broadcast_to(np.where(np.not_equal(condition, 0.0), a, b), end - start)


def _quotient(it: Any, start: int, end: int, of_zero: Callable[[Floats], Any]) -> Values | None:
    a, b = _part(it.a, start, end), _part(it.b, start, end)
    if a is None or b is None:
        return None
    return np.where(b == 0.0, of_zero(a), np.divide(a, b))


def _div_by_zero(it: functions.DivByZero, start: int, end: int) -> Values | None:
    return _quotient(it, start, end, lambda _: it.zero)


def _div_zero_by_zero(it: functions.DivZeroByZero, start: int, end: int) -> Values | None:
    return _quotient(it, start, end, lambda a: np.where(a == 0.0, it.dual, it.single))


def _of_window(it: Any, start: int, end: int) -> Values | None:
    found, period = _OF_WINDOWS.get(it.func), it.p.period
    values = _part(it.data, start - period + 1, end)
    return found(values, period) if found and values is not None and period > 0 else None


def _average(it: Any, start: int, end: int) -> Values | None:
    period = it.p.period
    values = _part(it.data, start - period + 1, end)
    total = None if values is None or period < 1 else windows.sums(values, period)
    return None if total is None else total / period


def _weighted(it: Any, start: int, end: int) -> Values | None:
    period, weights = it.p.period, np.array(it.p.weights, dtype=np.float64)
    values = _part(it.data, start - period + 1, end)
    if values is None or weights.shape != (period,) or type(it.p.coef) is not float:
        return None
    rows = np.lib.stride_tricks.sliding_window_view(values, period)
    found = np.empty(len(rows))
    for first in range(0, len(rows), _ROWS):
        part = windows.row_sums(rows[first : first + _ROWS] * weights)
        if part is None:
            return None
        found[first : first + _ROWS] = part
    return it.p.coef * found


def _smoothed(it: Any, start: int, end: int) -> Values | None:
    values, seed = _part(it.data, start, end), it.line.array[start - 1]
    if values is None or not type(it.alpha) is type(it.alpha1) is float:
        return None
    kept, terms = it.alpha1, (values * it.alpha).tolist()
    return islice(accumulate(chain((seed,), terms), lambda last, term: last * kept + term), 1, None)


def _accumulated(it: Any, start: int, end: int) -> Values | None:
    values = _part(it.data, start, end)
    if values is None:
        return None
    return np.add.accumulate(np.concatenate(((it.line.array[start - 1],), values)))[1:]


def _non_zero_difference(it: Any, start: int, end: int) -> Values | None:
    a, b = _part(it.data0, start, end), _part(it.data1, start, end)
    if a is None or b is None:
        return None
    found = np.concatenate(((it.line.array[start - 1],), a - b))
    rows = np.where(found != 0.0, np.arange(len(found)), 0)
    return found[np.maximum.accumulate(rows)][1:]


_FOLDS: dict[type, Callable[[Any, Any], Any]] = {
    functions.And: np.logical_and,
    functions.Or: np.logical_or,
    functions.Max: lambda a, b: np.where(np.greater(b, a), b, a),
    functions.Min: lambda a, b: np.where(np.less(b, a), b, a),
}
_VECTORS: dict[Any, Vector] = {
    LinesOperation.once: _operation,
    LineOwnOperation.once: _own_operation,
    _LineDelay.once: _delay,
    functions.MultiLogic.once: _logic,
    functions.If.once: _if,
    functions.DivByZero.once: _div_by_zero,
    functions.DivZeroByZero.once: _div_zero_by_zero,
    basicops.OperationN.once: _of_window,
    basicops.Average.once: _average,
    basicops.WeightedAverage.once: _weighted,
    basicops.ExponentialSmoothing.once: _smoothed,
    basicops.Accum.once: _accumulated,
    crossover.NonZeroDifference.once: _non_zero_difference,
}
