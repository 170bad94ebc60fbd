"""The times of a file's table as instants: what is a date, what has a zone, what needs one."""

import difflib
import zoneinfo
from dataclasses import dataclass

import numpy as np
import pandas as pd

from brokers.errors import ConfigError, DataError
from feeds.tables import TIMES, Table

# An offset follows a time: the end of 2024-07-03 is none.
_HAS_OFFSET = r":.*[Z+-]"
_OFFSET = r"(:\d\d(?:\.\d+)?) ?(Z|[+-]\d\d(?::?\d\d)?)$"


@dataclass(frozen=True)
class Times:
    """When the rows of a table start.

    Args:
        index: strictly increasing, in UTC; dates stand at midnight UTC.
        are_dates: True for session dates, which have no time and no zone.
    """

    index: pd.DatetimeIndex
    are_dates: bool


def check_zone(tz: str) -> None:
    """Refuse what is no IANA zone.

    Raises:
        ConfigError: the nearest zones are named.
    """
    if tz not in (known := zoneinfo.available_timezones()):
        near = difflib.get_close_matches(tz, known, n=2) or ["America/New_York"]
        raise ConfigError(f"unknown time zone {tz!r}: did you mean {' or '.join(sorted(near))}?")


def read_times(table: Table, zone: str | None) -> Times:
    """The times of all rows.

    Args:
        zone: where times without a zone belong; session dates need none.

    Raises:
        DataError: a text that is no time, a zone too few, mixed zones, or rows out of order.
    """
    text = _text(table)
    index = _parsed(table, text)
    are_dates = False
    if text.str.contains(_HAS_OFFSET).any():
        _check_offsets(table, text, index, zone)
    elif (index == index.normalize()).all():
        are_dates = True
    else:
        index = _placed(table, index.tz_localize(None), zone)
    _check_order(table, index)
    return Times(index, are_dates)


def _text(table: Table) -> "pd.Series[str]":
    """The time of each row as text, from one column or from a date and a time."""
    columns = [name for name in TIMES if name in table.frame]
    columns = ["date", "time"] if {"date", "time"} <= set(columns) else columns[:1]
    parts = []
    for column in columns:
        values = table.frame[column]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            values = values.dt.tz_convert("UTC")
        if values.isna().any():
            row = int(values.isna().to_numpy().argmax())
            raise DataError(f"{table.place(row)}: there is no {column}: mend or remove it")
        parts.append(values.astype(str).str.strip())
    return parts[0] if len(parts) == 1 else parts[0] + " " + parts[1]


def _parsed(table: Table, text: "pd.Series[str]") -> pd.DatetimeIndex:
    """Instants; times without a zone stand as if in UTC."""
    times = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
    if times.isna().any():
        remedy = "is no time: write it as 2024-07-03 or 2024-07-03 09:30:00"
        raise _fault(table, text, times.isna(), remedy)
    return pd.DatetimeIndex(times)


def _placed(table: Table, local: pd.DatetimeIndex, zone: str | None) -> pd.DatetimeIndex:
    if zone is None:
        raise DataError(
            f"{table.place(0)}: {local[0]} has no time zone: name the file's with tz= (--tz), "
            "such as America/New_York, or name a calendar"
        )
    index = local.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    if index.hasnans:
        row = int(index.isna().argmax())
        raise DataError(
            f"{table.place(row)}: {local[row]} comes twice or never in {zone}, where the clocks "
            "change then: write the times in UTC"
        )
    return index.tz_convert("UTC")


def _check_offsets(
    table: Table, text: "pd.Series[str]", instants: pd.DatetimeIndex, zone: str | None
) -> None:
    """Refuse times of which some have an offset and some none, or whose offsets make no zone."""
    offsets = text.str.extract(_OFFSET)[1]
    if offsets.isna().any():
        unlike = offsets.isna() != offsets.isna().iloc[0]
        fault = "differs from the lines above in having a time zone: write all times in UTC"
        raise _fault(table, text, unlike, fault)
    if offsets.nunique() == 1:
        return
    if zone is None:
        unlike = offsets != offsets.iloc[0]
        fault = f"has not the offset {offsets.iloc[0]} of the first line: name the zone with tz="
        raise _fault(table, text, unlike, fault)
    local = instants.tz_convert(zone).tz_localize(None)
    written = pd.to_datetime(text.str.replace(_OFFSET, r"\1", regex=True), format="ISO8601")
    unlike = written != pd.Series(local)
    if unlike.any():
        raise _fault(table, text, unlike, f"is no time of {zone}: name the right zone")


def _fault(table: Table, text: "pd.Series[str]", wrong: "pd.Series[bool]", fault: str) -> DataError:
    row = int(wrong.to_numpy().argmax())
    return DataError(f"{table.place(row)}: {text.iloc[row]!r} {fault}")


def _check_order(table: Table, index: pd.DatetimeIndex) -> None:
    wrong = np.flatnonzero(index[1:] <= index[:-1])
    if len(wrong):
        row = int(wrong[0]) + 1
        same = index[row] == index[row - 1]
        fault, remedy = ("repeats", "remove one") if same else ("comes before", "sort by time")
        raise DataError(
            f"{table.place(row)}: {index[row]} {fault} the row above ({index[row - 1]}): {remedy}"
        )
