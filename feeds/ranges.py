"""The range that a caller asks for: what its bounds mean at an exchange, and the cut of bars."""

from datetime import date, datetime

import numpy as np
import pandas as pd

from brokers.errors import DataError

Bound = date | datetime | None
"""A date is its midnight at the exchange, a datetime (aware) itself, None leaves a side open."""


def at_zone(bound: Bound, zone: str | None) -> pd.Timestamp | None:
    """The instant that a bound means in `zone` (None: UTC), in UTC."""
    if bound is None:
        return None
    if isinstance(bound, datetime):
        return pd.Timestamp(bound).tz_convert("UTC")
    return midnights(pd.DatetimeIndex([bound]), zone)[0]


def midnights(dates: pd.DatetimeIndex, zone: str | None) -> pd.DatetimeIndex:
    """When naive dates begin in `zone` (None: UTC), in UTC."""
    # Some zones change their clocks at midnight: the day then starts with the first of two
    # midnights, or with the first instant there is.
    first = np.ones(len(dates), bool)
    local = dates.tz_localize(zone or "UTC", ambiguous=first, nonexistent="shift_forward")
    return local.tz_convert("UTC")


def between(bars: pd.DataFrame, start: Bound, end: Bound, zone: str | None = None) -> pd.DataFrame:
    """The bars from `start` up to but not including `end`, perhaps none.

    Args:
        bars: an aware, increasing index of bar starts.
        zone: of the exchange, for bounds that are dates; None: UTC.
    """
    first, after = at_zone(start, zone), at_zone(end, zone)
    starts = pd.DatetimeIndex(bars.index).as_unit("ns")  # finer than any bound
    row = None if first is None else starts.searchsorted(first)
    stop = None if after is None else starts.searchsorted(after)
    return bars.iloc[row:stop]


def within(
    bars: pd.DataFrame, start: Bound, end: Bound, name: str = "", zone: str | None = None
) -> pd.DataFrame:
    """The same of checked bars, at least one.

    Raises:
        DataError: nothing is left; it names the range that exists.
    """
    part = between(bars, start, end, zone)
    if part.empty:
        first, last = (f"{time:%Y-%m-%d %H:%M:%S} UTC" for time in bars.index[[0, -1]])
        asked = f"{name or 'bars'}: no bar {in_words(start, end)}"
        raise DataError(f"{asked}: there are bars from {first} to {last}")
    return part


def in_words(start: Bound, end: Bound) -> str:
    """The range, for errors."""
    return f"from {start or 'the beginning'} to {f'before {end}' if end else 'the end'}"
