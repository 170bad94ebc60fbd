"""Bars from CSV and Parquet files: one symbol a file, a folder of such, or one table of closes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from brokers.errors import ConfigError, DataError
from feeds import calendars
from feeds.bars import COLUMNS, check_bars
from feeds.passport import stamp
from feeds.ranges import Bound, midnights, within
from feeds.shelf import files_of, nearest, symbol_of
from feeds.tables import TIMES, Floats, Table, read
from feeds.timeframe import Timeframe
from feeds.times import Times, check_zone, read_times

PRICES = COLUMNS[:4]
ADJUSTED = "adj close"
_CLOSES_ONLY = "closes only: open, high and low are the close, volume is 0"


@dataclass(frozen=True)
class _Reading:
    """How a file is to be understood."""

    start: Bound
    end: Bound
    timeframe: Timeframe | None
    calendar: str | None
    date_zone: str | None  # where a date begins: the exchange's, else tz
    time_zone: str | None  # of times that name none: tz, else the exchange's
    adjust: bool
    stamped: str


def history(  # noqa: PLR0913  each one is an option of the command line
    symbols: Sequence[str],
    start: Bound,
    end: Bound,
    timeframe: Timeframe | None = None,
    *,
    path: str | Path,
    calendar: str | None = None,
    tz: str | None = None,
    adjust: bool = False,
    stamped: str = "start",
) -> dict[str, pd.DataFrame]:
    """Bars by symbol, with the prices of the columns Open, High, Low, Close as they stand.

    Args:
        symbols: of a folder, whose files begin with the symbol, or of a table of closes; without
            any, all. For a file of one symbol: its name; without it, the file's first word.
        start: first instant; a date begins in the zone of `calendar`, else `tz`, else UTC.
        end: exclusive, likewise.
        timeframe: None takes it from the times.
        path: a folder, or a .csv, .txt (both perhaps .gz) or .parquet file. Columns that are not
            needed are named in the passport. A table of closes has a date and a column a symbol:
            open, high and low are then the close, volume is 0.
        calendar: of the exchange; times without a zone are local there, gaps are reported.
        tz: zone of times that name none; dates alone need none.
        adjust: True scales the prices by Adj Close / Close.
        stamped: "end" for intraday files whose times are the bars' ends.

    Raises:
        ConfigError: no such calendar or zone, or options that contradict each other or the path.
        DataError: the file cannot be used; it names file, line and remedy.
    """
    if stamped not in ("start", "end"):
        raise ConfigError(f"stamped is {stamped!r}: say whether times are a bar's start or end")
    if tz is not None:
        check_zone(tz)
    home = None if calendar is None else calendars.zone(calendar)
    reading = _Reading(start, end, timeframe, calendar, home or tz, tz or home, adjust, stamped)
    return _from(Path(path).expanduser(), symbols, reading)


def _from(place: Path, symbols: Sequence[str], reading: _Reading) -> dict[str, pd.DataFrame]:
    if place.is_dir():
        files = files_of(place, symbols)
        return {symbol: _one(symbol, read(file), reading) for symbol, file in files.items()}
    table = read(place)
    if _is_wide(table):
        return _wide(symbols, table, reading)
    if len(symbols) > 1:
        raise ConfigError(
            f"{place.name} holds one symbol, not {len(symbols)}: give the folder of their files"
        )
    symbol = symbols[0] if symbols else symbol_of(place)
    return {symbol: _one(symbol, table, reading)}


def _is_wide(table: Table) -> bool:
    """True for a table of closes: times, and no column that only one symbol's bars have."""
    names = set(table.spelled)
    return bool(names & set(TIMES)) and not names & {*COLUMNS, ADJUSTED} and len(names) > 1


def _wide(symbols: Sequence[str], table: Table, reading: _Reading) -> dict[str, pd.DataFrame]:
    if reading.adjust:
        raise ConfigError(f"{table.file.name} is a table of closes: it cannot adjust them")
    known = {name.upper(): column for column, name in table.spelled.items() if column not in TIMES}
    times, bars = read_times(table, reading.time_zone), {}
    for symbol in symbols or [table.spelled[column] for column in known.values()]:
        if symbol.upper() not in known:
            hint = nearest(symbol, sorted(known))
            raise DataError(f"{table.file.name} has no column {symbol!r}: {hint}")
        column = known[symbol.upper()]
        held = np.flatnonzero(~np.isnan(table.numbers(column)))
        # A name that was listed later, or delisted, has empty cells outside its own time.
        rows = slice(held[0], held[-1] + 1) if len(held) else slice(None)
        part = table.part(rows)
        closes = part.numbers(column)
        values = dict.fromkeys(PRICES, closes) | {"volume": np.zeros(len(closes))}
        own_times = Times(times.index[rows], times.are_dates)
        bars[symbol] = _bars(symbol, part, own_times, values, reading, (_CLOSES_ONLY,))
    return bars


def _one(symbol: str, table: Table, reading: _Reading) -> pd.DataFrame:
    needed = (*PRICES, ADJUSTED) if reading.adjust else PRICES
    missing = [name for name in needed if name not in table.spelled]
    if not set(TIMES) & set(table.spelled):
        missing.insert(0, "date")
    if missing:
        found = ", ".join(table.spelled.values())
        raise DataError(
            f"{table.file.name} has no column {', '.join(missing)}; found {found}: "
            "name the columns in its first line, separated by commas"
        )
    values = {name: table.numbers(name) for name in (*needed, "volume") if name in table.spelled}
    ignored = [name for column, name in table.spelled.items() if column not in {*values, *TIMES}]
    repairs = [f"left aside: {', '.join(ignored)}"] if ignored else []
    if "volume" not in values:
        values["volume"] = np.zeros(len(table.frame))
        repairs.append("no volume in the file: it is 0")
    if reading.adjust:
        repairs.append("prices scaled by Adj Close / Close")
    times = read_times(table, reading.time_zone)
    return _bars(symbol, table, times, values, reading, tuple(repairs))


def _bars(
    symbol: str,
    table: Table,
    times: Times,
    values: dict[str, Floats],
    reading: _Reading,
    repairs: tuple[str, ...],
) -> pd.DataFrame:
    name, index = f"{symbol} in {table.file.name}", times.index
    timeframe = _timeframe(table, index, reading.timeframe)
    if times.are_dates:
        index = midnights(index.tz_localize(None), reading.date_zone)
    elif reading.stamped == "end" and timeframe.is_intraday and timeframe.delta:
        index = index - timeframe.delta
    frame = pd.DataFrame(values, index=index)
    bars = check_bars(frame[[*COLUMNS]], name, table.line)
    if reading.adjust:
        bars[[*PRICES]] = bars[[*PRICES]].mul(frame[ADJUSTED] / frame["close"], axis=0)
        bars = check_bars(bars, f"{name} after adjustment", table.line)
    return stamp(
        within(bars, reading.start, reading.end, name, reading.date_zone),
        symbol=symbol,
        source="files",
        timeframe=timeframe,
        feed=table.file.name,
        adjustment="total" if reading.adjust else "unknown",
        calendar=reading.calendar,
        zone=reading.date_zone,
        repairs=repairs,
    )


def _timeframe(table: Table, index: pd.DatetimeIndex, asked: Timeframe | None) -> Timeframe:
    try:
        found = Timeframe.of(index)
    except DataError as error:
        if asked is None:
            raise DataError(f"{table.file.name}: {error}") from error
        return asked
    if asked not in (None, found):
        raise DataError(f"{table.file.name} has bars of {found}, not {asked}: ask for {found}")
    return found
