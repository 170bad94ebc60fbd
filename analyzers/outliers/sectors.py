"""How the others of a sector did against the benchmark, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sectors:
    """Which columns are together.

    Args:
        names: of the sector of each column; None where it is not known.
        order: the columns that have a sector, sector by sector.
        starts: where each sector begins in `order`.
        group: the number of each column's sector, -1 for none.
    """

    names: tuple[str | None, ...]
    order: Ints
    starts: Ints
    group: Ints

    @staticmethod
    def of(symbols: Sequence[str], sectors: Mapping[str, str]) -> "Sectors":
        """The sectors of these symbols."""
        names = tuple(sectors.get(symbol) for symbol in symbols)
        known = sorted({name for name in names if name is not None})
        number = {name: place for place, name in enumerate(known)}
        group = np.array([-1 if name is None else number[name] for name in names], dtype=np.int64)
        order = np.argsort(group, kind="stable")
        order = order[group[order] >= 0]
        starts = np.searchsorted(group[order], np.arange(len(known)))
        return Sectors(names, order, starts.astype(np.int64), group)

    def members(self) -> list[Ints]:
        """The columns of each sector."""
        return np.split(self.order, self.starts[1:]) if len(self.starts) else []

    def excess(self, returns: Floats, benchmark: Floats) -> Floats:
        """Mean return of the sector's other members minus the benchmark's, (T, N).

        A column is no part of what it is measured against. NaN without sector, other member or
        benchmark.
        """
        answer = np.full(returns.shape, np.nan)
        if not len(self.order):
            return answer
        held = np.ascontiguousarray(returns[:, self.order])
        known = ~np.isnan(held)
        values = np.where(known, held, 0.0)
        place = self.group[self.order]
        total = np.add.reduceat(values, self.starts, axis=1)[:, place] - values
        count = np.add.reduceat(known.astype(np.int64), self.starts, axis=1)[:, place] - known
        mean = np.divide(total, count, out=np.full(held.shape, np.nan), where=count > 0)
        answer[:, self.order] = mean - benchmark[:, None]
        return answer
