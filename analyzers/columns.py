"""Bar frames side by side: one array a column, a row a time, whatever the symbols' calendars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from brokers.errors import DataError
from feeds.bars import COLUMNS, check_bars
from feeds.passport import KEY, Passport

Floats = npt.NDArray[np.float64]
Frames = Mapping[str, pd.DataFrame]

CLOSES_ONLY = "closes only"
NO_VOLUME = ("closes only", "no volume")


@dataclass(frozen=True, eq=False)
class Columns:
    """Bars of N symbols at T times; NaN where a symbol has no bar.

    Args:
        index: starts of the bars, aware UTC, strictly increasing: every time at which some symbol
            has a bar.
        symbols: in alphabetical order, so that no result depends on theirs.
        open, high, low, close, volume: (T, N), float64.
        passports: of the symbols that have one.
    """

    index: pd.DatetimeIndex
    symbols: tuple[str, ...]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    passports: Mapping[str, Passport] = field(default_factory=dict)

    @staticmethod
    def of(frames: Frames) -> "Columns":
        """The frames aligned.

        Raises:
            DataError: there is no frame, or one is no bar frame.
        """
        if not frames:
            raise DataError("bars: there are none: name at least one symbol that has some")
        symbols = tuple(sorted(frames))
        checked = [check_bars(frames[name], name) for name in symbols]
        index = _union([pd.DatetimeIndex(frame.index) for frame in checked])
        cube = np.full((len(COLUMNS), len(index), len(symbols)), np.nan)
        for number, frame in enumerate(checked):
            cube[:, index.searchsorted(pd.DatetimeIndex(frame.index)), number] = frame.to_numpy().T
        passports = {
            name: held
            for name in symbols
            if isinstance(held := frames[name].attrs.get(KEY), Passport)
        }
        return _columns(index, symbols, list(cube), passports)

    @property
    def shape(self) -> tuple[int, int]:
        """(T, N)."""
        return len(self.index), len(self.symbols)

    @property
    def has_range(self) -> bool:
        """Whether open, high and low are prices of their own in at least one symbol."""
        return any(not self._says(name, (CLOSES_ONLY,)) for name in self.symbols)

    @property
    def has_volume(self) -> bool:
        """Whether at least one symbol has volumes."""
        return any(not self._says(name, NO_VOLUME) for name in self.symbols)

    def number(self, symbol: str) -> int | None:
        """The column of a symbol; None where there is none of that name."""
        place = int(np.searchsorted(np.array(self.symbols), symbol))
        return place if self.symbols[place : place + 1] == (symbol,) else None

    def only(self, symbols: Sequence[str]) -> "Columns":
        """The columns of some of the symbols, all rows; those that are unknown are left out."""
        wanted = sorted(set(symbols) & set(self.symbols))
        places = [self.symbols.index(name) for name in wanted]
        passports = {name: p for name, p in self.passports.items() if name in wanted}
        tables = [table[:, places] for table in self._tables]
        return _columns(self.index, tuple(wanted), tables, passports)

    def until(self, at: pd.Timestamp) -> "Columns":
        """The bars that start at `at` or before."""
        return self.at(np.arange(self.index.searchsorted(at, side="right")))

    def at(self, rows: npt.NDArray[np.intp]) -> "Columns":
        """Some of the rows, by their numbers."""
        tables = [table[rows] for table in self._tables]
        return _columns(self.index[rows], self.symbols, tables, self.passports)

    def shown_last(self) -> "Columns":
        """Prices with gaps filled by the symbol's last close, volumes by 0; NaN before its first.

        A symbol that has ended stays NaN after its last bar.
        """
        close = _last_known(self.close)
        begun = ~np.isnan(close)
        fills = (close, close, close, close, np.zeros_like(close))
        tables = [
            np.where(np.isnan(table) & begun, fill, table)
            for table, fill in zip(self._tables, fills, strict=True)
        ]
        return _columns(self.index, self.symbols, tables, self.passports)

    @property
    def _tables(self) -> tuple[Floats, ...]:
        return self.open, self.high, self.low, self.close, self.volume

    def _says(self, symbol: str, words: Sequence[str]) -> bool:
        passport = self.passports.get(symbol)
        return passport is not None and any(
            text.startswith(tuple(words)) for text in passport.repairs
        )


def _columns(
    index: pd.DatetimeIndex,
    symbols: tuple[str, ...],
    tables: Sequence[Floats],
    passports: Mapping[str, Passport],
) -> Columns:
    open_, high, low, close, volume = tables
    return Columns(index, symbols, open_, high, low, close, volume, passports)


def _union(indexes: Sequence[pd.DatetimeIndex]) -> pd.DatetimeIndex:
    """Most symbols share one index: only what differs is merged."""
    stamps = np.unique(np.concatenate([index.as_unit("ns").asi8 for index in indexes]))
    return pd.DatetimeIndex(stamps, tz="UTC", name="time")


def _last_known(values: Floats) -> Floats:
    """The last value that is no NaN up to each row, NaN before the first and after the last."""
    rows = np.arange(len(values))[:, None]
    known = ~np.isnan(values)
    latest = np.maximum.accumulate(np.where(known, rows, -1), axis=0)
    ended = rows > np.max(np.where(known, rows, -1), axis=0, initial=-1)
    filled: Floats = np.take_along_axis(values, np.maximum(latest, 0), axis=0)
    filled[(latest < 0) | ended] = np.nan
    return filled
