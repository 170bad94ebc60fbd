"""Intraday bars cut into sessions and minutes of session."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from brokers.errors import DataError
from feeds import calendars
from feeds.bars import check_bars
from feeds.passport import KEY, Passport
from feeds.timeframe import Timeframe

Floats = npt.NDArray[np.float64]
Cells = tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]

_CHUNK = 256  # symbols whose bars are turned round at once
_MINUTE_NS = 60_000_000_000


@dataclass(frozen=True, eq=False)
class Sessions:
    """Bars of N symbols in S sessions of up to M bars each; NaN where there is none.

    Args:
        dates: of the sessions, naive.
        opens: of the sessions, UTC.
        lengths: (S,) bars that a whole session has; half-days have fewer than M.
        step: minutes of a bar.
        symbols: in alphabetical order, so that no result depends on theirs.
        close, volume: (S, M, N).
        open, high, low: (K, M, N), of the last K sessions only, which are those to be screened.
        passports: of every symbol.
    """

    calendar: str
    dates: pd.DatetimeIndex
    opens: pd.DatetimeIndex
    lengths: npt.NDArray[np.int64]
    step: int
    symbols: tuple[str, ...]
    close: Floats
    volume: Floats
    open: Floats
    high: Floats
    low: Floats
    passports: Mapping[str, Passport]

    @staticmethod
    def of(
        frames: Mapping[str, pd.DataFrame], calendar: str, days: Sequence[date], before: int
    ) -> "Sessions":
        """The bars of the sessions from the first to the last of `days`, and of `before` more.

        Bars outside sessions do not count.

        Raises:
            DataError: no frames, no intraday bars, bars of several lengths, a day without session.
        """
        if not frames:
            raise DataError("outliers: there are no bars: name at least one symbol that has some")
        dates, screened = _dates(calendar, days, before)
        opens = calendars.session_open(calendar, dates)
        closes = calendars.session_close(calendar, dates)
        symbols = tuple(sorted(frames))
        step = _step(frames, symbols)
        minutes = (closes - opens) // pd.Timedelta(minutes=step)
        lengths = np.asarray(minutes, dtype=np.int64)
        grid = _Grid(opens.as_unit("ns").asi8, lengths, step, screened)
        tables, passports = grid.filled(frames, symbols)
        close, volume, open_, high, low = tables
        return Sessions(
            calendar, dates, opens, lengths, step, symbols, close, volume, open_, high, low,
            passports,
        )  # fmt: skip

    @property
    def screened(self) -> range:
        """The rows of the sessions that have all five columns."""
        return range(len(self.dates) - len(self.open), len(self.dates))

    def shown_last(self, row: int) -> Floats:
        """Closes of one session, (M, N), gaps filled by the last; NaN before the first."""
        return shown_last(self.close[row])


def shown_last(values: Floats) -> Floats:
    """Each column's last value that is no NaN, (T, N); NaN before its first."""
    rows = np.arange(len(values), dtype=np.int32)[:, None]
    latest = np.maximum.accumulate(np.where(np.isnan(values), 0, rows), axis=0)
    return np.take_along_axis(values, latest, axis=0)


def days_of(frames: Mapping[str, pd.DataFrame], calendar: str) -> dict[str, pd.DataFrame]:
    """Daily bars made of intraday bars, stamped with midnight UTC of the session's date."""
    return {symbol: _days(frame, symbol, calendar) for symbol, frame in frames.items()}


def _days(frame: pd.DataFrame, symbol: str, calendar: str) -> pd.DataFrame:
    bars = check_bars(frame, symbol)
    opened = calendars.current_open(calendar, pd.DatetimeIndex(bars.index))
    bars = bars[opened.notna()]
    dates = calendars.session_dates(calendar, opened.dropna()).tz_localize("UTC")
    daily = bars.groupby(dates.rename("time")).agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    daily.attrs = {}
    return daily


