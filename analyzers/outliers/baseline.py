"""What was known of every symbol before a session began."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers.columns import Columns
from analyzers.outliers.actions import Factors, factors
from analyzers.outliers.days import Days
from analyzers.outliers.limits import Limits
from analyzers.outliers.residuals import Exposure
from analyzers.outliers.sectors import Sectors
from analyzers.outliers.sessions import Sessions
from brokers.errors import DataError
from feeds.actions import Action
from feeds.passport import Passport

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Context:
    """What does not come from the intraday bars.

    Args:
        daily: None where there are no daily bars at all.
        sectors: symbol -> sector.
        benchmark: a symbol.
        actions: splits and dividends, as far as known; a bar's passport says what is done.
    """

    daily: Columns | None
    sectors: Mapping[str, str]
    benchmark: str
    actions: Sequence[Action]
    limits: Limits

    @staticmethod
    def of(
        daily: Mapping[str, pd.DataFrame],
        sectors: Mapping[str, str] | None,
        benchmark: str,
        actions: Sequence[Action],
        limits: Limits,
    ) -> "Context":
        """The context of frames.

        Raises:
            DataError: the bars are not of days.
        """
        held = Columns.of(daily) if daily else None
        for symbol, passport in held.passports.items() if held else ():
            if passport.timeframe != "1d":
                raise DataError(
                    f"{symbol}: what is usual comes from days, these bars are "
                    f"{passport.timeframe}: give daily bars of 1d"
                )
        return Context(held, sectors or {}, benchmark, tuple(actions), limits)


@dataclass(frozen=True, eq=False)
class Baseline:
    """The yardstick of one session; arrays end with the N symbols unless told otherwise.

    Args:
        day, opens_at, length, step: the session, its bars, and the minutes of a bar.
        previous_close, atr: (N,), in the shares of the day, dividends taken off.
        mean_volume, sessions: (M, N), mean cumulative volume to the minute, and of how many
            sessions it is one.
        returns: (M, N, S), from the previous close to the minute, in the sessions before.
        prints_frac: (N,), share of the bars of the sessions before that there were.
        benchmark: its column; None where it has no bars.
        mixed: column -> why the volumes of today and of the sessions before are not comparable.
        without_daily: column -> why it has no daily bars.
        flags: column -> what is odd about it all day.
    """

    day: date
    opens_at: pd.Timestamp
    length: int
    step: int
    symbols: tuple[str, ...]
    passports: Mapping[str, Passport]
    sectors: Sectors
    previous_close: Floats
    atr: Floats
    mean_volume: Floats
    sessions: Floats
    returns: Floats
    prints_frac: Floats
    exposure: Exposure
    benchmark: int | None
    benchmark_name: str
    limits: Limits
    mixed: Mapping[int, str]
    without_daily: Mapping[int, str]
    flags: Mapping[int, tuple[str, ...]]

    def against(self, feed: str) -> "Baseline":
        """The same for a session whose bars come from `feed`, such as iex.

        Volumes of two feeds are never compared.
        """
        mixed = {
            number: f"today's volume is of {feed or 'no named feed'}, that before of "
            f"{self.passports[symbol].feed or 'no named feed'}"
            for number, symbol in enumerate(self.symbols)
            if self.passports[symbol].feed != feed
        }
        mean = self.mean_volume.copy()
        mean[:, list(mixed)] = np.nan
        return replace(self, mean_volume=mean, mixed=mixed)

    @staticmethod
    def of(sessions: Sessions, row: int, context: Context) -> "Baseline":
        """The yardstick of the session in `row`, from what lies before it."""
        limits, symbols, dates = context.limits, sessions.symbols, sessions.dates
        before = range(max(row - limits.sessions, 0), row)
        day = dates[row].date()
        days = Days.of(context.daily, sessions.passports, sessions.calendar, day, context.actions)
        known = _factors(sessions, before, day, context.actions)
        mean_volume, count = _mean_volume(sessions, before, known, limits.least_sessions)
        sectors = Sectors.of(symbols, context.sectors)
        benchmark = symbols.index(context.benchmark) if context.benchmark in symbols else None
        window = limits.residual_days, limits.least_residual_days
        return Baseline(
            day=day,
            opens_at=sessions.opens[row],
            length=int(sessions.lengths[row]),
            step=sessions.step,
            symbols=symbols,
            passports=sessions.passports,
            sectors=sectors,
            previous_close=days.closes_before(dates[row : row + 1])[0],
            atr=days.atr(limits.atr_days),
            mean_volume=mean_volume,
            sessions=count,
            returns=_returns(sessions, before, known, days),
            prints_frac=_prints(sessions, before),
            exposure=days.exposure(sectors, benchmark, *window),
            benchmark=benchmark,
            benchmark_name=context.benchmark,
            limits=limits,
            mixed={},
            without_daily=days.without,
            flags=_flags(sessions, row, days, context.actions),
        )


def _factors(sessions: Sessions, before: range, day: date, actions: Sequence[Action]) -> Factors:
    closes = [sessions.shown_last(row)[-1:] for row in before]
    blank = np.full((0, len(sessions.symbols)), np.nan)
    adjustments = [sessions.passports[symbol].adjustment for symbol in sessions.symbols]
    dates = sessions.dates[before.start : before.stop]
    names = (sessions.symbols, adjustments)
    return factors(actions, day, dates, np.concatenate([blank, *closes]), names)


def _mean_volume(
    sessions: Sessions, before: range, known: Factors, least: int
) -> tuple[Floats, Floats]:
    """Mean of the cumulative volumes, and how many; a session without any bar does not count."""
    shape = sessions.close.shape[1:]
    total, count = np.zeros(shape), np.zeros(shape)
    for place, row in enumerate(before):
        volume = sessions.volume[row]
        held = ~np.isnan(volume)
        counts = held.any(axis=0) & _is_on(sessions, row)
        running = np.cumsum(np.where(held, volume, 0.0), axis=0) * known.share[place]
        total += np.where(counts, running, 0.0)
        count += counts
    mean = np.full(shape, np.nan)
    return np.divide(total, count, out=mean, where=count >= least), count


def _returns(sessions: Sessions, before: range, known: Factors, days: Days) -> Floats:
    usual = days.closes_before(sessions.dates[before.start : before.stop])
    answer = np.full((*sessions.close.shape[1:], max(len(before), 1)), np.nan)
    for place, row in enumerate(before):
        price = sessions.shown_last(row) * known.price[place]
        answer[..., place] = np.where(_is_on(sessions, row), price / usual[place] - 1.0, np.nan)
    return answer


def _is_on(sessions: Sessions, row: int) -> npt.NDArray[np.bool_]:
    return np.asarray(np.arange(sessions.close.shape[1])[:, None] < sessions.lengths[row])


def _prints(sessions: Sessions, before: range) -> Floats:
    """Share of the bars that there were; NaN where there was no session before."""
    held = np.zeros(len(sessions.symbols))
    for row in before:
        held += (~np.isnan(sessions.close[row])).sum(axis=0)
    possible = int(sessions.lengths[before.start : before.stop].sum())
    return held / possible if possible else np.full(held.shape, np.nan)


def _flags(
    sessions: Sessions, row: int, days: Days, actions: Sequence[Action]
) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    place = {symbol: number for number, symbol in enumerate(sessions.symbols)}
    today = [one for one in actions if one.ex_date == sessions.dates[row].date()]
    for action in sorted(today, key=lambda one: one.symbol):
        if action.symbol in place:
            marks = found.setdefault(place[action.symbol], [])
            marks += ["split today"] * (action.split != 1.0)
            marks += ["dividend today"] * (action.dividend > 0.0)
    for number in np.flatnonzero(days.is_missing(sessions.dates[row - 1])).tolist():
        found.setdefault(number, []).append("no bar on the session before")
    return {number: tuple(marks) for number, marks in found.items()}
