"""What a strategy's `signals` does with arrays, taken down as a tape instead of done.

`Series` stands for an array. Operators and `numpy.where` put an operation on the tape; anything
else raises Untraceable, and the strategy is then given real arrays.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from backtest.compiled import columns as col
from backtest.compiled import operations as op
from backtest.compiled.symbols import Symbol
from backtest.compiled.tape import NO_OUTPUT, Tape

EXACT = 2**53


class Untraceable(BaseException):
    """The strategy wants to see values; no handler of its own may swallow this."""


class Program(NamedTuple):
    """A tape in the making, the same for all parameter sets that did the same operations.

    Operands: one below zero is the shared array -1 - it; else an even one is the result of
    operation it / 2, an odd one the number (it - 1) / 2.
    """

    code: tuple[int, ...]
    outputs: tuple[int, ...]
    numbers: int

    def tape(self) -> Tape:
        """The operands as registers: numbers first, then results."""
        code = np.array(self.code, dtype=np.int64).reshape(-1, 4)
        code[:, 1:] = self._registers(code[:, 1:])
        outputs = np.array(self.outputs, dtype=np.int64).reshape(-1, col.OUTPUTS)
        return Tape(code, self._registers(outputs), self.numbers)

    def _registers(self, operands: Any) -> Any:
        is_number = operands % 2 == 1
        results = np.where(is_number, operands // 2, operands // 2 + self.numbers)
        return np.where(operands >= 0, results, operands)


class Reading(NamedTuple):
    """One parameter set, read: its program, its shared arrays by slot, and its numbers."""

    program: Program
    rows: tuple[int, ...]
    numbers: tuple[float, ...]


class Readings(NamedTuple):
    """Several sets of one program: rows and numbers as in `Reading`, set after set."""

    program: Program
    rows: Sequence[int]
    numbers: Sequence[float]


class _Slots(dict[int, int]):
    """Operands of shared arrays by row, numbered as they are first asked for."""

    def __missing__(self, row: int) -> int:
        operand = self[row] = -1 - len(self)
        return operand


class Recorder:
    """The operations of one parameter set, in order; parameter sets come by the thousand."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget the set before."""
        self.numbers: list[Any] = []  # floats, and symbols where parameters are some
        self._code: list[int] = []
        self._slots = _Slots()

    @property
    def rows(self) -> tuple[int, ...]:
        """The shared arrays in use, by their slots."""
        return tuple(self._slots)

    def push(self, code: int, a: Any, b: Any, is_truth: bool = False) -> "Series":
        """Put an operation on one or two operands down; what it gives."""
        operand, code_so_far = self.operand, self._code
        first = operand(a)
        code_so_far += (code, first, first if b is None else operand(b), first)
        return Series(self, -1, len(code_so_far) // 2 - 2, is_truth)

    def push_where(self, condition: "Series", a: Any, b: Any) -> "Series":
        """Put numpy.where down."""
        operand = self.operand
        self._code += (op.WHERE, operand(condition), operand(a), operand(b))
        return Series(self, -1, len(self._code) // 2 - 2, False)

    def operand(self, item: Any) -> int:
        """The number by which a series or a number is known on this tape."""
        if type(item) is Series:
            result = item.result
            return result if result >= 0 else self._slots[item.row]
        if type(item) is Symbol:
            self.numbers.append(item)
            return len(self.numbers) * 2 - 1
        is_exact = isinstance(item, int) and -EXACT <= item <= EXACT
        if is_exact or isinstance(item, float):
            self.numbers.append(float(item))
            return len(self.numbers) * 2 - 1
        raise Untraceable

    def program(self, outputs: list[Any]) -> Program:
        """What was put down; outputs are series or None, OUTPUTS for each feed."""
        operands = []
        for item in outputs:
            if item is not None and type(item) is not Series:
                raise Untraceable
            operands.append(NO_OUTPUT if item is None else self.operand(item))
        return Program(tuple(self._code), tuple(operands), len(self.numbers))


def _arithmetic(code: int, *, reflected: bool = False) -> Callable[["Series", Any], "Series"]:
    def apply(self: "Series", other: Any) -> "Series":
        if self.is_truth and _is_truth(other):
            raise Untraceable
        if reflected:
            return self.recorder.push(code, other, self)
        return self.recorder.push(code, self, other)

    return apply


def _comparison(code: int, *, reflected: bool = False) -> Callable[["Series", Any], "Series"]:
    def apply(self: "Series", other: Any) -> "Series":
        if reflected:
            return self.recorder.push(code, other, self, True)
        return self.recorder.push(code, self, other, True)

    return apply


def _logic(code: int) -> Callable[["Series", Any], "Series"]:
    def apply(self: "Series", other: Any) -> "Series":
        if not (self.is_truth and _is_truth(other)):
            raise Untraceable
        return self.recorder.push(code, self, other, True)

    return apply


def _refuse(*_: Any, **__: Any) -> Any:
    raise Untraceable


class Series:
    """An array that a strategy computes with and never sees.

    Args:
        row: of the shared arrays; -1: it is the result of an operation.
        result: the operand that the result is; -1: it is a shared array.
    """

    __slots__ = ("is_truth", "recorder", "result", "row")

    def __init__(
        self, recorder: Recorder, row: int = -1, result: int = -1, is_truth: bool = False
    ) -> None:
        self.recorder, self.row, self.result, self.is_truth = recorder, row, result, is_truth

    __add__ = __radd__ = _arithmetic(op.ADD)
    __mul__ = __rmul__ = _arithmetic(op.MULTIPLY)
    __sub__, __rsub__ = _arithmetic(op.SUBTRACT), _arithmetic(op.SUBTRACT, reflected=True)
    __truediv__ = _arithmetic(op.DIVIDE)
    __rtruediv__ = _arithmetic(op.DIVIDE, reflected=True)
    __gt__, __lt__ = _comparison(op.GREATER), _comparison(op.GREATER, reflected=True)
    __ge__, __le__ = _comparison(op.GREATER_EQUAL), _comparison(op.GREATER_EQUAL, reflected=True)
    __eq__ = _comparison(op.EQUAL)  # type: ignore[assignment]  # arrays compare elementwise
    __ne__ = _comparison(op.NOT_EQUAL)  # type: ignore[assignment]
    __and__ = __rand__ = _logic(op.AND)
    __or__ = __ror__ = _logic(op.OR)
    __hash__ = None  # type: ignore[assignment]
    __bool__ = __len__ = __iter__ = __getitem__ = __setitem__ = __array__ = _refuse
    __array_ufunc__ = __array_function__ = __getattr__ = _refuse
    __iadd__ = __isub__ = __imul__ = __itruediv__ = __iand__ = __ior__ = _refuse

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """An array, for all that isinstance may tell."""
        return np.ndarray

    def __neg__(self) -> "Series":
        return self * -1.0

    def __invert__(self) -> "Series":
        if not self.is_truth:
            raise Untraceable
        return self.recorder.push(op.NOT, self, None, True)


def _is_truth(item: Any) -> bool:
    return item.is_truth if type(item) is Series else isinstance(item, bool | np.bool_)


class TracingNumpy:
    """NumPy for a strategy that is being traced: `where` and `isnan` of series go on the tape."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @cached_property
    def where(self) -> Any:
        """numpy.where."""
        return _where

    @cached_property
    def isnan(self) -> Any:
        """numpy.isnan."""
        return _isnan


def _where(condition: Any, *choices: Any) -> Any:
    if type(condition) is not Series:
        return np.where(condition, *choices)
    a, b = choices if len(choices) == 2 else (True, True)
    if not condition.is_truth or _is_truth(a) or _is_truth(b):
        raise Untraceable
    return condition.recorder.push_where(condition, a, b)


def _isnan(values: Any, **how: Any) -> Any:
    if type(values) is not Series:
        return np.isnan(values, **how)
    return values.recorder.push(op.IS_NAN, values, None, True)