def _dates(calendar: str, days: Sequence[date], before: int) -> tuple[pd.DatetimeIndex, int]:
    if not days:
        raise DataError("outliers: no day to screen: name at least one")
    first, last = min(days), max(days)
    reach = pd.Timestamp(first) - pd.Timedelta(days=2 * before + 15)
    dates = calendars.sessions(calendar, reach.date(), last)
    begin = int(dates.searchsorted(pd.Timestamp(first)))
    for day in days:
        if pd.Timestamp(day) not in dates:
            raise DataError(f"outliers: {day} is no session of {calendar}: choose a trading day")
    return dates[max(begin - before, 0) :], len(dates) - begin


def _step(frames: Mapping[str, pd.DataFrame], symbols: Sequence[str]) -> int:
    """Minutes of a bar: what the passports say, or else the symbol that has the most bars."""
    held = {symbol: frames[symbol].attrs.get(KEY) for symbol in symbols}
    told = {s: Timeframe(p.timeframe) for s, p in held.items() if isinstance(p, Passport)}
    if not told:
        fullest = max(symbols, key=lambda symbol: len(frames[symbol]))
        index = pd.DatetimeIndex(check_bars(frames[fullest], fullest).index)
        told = {fullest: Timeframe.of(index)} if len(index) > 1 else {}
    for symbol, timeframe in told.items():
        if not timeframe.is_intraday or timeframe.delta is None:
            raise DataError(
                f"{symbol}: outliers are screened in intraday bars, these are {timeframe}: "
                "ask for 1m"
            )
    steps = sorted({timeframe.delta for timeframe in told.values() if timeframe.delta})
    if len(steps) > 1:
        raise DataError(
            f"outliers: bars of {', '.join(str(step) for step in steps)} together: choose one "
            "timeframe"
        )
    return int(steps[0].total_seconds() // 60) if steps else 1


@dataclass(frozen=True, eq=False)
class _Grid:
    opens: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    step: int
    screened: int

    def cells(self, times: npt.NDArray[np.int64]) -> Cells:
        """The cell of each bar in sessions laid end to end, and whether it has one."""
        row = np.searchsorted(self.opens, times, side="right") - 1
        slot = (times - self.opens[row]) // (self.step * _MINUTE_NS)
        inside = (row >= 0) & (slot < self.lengths[row])
        return (row * int(self.lengths.max()) + slot)[inside], inside

    def filled(
        self, frames: Mapping[str, pd.DataFrame], symbols: Sequence[str]
    ) -> tuple[list[Floats], dict[str, Passport]]:
        """close, volume, open, high, low; the bars of many symbols are turned round together."""
        sessions, width = len(self.opens), int(self.lengths.max())
        kept = (sessions, sessions, self.screened, self.screened, self.screened)
        tables = [np.full((rows, width, len(symbols)), np.nan) for rows in kept]
        passports: dict[str, Passport] = {}
        for first in range(0, len(symbols), _CHUNK):
            part = symbols[first : first + _CHUNK]
            block = np.full((5, len(part), sessions, width), np.nan)
            for number, (passport, values, cells) in enumerate(self._read(frames, part)):
                passports[part[number]] = passport
                block[:, number].reshape(5, -1)[:, cells] = values
            for table, turned in zip(tables, block, strict=True):
                span = turned[:, sessions - len(table) :]
                table[:, :, first : first + len(part)] = span.transpose(1, 2, 0)
        return tables, passports

    def _read(
        self, frames: Mapping[str, pd.DataFrame], symbols: Sequence[str]
    ) -> Iterator[tuple[Passport, Floats, npt.NDArray[np.int64]]]:
        known: tuple[npt.NDArray[np.int64], Cells] | None = None
        for symbol in symbols:
            bars = check_bars(frames[symbol], symbol)
            times = pd.DatetimeIndex(bars.index).asi8
            if known is None or not np.array_equal(known[0], times):
                known = times, self.cells(times)
            cells, inside = known[1]
            values = bars[["close", "volume", "open", "high", "low"]].to_numpy().T
            yield _passport(frames[symbol], symbol, self.step), values[:, inside], cells


def _passport(frame: pd.DataFrame, symbol: str, step: int) -> Passport:
    held = frame.attrs.get(KEY)
    return held if isinstance(held, Passport) else Passport(symbol, "frame", f"{step}m", "")
