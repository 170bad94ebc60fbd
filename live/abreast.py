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
from operator import itemgetter
from typing import Any, NamedTuple

from backtrader.functions import MultiLogic
from backtrader.indicators.basicops import Average, ExponentialSmoothing
from backtrader.indicators.crossover import NonZeroDifference
from backtrader.linebuffer import LineBuffer, LinesOperation, _LineDelay

from feeds.late import Ledger, is_readable
from live.direct import first, written

Column = Iterable[float]  # one operand of each of some computations
Values = Callable[..., Iterable[float]]
_Places = dict[int, tuple[Ledger, int]]  # in the rows of which ledger a line is, and where in them


class Cell(NamedTuple):
    """What one indicator computes at a bar.

    Args:
        values: computes it, for all cells of its kind at once, from what each was given and from
            a column for each operand.
        given: what it needs besides.
        operands: each a line, and how many bars before its newest value the one to read is, as a
            number of at most 0. Its own line's newest value is that of the bar before.
        written: its own line, then those bound to it.
        windows: lines of which it reads many values.
    """

    values: Values
    given: Any
    operands: tuple[tuple[Any, int], ...]
    written: tuple[LineBuffer, ...]
    windows: tuple[Any, ...] = ()

    @property
    def sources(self) -> tuple[Any, ...]:
        """The lines that it reads; its own aside."""
        read = (*(line for line, _ in self.operands), *self.windows)
        return tuple(line for line in read if line is not self.written[0])


class Level:
    """Cells of one kind, none of which reads what another one writes.

    Args:
        cells: the sources of each have their values when the level is taken.
        places: where the lines of earlier levels are, by line; those of this one are added.
    """

    def __init__(self, cells: Sequence[Cell], places: _Places) -> None:
        lines = [(line, place) for place, one in enumerate(cells) for line in one.written]
        self.ledger = Ledger(lines)
        places |= {id(line): (self.ledger, place) for line, place in lines}
        self._values = cells[0].values
        self._given = [cell.given for cell in cells]
        operands = zip(*(cell.operands for cell in cells), strict=True)
        self._columns = [_column(alike, places) for alike in operands]

    def take(self) -> None:
        """Compute; the lines will grow by it."""
        found = self._values(self._given, *[column() for column in self._columns])
        self.ledger.owe(array("d", found))


def cell(indicator: Any) -> Cell | None:
    """The computation of an indicator that is one of Backtrader's commonest; None: another one."""
    read = None if "next" in vars(indicator) else _CELLS.get(type(indicator).next)
    found = read and read(indicator)
    if not found or not all(isinstance(source, LineBuffer) for source in found.sources):
        return None
    return found if all(map(is_readable, found.written)) else None


def levels(cells: Iterable[Cell]) -> list[Level]:
    """Cells in their order of sources before those who read them, made into levels."""
    depths: dict[int, int] = {}  # by line
    deep: list[tuple[int, Cell]] = []
    for one in cells:
        depth = 1 + max((depths.get(id(source), 0) for source in one.sources), default=0)
        depths |= {id(line): depth for line in one.written}
        deep.append((depth, one))
    made: list[Level] = []
    places: _Places = {}
    for _, group in groupby(sorted(deep, key=itemgetter(0)), key=itemgetter(0)):
        kinds: defaultdict[tuple[Any, ...], list[Cell]] = defaultdict(list)
        for _, one in group:
            origins = ((places.get(id(line), (None,))[0], ago) for line, ago in one.operands)
            kinds[one.values, *origins].append(one)
        made += [Level(alike, places) for alike in kinds.values()]
    return made


def _column(operands: Sequence[tuple[Any, int]], places: _Places) -> Callable[[], Column]:
    """What gives values of lines that are all of feeds, or all of one ledger; all equally old."""
    lines, (_, ago) = [line for line, _ in operands], operands[0]
    if id(lines[0]) not in places:
        return lambda: [line.array[ago - 1] for line in lines]
    ledger, _ = places[id(lines[0])]
    ledger.keep(1 - ago)
    rows, order = ledger.rows, [places[id(line)][1] for line in lines]

    def column() -> Column:
        if len(rows) < 1 - ago:
            return [line.array[ago - 1] for line in lines]
        return map(rows[ago - 1].__getitem__, order)

    return column


def _operation(line: Any) -> Cell | None:
    if line.btime:
        return None
    a, b, operation = line.a, line.b, line.operation
    if line.bline:
        return Cell(_operated, operation, ((a, 0), (b, 0)), written(line))
    if line.r:
        return Cell(_operated_right, (operation, a), ((b, 0),), written(line))
    return Cell(_operated_left, (operation, b), ((a, 0),), written(line))


def _operated(given: Sequence[Any], a: Column, b: Column) -> Iterable[float]:
    return [operation(x, y) for operation, x, y in zip(given, a, b, strict=True)]


def _operated_left(given: Sequence[Any], a: Column) -> Iterable[float]:
    return [operation(x, y) for (operation, y), x in zip(given, a, strict=True)]


def _operated_right(given: Sequence[Any], b: Column) -> Iterable[float]:
    return [operation(x, y) for (operation, x), y in zip(given, b, strict=True)]


def _delay(line: Any) -> Cell | None:
    if not isinstance(line.a, LineBuffer):
        return None
    return Cell(_delayed, None, ((line.a, line.ago),), written(line))


def _delayed(_: Sequence[Any], source: Column) -> Iterable[float]:
    return source


def _logic(line: Any) -> Cell | None:
    if not all(isinstance(source, LineBuffer) for source in line.args):
        return None
    return Cell(_judged, line.flogic, tuple((source, 0) for source in line.args), written(line))


def _judged(given: Sequence[Any], *columns: Column) -> Iterable[float]:
    return [logic([*each]) for logic, each in zip(given, zip(*columns, strict=True), strict=True)]


def _average(indicator: Any) -> Cell:
    source = first(indicator.data)
    given = (source, indicator.p.period)
    return Cell(_averaged, given, (), written(indicator.line), (source,))


def _averaged(given: Sequence[Any]) -> Iterable[float]:
    return [math.fsum(source.array[-period:]) / period for source, period in given]


def _smoothing(indicator: Any) -> Cell:
    operands = ((indicator.line, 0), (first(indicator.data), 0))
    return Cell(_smoothed, (indicator.alpha1, indicator.alpha), operands, written(indicator.line))


def _smoothed(given: Sequence[Any], own: Column, sources: Column) -> Iterable[float]:
    return [
        before * alpha1 + source * alpha
        for (alpha1, alpha), before, source in zip(given, own, sources, strict=True)
    ]


def _difference(indicator: Any) -> Cell:
    operands = tuple((first(line), 0) for line in (indicator.data0, indicator.data1, indicator))
    return Cell(_differing, None, operands, written(indicator.line))


def _differing(_: Sequence[Any], a: Column, b: Column, own: Column) -> Iterable[float]:
    return [x - y or before for x, y, before in zip(a, b, own, strict=True)]


_CELLS: Mapping[Any, Callable[[Any], Cell | None]] = {
    LinesOperation.next: _operation,
    _LineDelay.next: _delay,
    MultiLogic.next: _logic,
    Average.next: _average,
    ExponentialSmoothing.next: _smoothing,
    NonZeroDifference.next: _difference,
}
