"""The indicators of many feeds computed abreast: one loop for each kind of computation.

One after the other, every indicator brings its own code and objects into the processor's caches,
and until the next bar they leave them again. Abreast, a bar touches little more than rows of
numbers: each computation reads what others have found at this bar, and the lines grow later.
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from backtrader.functions import MultiLogic
from backtrader.indicators.basicops import Average, ExponentialSmoothing
from backtrader.indicators.crossover import NonZeroDifference
from backtrader.linebuffer import LineBuffer, LinesOperation, _LineDelay

from feeds.late import Ledger
from live.direct import first, written

Column = Iterable[float]  # one operand of each of some computations
Values = Callable[..., Iterable[float]]


class Cell(NamedTuple):
    """What one indicator computes at a bar.

    Args:
        values: computes it, for all cells of its kind at once, from what each was given and from
            a column for each operand.
        given: what it needs besides.
        operands: lines whose newest values it reads.
        earlier: lines of which it reads more, for itself.
        written: its own line, then those bound to it.
    """

    values: Values
    given: Any
    operands: tuple[Any, ...]
    earlier: tuple[Any, ...]
    written: tuple[LineBuffer, ...]

    @property
    def sources(self) -> tuple[Any, ...]:
        """All lines that it reads."""
        return self.operands + self.earlier


class Level:
    """Cells of one kind, none of which reads what another one writes.

    Args:
        cells: the sources of each have their values when the level is taken.
        columns: what gives each of their operands.
    """

    def __init__(self, cells: Sequence[Cell], columns: Sequence[Callable[[], Column]]) -> None:
        self.ledger = Ledger([(line, at) for at, one in enumerate(cells) for line in one.written])
        self._values = cells[0].values
        self._given = [cell.given for cell in cells]
        self._columns = columns

    def take(self) -> None:
        """Compute; the lines will grow by it."""
        found = self._values(self._given, *[column() for column in self._columns])
        self.ledger.owe(array("d", found))


def cell(indicator: Any) -> Cell | None:
    """The computation of an indicator that is one of Backtrader's commonest; None: another one."""
    read = None if "next" in vars(indicator) else _CELLS.get(type(indicator).next)
    found = read and read(indicator)
    return found if found and all(isinstance(s, LineBuffer) for s in found.sources) else None


def levels(cells: Iterable[Cell]) -> list[Level]:
    """Cells in their order of sources before those who read them, made into levels."""
    depths: dict[int, int] = {}  # by line
    deep: list[tuple[int, Cell]] = []
    for one in cells:
        depth = 1 + max((depths.get(id(source), 0) for source in one.sources), default=0)
        depths |= {id(line): depth for line in one.written}
        deep.append((depth, one))
    made: list[Level] = []
    places: dict[int, tuple[Ledger, int]] = {}  # by line
    for _, group in groupby(sorted(deep, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        kinds: defaultdict[tuple[Any, ...], list[Cell]] = defaultdict(list)
        for _, one in group:
            ledgers = (places[id(line)][0] if id(line) in places else None for line in one.operands)
            kinds[one.values, *ledgers].append(one)
        for alike in kinds.values():
            operands = zip(*(one.operands for one in alike), strict=True)
            level = Level(alike, [_column(lines, places) for lines in operands])
            made.append(level)
            places |= {
                id(line): (level.ledger, at)
                for at, one in enumerate(alike)
                for line in one.written
            }
    return made


def _column(lines: Sequence[Any], places: Mapping[int, tuple[Ledger, int]]) -> Callable[[], Column]:
    """What gives the newest values of lines that are all of feeds, or all of one ledger."""
    if id(lines[0]) not in places:
        return lambda: [line.array[-1] for line in lines]
    rows = places[id(lines[0])][0].rows
    order = [places[id(line)][1] for line in lines]
    return lambda: map(rows[-1].__getitem__, order)


def _operation(line: Any) -> Cell | None:
    if line.btime:
        return None
    a, b, operation = line.a, line.b, line.operation
    if line.bline:
        return Cell(_operated, operation, (a, b), (), written(line))
    if line.r:
        return Cell(_operated_right, (operation, a), (b,), (), written(line))
    return Cell(_operated_left, (operation, b), (a,), (), written(line))


def _operated(given: Sequence[Any], a: Column, b: Column) -> Iterable[float]:
    return [operation(x, y) for operation, x, y in zip(given, a, b, strict=True)]


def _operated_left(given: Sequence[Any], a: Column) -> Iterable[float]:
    return [operation(x, y) for (operation, y), x in zip(given, a, strict=True)]


def _operated_right(given: Sequence[Any], b: Column) -> Iterable[float]:
    return [operation(x, y) for (operation, x), y in zip(given, b, strict=True)]


def _delay(line: Any) -> Cell | None:
    if not isinstance(line.a, LineBuffer):
        return None
    return Cell(_delayed, (line.a, line.ago - 1), (), (line.a,), written(line))


def _delayed(given: Sequence[Any]) -> Iterable[float]:
    return [source.array[place] for source, place in given]


def _logic(line: Any) -> Cell | None:
    if not all(isinstance(source, LineBuffer) for source in line.args):
        return None
    return Cell(_judged, line.flogic, tuple(line.args), (), written(line))


def _judged(given: Sequence[Any], *columns: Column) -> Iterable[float]:
    return [logic([*each]) for logic, each in zip(given, zip(*columns, strict=True), strict=True)]


def _average(indicator: Any) -> Cell:
    source = first(indicator.data)
    given = (source, indicator.p.period)
    return Cell(_averaged, given, (), (source,), written(indicator.line))


def _averaged(given: Sequence[Any]) -> Iterable[float]:
    return [math.fsum(source.array[-period:]) / period for source, period in given]


def _smoothing(indicator: Any) -> Cell:
    line = indicator.line
    given = (line, indicator.alpha1, indicator.alpha)
    return Cell(_smoothed, given, (first(indicator.data),), (), written(line))


def _smoothed(given: Sequence[Any], sources: Column) -> Iterable[float]:
    return [
        own.array[-1] * alpha1 + source * alpha
        for (own, alpha1, alpha), source in zip(given, sources, strict=True)
    ]


def _difference(indicator: Any) -> Cell:
    operands = (first(indicator.data0), first(indicator.data1))
    return Cell(_differing, indicator.line, operands, (), written(indicator.line))


def _differing(given: Sequence[Any], a: Column, b: Column) -> Iterable[float]:
    return [x - y or own.array[-1] for own, x, y in zip(given, a, b, strict=True)]


_CELLS: Mapping[Any, Callable[[Any], Cell | None]] = {
    LinesOperation.next: _operation,
    _LineDelay.next: _delay,
    MultiLogic.next: _logic,
    Average.next: _average,
    ExponentialSmoothing.next: _smoothing,
    NonZeroDifference.next: _difference,
}
