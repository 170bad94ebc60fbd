"""Daily bars before a session, in its shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers.columns import Columns
from analyzers.outliers.actions import factors
from analyzers.outliers.residuals import Exposure, exposure
from analyzers.outliers.sectors import Sectors
from analyzers.outliers.sessions import shown_last
from feeds import calendars
from feeds.actions import Action
from feeds.passport import Passport
from strategies.arrays import atr

Floats = npt.NDArray[np.float64]

NO_DAILY = "no daily bars"
NO_CLOSE = "no daily bar before this session"
ANOTHER = "daily bars are adjusted {daily}, intraday bars {intraday}"


@dataclass(frozen=True, eq=False)
class Days:
    """High, low and close, (D, N), by naive date; NaN where a symbol has no bar.

    Args:
        without: column -> why its bars are not used.
    """

    dates: pd.DatetimeIndex
    high: Floats
    low: Floats
    close: Floats
    without: Mapping[int, str]

    @staticmethod
    def of(
        daily: Columns | None,
        passports: Mapping[str, Passport],
        calendar: str,
        day: date,
        actions: Sequence[Action],
    ) -> "Days":
        """The days before `day` of the symbols that `passports` names, in that order."""
        symbols = tuple(passports)
        places = [None if daily is None else daily.number(symbol) for symbol in symbols]
        without = dict(_without(daily, passports, places))
        if daily is None:
            blank = np.full((0, len(symbols)), np.nan)
            return Days(pd.DatetimeIndex([]), blank, blank, blank, without)
        usable = np.array([number not in without for number in range(len(symbols))])
        taken = np.array([0 if place is None else place for place in places])
        dates, tables = _by_session(daily, calendar, day)
        high, low, close = (np.where(usable, table[:, taken], np.nan) for table in tables)
        adjustments = [_adjustment(daily.passports.get(symbol)) for symbol in symbols]
        price = factors(actions, day, dates, close, (symbols, adjustments)).price
        return Days(dates, high * price, low * price, close * price, without)

    def closes_before(self, dates: pd.DatetimeIndex) -> Floats:
        """The last close before each of the dates, (len(dates), N)."""
        held = np.concatenate((np.full((1, self.close.shape[1]), np.nan), shown_last(self.close)))
        return held[np.asarray(self.dates.searchsorted(dates))]

    def atr(self, period: int) -> Floats:
        """Average true range over each symbol's own bars, (N,)."""
        if not len(self.dates):
            return np.full(self.close.shape[1], np.nan)
        order = np.argsort(~np.isnan(self.close), axis=0, kind="stable")
        high, low, close = (
            np.take_along_axis(x, order, axis=0) for x in (self.high, self.low, self.close)
        )
        return np.asarray(atr(high, low, close, period)[-1])

    def exposure(
        self, sectors: Sectors, benchmark: int | None, window: int, least: int
    ) -> Exposure:
        """Betas and residuals of the last `window` daily returns."""
        close = self.close[-window - 1 :]
        returns = close[1:] / close[:-1] - 1.0
        market = np.full(len(returns), np.nan)
        if benchmark is not None:
            market = returns[:, benchmark]
        return exposure(returns, market, sectors.excess(returns, market), least)

    def is_missing(self, date_before: pd.Timestamp) -> npt.NDArray[np.bool_]:
        """Whether a symbol that has earlier bars has none on that date."""
        row = int(self.dates.searchsorted(date_before))
        begun = np.asarray(~np.isnan(self.close).all(axis=0))
        if row >= len(self.dates) or self.dates[row] != date_before:
            return begun
        return np.asarray(begun & np.isnan(self.close[row]))


def _by_session(
    daily: Columns, calendar: str, day: date
) -> tuple[pd.DatetimeIndex, tuple[Floats, Floats, Floats]]:
    """The sessions before `day`, and high, low and close with a row for each of them.

    Sources stamp a date with different instants, and some symbols trade on other dates, too: a
    session has one row, and what is no session has none.
    """
    dates = calendars.session_dates(calendar, daily.index)
    until = pd.Timestamp(day) - pd.Timedelta(days=1)
    sessions = calendars.sessions(calendar, min(dates[0], until).date(), until.date())
    tables = tuple(np.full((len(sessions), len(daily.symbols)), np.nan) for _ in range(3))
    rows = sessions.get_indexer(dates)
    for repeat in range(int(_repeats(rows).max()) + 1):
        held = (rows >= 0) & (_repeats(rows) == repeat)
        for table, source in zip(tables, (daily.high, daily.low, daily.close), strict=True):
            known = table[rows[held]]
            table[rows[held]] = np.where(np.isnan(known), source[held], known)
    return sessions, (tables[0], tables[1], tables[2])


def _repeats(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """How many rows before each stand for the same session; they lie beside each other."""
    place = np.arange(len(rows))
    is_first = np.concatenate(([True], rows[1:] != rows[:-1]))
    return np.asarray(place - np.maximum.accumulate(np.where(is_first, place, 0)))


def _without(
    daily: Columns | None, passports: Mapping[str, Passport], places: Sequence[int | None]
) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for number, (symbol, place) in enumerate(zip(passports, places, strict=True)):
        if daily is None or place is None:
            found.append((number, NO_DAILY))
            continue
        one, other = _adjustment(daily.passports.get(symbol)), passports[symbol].adjustment
        if one != other and "unknown" not in {one, other}:
            found.append((number, ANOTHER.format(daily=one, intraday=other)))
    return found


def _adjustment(passport: Passport | None) -> str:
    return "unknown" if passport is None else passport.adjustment
