"""The screen of whole sessions, from frames to a report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime

import pandas as pd

from analyzers.outliers.baseline import Baseline, Context
from analyzers.outliers.limits import Limits
from analyzers.outliers.report import OutlierReport, ScreenedDay
from analyzers.outliers.screening import Screen
from analyzers.outliers.sessions import Sessions
from analyzers.outliers.tape import Tape
from analyzers.outliers.week import candidates
from feeds.actions import Action

Frames = Mapping[str, pd.DataFrame]

_ROWS = 30  # minutes scored at once: a window of 20 sessions for each of them fits into a cache


def outliers(  # noqa: PLR0913  options are parameters by name
    bars: Frames,
    daily: Frames,
    days: Sequence[date],
    *,
    generated_at: datetime,
    sectors: Mapping[str, str] | None = None,
    benchmark: str = "SPY",
    actions: Sequence[Action] = (),
    calendar: str = "XNYS",
    limits: Limits | None = None,
    missing: Mapping[str, str] | None = None,
) -> OutlierReport:
    """Screen sessions for what is out of line.

    The order of symbols makes no difference.

    Args:
        bars: intraday bars by symbol, of the sessions to be screened and of 20 before them; what
            is not regular hours does not count.
        daily: bars by symbol of some 75 sessions before; those of the day itself are not read.
        days: sessions.
        generated_at: aware.
        sectors: symbol -> sector; who is not in it has no sector.
        benchmark: a symbol of `bars` and `daily`.
        actions: splits and dividends; those that a passport says are adjusted for are only noted.
        missing: symbols that have no bars, and why.

    Raises:
        DataError: no bars, bars of several lengths, or a day that is no session.
    """
    limits = limits or Limits()
    sessions = Sessions.of(bars, calendar, days, limits.sessions)
    context = Context.of(daily, sectors, benchmark, actions, limits)
    wanted = {pd.Timestamp(day) for day in days}
    screened = [
        _screened(sessions, row, context, missing or {})
        for row in sessions.screened
        if sessions.dates[row] in wanted
    ]
    return report_of(screened, sessions, context, generated_at, missing or {})


def _screened(
    sessions: Sessions, row: int, context: Context, missing: Mapping[str, str]
) -> ScreenedDay:
    screen = Screen(Baseline.of(sessions, row, context))
    tape = Tape.of(sessions, row)
    for first in range(0, len(tape.slots), _ROWS):
        screen.add(tape.rows(first, first + _ROWS))
    return screen.day(missing)


def report_of(
    days: Sequence[ScreenedDay],
    sessions: Sessions,
    context: Context,
    generated_at: datetime,
    missing: Mapping[str, str],
) -> OutlierReport:
    """The report of screened sessions, oldest first."""
    passports = sessions.passports.values()
    return OutlierReport(
        schema_version=OutlierReport.VERSION,
        generated_at=generated_at,
        as_of=days[-1].date,
        source=_together(passport.source for passport in passports),
        feed=_together(passport.feed for passport in passports),
        adjustment=_together(passport.adjustment for passport in passports),
        calendar=sessions.calendar,
        bar_minutes=sessions.step,
        benchmark=context.benchmark,
        universe=len({*sessions.symbols, *missing}),
        parameters=asdict(context.limits),
        days=tuple(days),
        candidates=candidates(days),
    )


def _together(words: Iterable[str]) -> str:
    return ", ".join(sorted({word for word in words if word}))
