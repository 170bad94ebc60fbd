"""`python -m analyzers outliers`: what was out of line in a session or a week of any feed."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from analyzers import options
from analyzers.outlier import Limits, outliers
from analyzers.outliers.asked import CALENDAR, SPARE, before, days, days_for
from analyzers.outliers.printing import Delivery
from analyzers.outliers.sessions import days_of
from analyzers.sectors.asked import File, map_of, placed
from brokers.clock import SystemClock
from brokers.errors import DataError
from feeds import calendars, universe
from feeds.bars_spec import BarsSpec

EXAMPLES = """Examples:

python -m analyzers outliers

python -m analyzers outliers --date 2024-02-07 --symbols TEC1,TEC2,TEC3,TEC4,TEC5,SPY --chart 3

python -m analyzers outliers --path minutes.csv --symbols AAPL --json

Files have no daily bars beside them: their days are made of their minutes.

Exit codes: 0 done, 2 bad input."""

Frames = dict[str, pd.DataFrame]


@options.takes_bars
def screen(
    bars: BarsSpec,
    date: Annotated[str | None, typer.Option(help="The session; the last one without.")] = None,
    week: Annotated[str | None, typer.Option(help="A date in the week to screen.")] = None,
    sectors: File = None,
    benchmark: Annotated[str, typer.Option(help="What explains returns.")] = universe.MARKET,
    chart: Annotated[int, typer.Option(help="Draw so many candidates beside the report.")] = 0,
    out: Annotated[Path | None, typer.Option(help="The report's file.")] = None,
    as_json: options.Json = False,
) -> int:
    """Screen a session, or a week, for what is out of line with its past, sector and market."""
    now = SystemClock().now()
    asked = days(date, week, now) if date or week else ()
    if bars.source == "synthetic" and not bars.symbols:
        bars = replace(bars, symbols=universe.names())
    minutes = _minutes(bars, asked)
    asked = asked or (_last(minutes),)
    report = outliers(
        minutes,
        _daily(bars, minutes, asked),
        asked,
        generated_at=now,
        sectors=placed(map_of(bars.source, sectors), minutes, max(asked)),
        benchmark=benchmark,
    )
    Delivery(out, chart, as_json).make(report, minutes, week=week is not None)
    return 0


def _minutes(bars: BarsSpec, asked: tuple[dt.date, ...]) -> Frames:
    timeframe = bars.timeframe or (None if bars.source == "files" else "1m")
    if asked and bars.source != "files":
        first, last = before(asked, Limits().sessions), max(asked)
        bars = replace(bars, start=bars.start or f"{first}", end=bars.end or f"{last}")
    return replace(bars, timeframe=timeframe).fetch()


def _daily(bars: BarsSpec, minutes: Frames, asked: tuple[dt.date, ...]) -> Frames:
    if bars.source == "files":
        return days_of(minutes, CALENDAR)
    return days_for(bars, asked, Limits().residual_days + SPARE).fetch()


def _last(minutes: Frames) -> dt.date:
    """The last session in which there is a bar.

    Raises:
        DataError: there is none.
    """
    times = pd.DatetimeIndex([frame.index[-1] for frame in minutes.values()])
    inside = times[calendars.current_open(CALENDAR, times).notna()]
    if inside.empty:
        raise DataError(
            f"outliers: the last bar lies in no session of {CALENDAR}: say --date, and give "
            "intraday bars by their starts"
        )
    return dt.date.fromisoformat(f"{calendars.session_dates(CALENDAR, inside).max():%Y-%m-%d}")
