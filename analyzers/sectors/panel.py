"""The bars of a sector report side by side: members by sector, funds, and the benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers.columns import Columns, Frames
from analyzers.sector_map import ETFS, Placed, Sector, SectorMap, sectors_on
from analyzers.sectors.days import by_date
from analyzers.sectors.lines import returns
from analyzers.sectors.settings import SectorSettings
from strategies.arrays import momentum, sector_scores

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Panel:
    """The last rows that a report can depend on.

    Args:
        whole: all bars, a row a date.
        bars: the last rows, gaps shown by the last close; where the benchmark has bars, only its
            dates.
        raw: the same rows as they are.
        sectors: that had a fund on the last day.
        placed: where each member candidate belongs.
        members: columns of the members, in order of sector and then of symbol.
        places: the sector's number of each of those.
    """

    whole: Columns
    bars: Columns
    raw: Columns
    settings: SectorSettings
    sectors: tuple[Sector, ...]
    placed: Mapping[str, Placed]
    members: npt.NDArray[np.intp]
    places: npt.NDArray[np.intp]

    @staticmethod
    def of(frames: Frames, settings: SectorSettings, sector_map: SectorMap) -> "Panel":
        """Align the frames.

        Raises:
            DataError: there is no frame, or one is no frame of days or less.
        """
        whole = Columns.of(by_date(frames))
        rows, market = np.arange(len(whole.index)), whole.number(settings.benchmark)
        if market is not None:
            rows = np.flatnonzero(~np.isnan(whole.close[:, market]))
        rows = rows[-settings.rows :]
        last = whole.index[rows[-1]]
        sectors = sectors_on(last.date())
        apart = {settings.benchmark, *ETFS}
        candidates = [symbol for symbol in whole.symbols if symbol not in apart]
        placed = sector_map.placed(candidates, last.date())
        names = [sector.name for sector in sectors]
        order = sorted(
            (names.index(place.sector), symbol)
            for symbol, place in placed.items()
            if place.sector is not None
        )
        return Panel(
            whole=whole,
            bars=whole.until(last).shown_last().at(rows),
            raw=whole.at(rows),
            settings=settings,
            sectors=sectors,
            placed=placed,
            members=np.array([whole.symbols.index(symbol) for _, symbol in order], dtype=np.intp),
            places=np.array([place for place, _ in order], dtype=np.intp),
        )

    @property
    def last(self) -> pd.Timestamp:
        """The day of the report."""
        last: pd.Timestamp = self.bars.index[-1]
        return last

    @cached_property
    def benchmark(self) -> Floats | None:
        """Closes of the benchmark; None where it has no bars."""
        number = self.bars.number(self.settings.benchmark)
        return None if number is None else self.bars.close[:, number]

    @cached_property
    def funds(self) -> list[int | None]:
        """The column of each sector's fund; None where it has no bars."""
        return [self.bars.number(sector.etf) for sector in self.sectors]

    def of_funds(self, table: Floats) -> Floats:
        """A sector a column: its fund's values, NaN where there is no fund."""
        out = np.full((len(table), len(self.sectors)), np.nan)
        for place, number in enumerate(self.funds):
            if number is not None:
                out[:, place] = table[:, number]
        return out

    def of_members(self, table: Floats) -> Floats:
        """The columns of the members."""
        taken: Floats = table[:, self.members]
        return taken

    def means(self, table: Floats) -> Floats:
        """A sector a column: the mean of its members' values; NaN where too few have one.

        Args:
            table: (T, members), such as momentum.
        """
        out = np.full((len(table), len(self.sectors)), np.nan)
        known = sector_scores(table, self.places.tolist())
        held = dict.fromkeys(self.places.tolist())
        for number, place in enumerate(held):
            count = (~np.isnan(table[:, self.places == place])).sum(axis=1)
            enough = count >= self.settings.min_members
            out[enough, place] = known[enough, number]
        return out

    @cached_property
    def close(self) -> Floats:
        """Closes of the members."""
        return self.of_members(self.bars.close)

    @cached_property
    def daily(self) -> Floats:
        """Returns of the members from day to day."""
        return momentum(self.close, 1)

    @cached_property
    def lines(self) -> Floats:
        """A sector a column: worth of equal shares, made equal anew each day, 1 at its beginning.

        It begins where no later day lacks members.
        """
        means = self.means(self.daily)
        rows = np.arange(len(means))[:, None]
        begin = np.max(np.where(np.isnan(means), rows, 0), axis=0)
        growth = np.where(rows > begin, 1.0 + np.where(np.isnan(means), 0.0, means), 1.0)
        line: Floats = np.asarray(np.cumprod(growth, axis=0))
        line[rows < begin] = np.nan
        line[:, np.isnan(means[-1])] = np.nan
        return line

    @cached_property
    def last_year(self) -> int | None:
        """The last row of the year before the report's; None where there is none."""
        rows = np.flatnonzero(self.bars.index.year < self.last.year)
        return int(rows[-1]) if len(rows) else None

    @cached_property
    def market_returns(self) -> dict[str, Floats]:
        """Of the benchmark by horizon, (1,)."""
        market = self.benchmark
        blank = np.full(len(self.bars.index), np.nan)
        return returns((blank if market is None else market)[:, None], self.last_year)
