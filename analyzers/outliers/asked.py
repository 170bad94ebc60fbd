"""What is to be screened, as it is typed."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

from brokers.errors import ConfigError
from feeds import calendars
from feeds.bars_spec import BarsSpec

CALENDAR = "XNYS"
SPARE = 20  # daily bars beyond the residuals' window, for the average true range to settle


@dataclass(frozen=True)
class Universe:
    """Who is to be screened; the sectors of those that have one."""

    symbols: tuple[str, ...]
    sectors: Mapping[str, str]

    @staticmethod
    def of(symbols: Sequence[str], file: Path | None) -> "Universe":
        """The symbols given by name and those of a file, each once.

        The file has a symbol a line, after a comma its sector if that is known; a first line
        `symbol,sector` and what follows a # do not count.

        Raises:
            ConfigError: there is no symbol, or the file cannot be read.
        """
        rows = [] if file is None else _rows(file)
        sectors = {row[0]: row[1] for row in rows if len(row) > 1 and row[1]}
        names = tuple(dict.fromkeys([*symbols, *(row[0] for row in rows)]))
        if not names:
            place = f"{file} names no symbol" if file else "no symbol"
            raise ConfigError(f"{place}: give --symbols AAPL,MSFT or --universe FILE")
        return Universe(names, sectors)


def _rows(file: Path) -> list[list[str]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file}: {getattr(error, 'strerror', None) or 'it is no text'}: --universe takes a "
            "file with a symbol a line"
        ) from error
    told = [line.partition("#")[0].strip() for line in lines]
    rows = [[part.strip() for part in row] for row in csv.reader(filter(None, told))]
    return [row for row in rows if row[0] and row[0].lower() != "symbol"]


def days(day: str | None, week: str | None, now: datetime) -> tuple[date, ...]:
    """The session of a date, or those of the week that a date lies in, as far as they have begun.

    Args:
        now: aware.

    Raises:
        ConfigError: neither or both, no date, no session, or none that has begun.
    """
    if (day is None) == (week is None):
        raise ConfigError("give --date 2024-02-07 or --week 2024-02-05, one of them")
    text = day or week or ""
    try:
        first = last = date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no date: write it as 2024-02-07") from None
    if week is not None:
        first -= timedelta(days=first.weekday())
        last = first + timedelta(days=6)
    found = calendars.sessions(CALENDAR, first, last)
    if found.empty:
        raise ConfigError(f"{text}: there is no session of {CALENDAR}: choose a trading day")
    begun = found[calendars.session_open(CALENDAR, found) <= pd.Timestamp(now)]
    if begun.empty:
        raise ConfigError(f"{text}: its session has not begun: choose an earlier day")
    return tuple(one.date() for one in begun)


def before(days: Sequence[date], count: int) -> date:
    """The session that lies `count` sessions before the first of the days."""
    first = min(days)
    known = calendars.sessions(CALENDAR, first - timedelta(days=2 * count + 15), first)
    return date.fromisoformat(f"{known[-count - 1]:%Y-%m-%d}")


def days_for(bars: BarsSpec, days: Sequence[date], window: int) -> BarsSpec:
    """The daily bars that go with intraday bars: `window` sessions before the first of `days`.

    Yahoo's intraday bars are adjusted for splits alone; its days are asked for likewise, since
    days and minutes that are adjusted differently are not compared.
    """
    options = {"adjustment": "split", **bars.options} if bars.source == "yahoo" else bars.options
    first, last = before(days, window), max(days)
    return replace(bars, timeframe="1d", start=f"{first}", end=f"{last}", options=options)
