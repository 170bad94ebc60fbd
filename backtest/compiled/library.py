"""Results of strategies.arrays, shared by all parameter sets that need the same."""

import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from inspect import signature
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from backtest.compiled import operations as op
from backtest.compiled.desk import Floats, Ints
from backtest.compiled.kernel import rebuilt
from backtest.compiled.symbols import Seen
from backtest.compiled.tracing import Recorder, Series, Untraceable
from strategies import arrays

Postpone = Callable[[str, tuple[Any, ...]], object]
ON_TAPE = {"crossover": op.CROSSOVER, "latch": op.LATCH, "changes": op.CHANGES}


class Library:
    """Functions of strategies.arrays by name, for series and for arrays, each result made once.

    Series name rows of `table`. Arrays are known by identity: those that `know` was told of, and
    the results of the functions for them, which cannot be written to.

    Args:
        kernel: the compiled functions.
        table: (rows, S) to fill.
    """

    def __init__(self, kernel: SimpleNamespace, table: Floats) -> None:
        self.table = table
        self.recorder = Recorder()
        self.is_unready = False  # some result of the last set has no value in its last row
        self._kernel = kernel
        self._rows: dict[Hashable, tuple[Series, bool]] = {}
        self._used: int = 0
        self._reserved = 0
        self._known: dict[int, np.ndarray] = {}
        self._known_bytes = 0
        self._results: dict[Hashable, np.ndarray] = {}
        self._halves: dict[int, Any] = {}
        self._postpone: Postpone | None = None
        self._postponed = 0
        self.functions = self._functions()

    def clear(self) -> None:
        """Forget everything but what is to come."""
        self._rows, self._used = {}, 0
        self._known, self._results, self._halves = {}, {}, {}
        self._known_bytes = 0

    @property
    def room(self) -> int:
        """How many rows are free."""
        return len(self.table) - self._used

    @property
    def held_bytes(self) -> int:
        """What is kept, in bytes."""
        return self._known_bytes + self._used * int(self.table.strides[0])

    def know(self, values: np.ndarray) -> np.ndarray:
        """Recognise this array from now on."""
        if self._known.get(id(values)) is not values:
            self._known[id(values)] = values
            self._known_bytes += values.nbytes
        return values

    @contextmanager
    def postponing(self, postpone: Postpone) -> Iterator[None]:
        """For the block, calls with symbols go to `postpone`; the row of number k is -2 - k."""
        self._postpone, self._postponed = postpone, 0
        try:
            yield
        finally:
            self._postpone = None

    @contextmanager
    def reserving(self, rows: int) -> Iterator[None]:
        """For the block, so many rows stay free: a series that would take one is Untraceable."""
        self._reserved = rows
        try:
            yield
        finally:
            self._reserved = 0

    def series(self, key: Hashable, values: np.ndarray) -> Series:
        """A series of a row with these values, made at the first asking."""
        found = self._rows.get(key)
        return self._shelve(key, values) if found is None else found[0]

    def put(self, values: np.ndarray) -> int:
        """A row with these values."""
        row = self._used
        self.table[row] = values
        self._used = row + 1
        return row

    def _shelve(self, key: Hashable, values: np.ndarray) -> Series:
        if values.dtype != np.float64 or self.room <= self._reserved:
            raise Untraceable
        row = self.put(values)
        is_unready = bool(math.isnan(self.table[row, -1]))
        self.is_unready |= is_unready
        series = Series(self.recorder, row=row)
        self._rows[key] = series, is_unready
        return series

    def _functions(self) -> dict[str, Any]:
        """strategies.arrays with its slow parts compiled, then each function shared."""
        names = dict(vars(arrays))
        own = {
            name: item
            for name, item in names.items()
            if isinstance(item, FunctionType) and item.__module__ == arrays.__name__
        }
        names |= {name: rebuilt(function, names) for name, function in own.items()}
        names |= {"sma": self._sma, "_smoothed": self._smoothed}
        return {
            name: self._shared(name, names[name], function)
            for name, function in own.items()
            if not name.startswith("_")
        }

    def _shared(self, name: str, make: Callable[..., Any], original: Any) -> Callable[..., Any]:
        words = tuple(signature(original).parameters)
        on_tape = ON_TAPE.get(name)

        def call(*args: Any, **named: Any) -> Any:
            if named:
                args += tuple([named[word] for word in words[len(args) :] if word in named])
            for item in args:
                if type(item) is Series:
                    break
            else:
                return self._computed(name, make, args)
            return self._traced(name, make, args) if on_tape is None else self._on_tape(name, args)

        return call

    def _traced(self, name: str, make: Callable[..., Any], args: tuple[Any, ...]) -> Series:
        rows = [item.row if type(item) is Series else None for item in args]
        key = (name, *rows, *[item for item in args if type(item) is not Series])
        try:
            found = self._rows.get(key)
        except Seen:  # a symbol has no hash
            return self._later(name, args)
        except TypeError:
            raise Untraceable from None
        if found is not None:
            self.is_unready |= found[1]
            return found[0]
        if -1 in rows:
            raise Untraceable
        if any(row is not None and row < 0 for row in rows):
            return self._later(name, args)
        values = [self.table[item.row] if type(item) is Series else item for item in args]
        return self._shelve(key, make(*values))

    def _later(self, name: str, args: tuple[Any, ...]) -> Series:
        """What a call will give that depends on symbols."""
        if self._postpone is None or any(type(it) is Series and it.row == -1 for it in args):
            raise Untraceable
        self._postpone(name, args)
        self._postponed += 1
        return Series(self.recorder, row=-1 - self._postponed)

    def _on_tape(self, name: str, args: tuple[Any, ...]) -> Series:
        first, *others = args
        if not all(type(item) is Series for item in args):
            raise Untraceable
        if name == "latch" and not all(item.is_truth for item in args):
            raise Untraceable
        return self.recorder.push(ON_TAPE[name], first, others[0] if others else None)

    def _computed(self, name: str, make: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if not all(self._is_known(item) for item in args):
            return make(*args)
        key = (name, *(("array", id(item)) if _is_array(item) else item for item in args))
        found = self._results.get(key)
        if found is None:
            found = self.know(np.asarray(make(*args)))
            found.flags.writeable = False
            self._results[key] = found
        self.is_unready |= bool(np.isnan(found[-1:]).any())
        return found

    def _is_known(self, item: Any) -> bool:
        if not _is_array(item):
            return isinstance(item, int | float | str | tuple)
        return self._known.get(id(item)) is item

    def _sma(self, values: np.ndarray, period: int) -> np.ndarray:
        halves = self._halves_of(values) if values.ndim == 1 else None
        if halves is None or period < 1 or len(values) < period:
            return arrays.sma(values, period)
        high, low, half, unit, bits = halves
        if bits + int(period).bit_length() > 53:
            return arrays.sma(values, period)
        out = np.empty(len(values))
        self._kernel.window_means(high, low, int(period), half, unit, out)
        return out

    def _halves_of(self, values: np.ndarray) -> Any:
        place = self._place(values)
        if place is None:
            return _halves(values)
        if place not in self._halves:
            self._halves[place] = _halves(values)
        return self._halves[place]

    def _place(self, values: np.ndarray) -> int | None:
        """Where these values stay as they are: a row, or an array that is known; else None."""
        if self._known.get(id(values)) is values:
            return id(values)
        is_row = values.base is self.table and values.size == self.table.shape[1]
        return int(values.__array_interface__["data"][0]) if is_row else None

    def _smoothed(self, values: np.ndarray, period: int, alpha: float) -> np.ndarray:
        values = np.asarray(values, dtype=np.float64)
        if values.ndim == 2:
            columns = [np.ascontiguousarray(column) for column in values.T]
            return np.stack([self._smoothed(each, period, alpha) for each in columns], axis=1)
        present = np.flatnonzero(~np.isnan(values))
        first = int(present[0]) + period if len(present) else len(values) + 1
        if first > len(values):
            return np.full(len(values), np.nan)
        out = np.empty(len(values))
        out[:first] = arrays.wilder(values[:first], period)  # its last row is the first mean
        self._kernel.smooth(values, first - 1, float(alpha), out)
        return out


def _is_array(item: Any) -> bool:
    return isinstance(item, np.ndarray)


def _halves(values: np.ndarray) -> tuple[Ints, Ints, float, float, int] | None:
    """Running sums of the values as exact integers, as strategies.arrays.sma cuts them.

    Returns:
        high, low, half, unit, and the bits that each half may take; None where they do not fit.
    """
    exponents = np.frexp(values[values != 0.0])[1]
    if not len(exponents) or not np.isfinite(values).all():
        return None
    unit = int(exponents.min()) - 53
    bits = (int(exponents.max()) - unit + 1) // 2
    if unit <= -900 or exponents.max() >= 900 or bits > 52:
        return None
    high = np.floor(np.ldexp(values, -(unit + bits)))
    low = np.ldexp(values - np.ldexp(high, unit + bits), -unit)
    sums = [np.concatenate(([0], np.cumsum(part.astype(np.int64)))) for part in (high, low)]
    return sums[0], sums[1], math.ldexp(1.0, bits), math.ldexp(1.0, unit), bits


def as_floats(values: Any) -> Floats:
    """A strategy's own array in the kernel's type."""
    return np.ascontiguousarray(values, dtype=np.float64)
