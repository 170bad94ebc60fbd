"""The indicators of many feeds computed abreast: one loop for each kind of computation.

One after the other, every indicator brings its own code and objects into the processor's caches,
and until the next bar they leave them again. Abreast, a bar touches little more than the newest
value of each line.
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from backtrader.functions import MultiLogic
from backtrader.indicators.basicops import Average, ExponentialSmoothing
from backtrader.indicators.crossover import NonZeroDifference
from backtrader.linebuffer import LineBuffer, LinesOperation, _LineDelay

from live.direct import first, written

Row = tuple[Any, ...]  # what one computation needs: arrays, read from their ends, and numbers
Values = Callable[[Sequence[Row]], Iterable[float]]


class Cell(NamedTuple):
    """What one indicator computes at a bar.

    Args:
        values: computes it, for all rows of its kind at once.
        sources: lines that it reads.
        written: its own line, then those bound to it.
    """

    values: Values
    row: Row
    sources: tuple[Any, ...]
    written: tuple[LineBuffer, ...]


class Level:
    """Cells of one kind, none of which reads what another one writes.

    Args:
        cells: the sources of each have their values when the level is taken.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._values = cells[0].values
        self._rows = [cell.row for cell in cells]
        # Their attributes as mappings: Python remembers where an attribute is for one class only.
        self._lines = [
            (vars(line), line.array.append, place)
            for place, cell in enumerate(cells)
            for line in cell.written
        ]

    def take(self, longer: Mapping[int, int]) -> None:
        """Compute, and let each line grow by its value.

        Args:
            longer: each length that a line may have, and one more; lines that share their numbers
                do not fill the processor's caches with their own.
        """
        found = array("d", self._values(self._rows))
        for line, append, place in self._lines:
            length = line["lencount"]
            line["_idx"], line["lencount"] = length, longer[length]
            append(found[place])


def cell(indicator: Any) -> Cell | None:
    """The computation of an indicator that is one of Backtrader's commonest; None: another one."""
    read = None if "next" in vars(indicator) else _CELLS.get(type(indicator).next)
    found = read and read(indicator)
    return found if found and all(isinstance(s, LineBuffer) for s in found.sources) else None


def levels(cells: Iterable[Cell]) -> list[Level]:
    """Cells in their order of sources before those who read them, made into levels."""
    depths: dict[int, int] = {}  # by line
    kinds: defaultdict[tuple[int, Values], list[Cell]] = defaultdict(list)
    for one in cells:
        depth = 1 + max((depths.get(id(source), 0) for source in one.sources), default=0)
        depths |= {id(line): depth for line in one.written}
        kinds[depth, one.values].append(one)
    return [Level(kinds[key]) for key in sorted(kinds, key=lambda key: key[0])]


def _operation(line: Any) -> Cell | None:
    if line.btime:
        return None
    reads_a, reads_b = line.bline or not line.r, line.bline or line.r
    a = line.a.array if reads_a else (line.a,)
    b = line.b.array if reads_b else (line.b,)
    sources = (line.a,) * reads_a + (line.b,) * reads_b
    return Cell(_operated, (line.operation, a, b), sources, written(line))


def _operated(rows: Sequence[Row]) -> Iterable[float]:
    return [operation(a[-1], b[-1]) for operation, a, b in rows]


def _delay(line: Any) -> Cell | None:
    if not isinstance(line.a, LineBuffer):
        return None
    return Cell(_delayed, (line.a.array, line.ago - 1), (line.a,), written(line))


def _delayed(rows: Sequence[Row]) -> Iterable[float]:
    return [source[place] for source, place in rows]


def _logic(line: Any) -> Cell | None:
    if not all(isinstance(source, LineBuffer) for source in line.args):
        return None
    arrays = [source.array for source in line.args]
    return Cell(_judged, (line.flogic, arrays), tuple(line.args), written(line))


def _judged(rows: Sequence[Row]) -> Iterable[float]:
    return [logic([source[-1] for source in sources]) for logic, sources in rows]


def _average(indicator: Any) -> Cell:
    source = first(indicator.data)
    row = (source.array, indicator.p.period)
    return Cell(_averaged, row, (source,), written(indicator.line))


def _averaged(rows: Sequence[Row]) -> Iterable[float]:
    return [math.fsum(source[-period:]) / period for source, period in rows]


def _smoothing(indicator: Any) -> Cell:
    source, line = first(indicator.data), indicator.line
    row = (line.array, source.array, indicator.alpha1, indicator.alpha)
    return Cell(_smoothed, row, (source,), written(line))


def _smoothed(rows: Sequence[Row]) -> Iterable[float]:
    return [own[-1] * alpha1 + source[-1] * alpha for own, source, alpha1, alpha in rows]


def _difference(indicator: Any) -> Cell:
    a, b, line = first(indicator.data0), first(indicator.data1), indicator.line
    return Cell(_differing, (a.array, b.array, line.array), (a, b), written(line))


def _differing(rows: Sequence[Row]) -> Iterable[float]:
    return [a[-1] - b[-1] or own[-1] for a, b, own in rows]


_CELLS: Mapping[Any, Callable[[Any], Cell | None]] = {
    LinesOperation.next: _operation,
    _LineDelay.next: _delay,
    MultiLogic.next: _logic,
    Average.next: _average,
    ExponentialSmoothing.next: _smoothing,
    NonZeroDifference.next: _difference,
}
