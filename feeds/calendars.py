"""Sessions of an exchange, as exchange_calendars knows them."""

import difflib
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from brokers.errors import ConfigError, DataError
from feeds.timeframe import Timeframe

# Fixed, since exchange_calendars' own default moves with today's date.
_FIRST, _LAST = pd.Timestamp("1950-01-01"), pd.Timestamp("2050-12-31")
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Gaps:
    """What a calendar says is missing between the first and the last bar of an index.

    Args:
        sessions: ISO dates of the sessions that have no bar.
        bars: intraday bars missing inside the sessions that have some.
    """

    sessions: tuple[str, ...] = ()
    bars: int = 0


def sessions(name: str, start: str | date, end: str | date) -> pd.DatetimeIndex:
    """Give the sessions of calendar `name` from `start` to `end`, both included, as naive dates.

    Raises:
        ConfigError: no such calendar.
    """
    known: pd.DatetimeIndex = _calendar(name).sessions
    return known[known.slice_indexer(pd.Timestamp(start), pd.Timestamp(end))]


def zone(name: str) -> str:
    """Give the time zone of calendar `name`, such as America/New_York.

    Raises:
        ConfigError: no such calendar.
    """
    return str(_calendar(name).tz)


def session_dates(name: str, starts: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Give the local date of each bar start (aware), as a naive date.

    Midnight UTC is how vendors write a date without a time: it stands for that date everywhere.
    """
    as_dates = starts.tz_convert("UTC").tz_localize(None)
    local = starts.tz_convert(_calendar(name).tz).tz_localize(None)
    return local.where(as_dates != as_dates.normalize(), as_dates).normalize()


def schedule(name: str) -> pd.DataFrame:
    """Give every session that calendar `name` knows, by naive date: columns open and close, in UTC.

    Raises:
        ConfigError: no such calendar.
    """
    calendar = _calendar(name)
    return pd.DataFrame({"open": calendar.opens, "close": calendar.closes})


def session_open(name: str, dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Give the open, in UTC, of the session on each naive date.

    Raises:
        DataError: a date is no session, or lies outside what the calendar knows.
    """
    rows = _last_sessions(name, dates, dates + _DAY)
    return pd.DatetimeIndex(_calendar(name).opens.iloc[rows], name="time")


def session_close(name: str, dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Give the close, in UTC, of the session on each naive date.

    Raises:
        DataError: a date is no session, or lies outside what the calendar knows.
    """
    return _last_close(name, dates, dates + _DAY)


def current_open(name: str, instants: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Give the open of the session that each instant (aware) lies in; NaT outside sessions."""
    rows, is_inside = _current_sessions(name, instants)
    opens = pd.DatetimeIndex(_calendar(name).opens.iloc[rows], name="time")
    return pd.DatetimeIndex(opens.where(is_inside))


@lru_cache(maxsize=64)
def is_open(name: str, at: datetime) -> bool:
    """Say whether a session runs at an instant (aware): the quick way for one bar at a time."""
    return session_of(name, at) is not None


def session_of(name: str, at: datetime) -> tuple[datetime, datetime] | None:
    """Give open and close, in UTC, of the session that an instant (aware) lies in; else None."""
    opens, closes = _bounds(name)
    at_s = at.timestamp()
    row = bisect_right(closes, at_s)
    if row == len(closes) or opens[row] > at_s:
        return None
    return datetime.fromtimestamp(opens[row], UTC), datetime.fromtimestamp(closes[row], UTC)


def bar_close(name: str | None, starts: pd.DatetimeIndex, timeframe: Timeframe) -> pd.DatetimeIndex:
    """Give the instant, in UTC, at which each bar is complete.

    Without a calendar: start + timeframe.

    Intraday: that, or the session's close where it is earlier. If any bar starts outside the
    sessions, the bars are of all hours, and none ends with its session.

    Daily and longer: the close of the bar's last session. A week lasts seven days from a Saturday,
    Sunday or Monday; a week stamped by a later first session ends before the next Monday. A month
    is that of its start.

    Raises:
        DataError: a daily or longer bar without any session, or outside what the calendar knows.
    """
    if name is None or timeframe.is_intraday:
        ends = pd.DatetimeIndex(starts + (timeframe.delta or pd.DateOffset(months=1)))
        return ends if name is None else _cut_at_close(name, starts, ends)
    first = session_dates(name, starts)
    if timeframe.text == "1w":
        since_monday = first.day_of_week.to_numpy()
        days = np.where(np.isin(since_monday, (0, 5, 6)), 7, 7 - since_monday)
        after = first + pd.to_timedelta(days, unit="D")
    elif timeframe.text == "1mo":
        after = (first.to_period("M") + 1).to_timestamp()
    else:
        after = first + _DAY
    return _last_close(name, first, after)


def gaps(name: str, starts: pd.DatetimeIndex, timeframe: Timeframe) -> Gaps:
    """Report what is missing between the first and the last bar.

    Daily: the sessions without a bar. Intraday: those too, and the bars missing inside the other
    sessions; bars outside sessions do not count. Weekly and monthly: nothing is reported.

    Args:
        starts: aware, increasing bar starts.
    """
    if timeframe.is_intraday and timeframe.delta:
        return _intraday_gaps(name, starts, pd.Timedelta(timeframe.delta))
    if timeframe.text != "1d":
        return Gaps()
    held = session_dates(name, starts)
    expected = sessions(name, held[0], held[-1])
    return Gaps(_iso(expected[~expected.isin(held)]))


def _intraday_gaps(name: str, starts: pd.DatetimeIndex, step: pd.Timedelta) -> Gaps:
    window = slice(starts[0].tz_localize(None) - _DAY, starts[-1].tz_localize(None) + _DAY)
    schedule = _calendar(name).schedule.loc[window]
    has_break = schedule["break_start"].notna()
    morning_end = schedule["break_start"].where(has_break, schedule["close"])
    expected = np.zeros(len(schedule), np.int64)
    held = np.zeros(len(schedule), np.int64)
    # Without a break the afternoon is empty: it runs from the close to the close.
    afternoon = schedule["break_end"].where(has_break, schedule["close"])
    for opens, closes in ((schedule["open"], morning_end), (afternoon, schedule["close"])):
        begin = opens.clip(lower=starts[0])
        end = closes.clip(upper=starts[-1] + step)
        wanted = np.ceil((end - begin) / step).clip(lower=0).to_numpy(np.int64)
        # A bar belongs to the part that it overlaps: hours may start at 09:00 or at 09:30.
        inside = starts.searchsorted(end) - starts.searchsorted(begin - step, side="right")
        expected += wanted
        held += np.minimum(np.where(wanted > 0, inside, 0), wanted)
    absent = (held == 0) & (expected > 0)
    missing = int((expected - held)[~absent].sum())
    return Gaps(_iso(pd.DatetimeIndex(schedule.index[absent])), missing)


def _cut_at_close(name: str, starts: pd.DatetimeIndex, ends: pd.DatetimeIndex) -> pd.DatetimeIndex:
    rows, is_inside = _current_sessions(name, starts)
    if not is_inside.all():
        return ends
    closes = pd.DatetimeIndex(_calendar(name).closes.iloc[rows], name="time")
    return pd.DatetimeIndex(ends.where(ends < closes, closes))


def _current_sessions(
    name: str, instants: pd.DatetimeIndex
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Give the row of the session that ends next after each instant, and whether it has begun."""
    calendar = _calendar(name)
    rows = calendar.closes.searchsorted(instants, side="right").clip(max=len(calendar.closes) - 1)
    is_begun = (instants >= calendar.opens.iloc[rows]) & (instants < calendar.closes.iloc[rows])
    return rows, is_begun.to_numpy()


def _last_close(name: str, first: pd.DatetimeIndex, after: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Give the close of the last session in each half-open span of naive dates."""
    rows = _last_sessions(name, first, after)
    return pd.DatetimeIndex(_calendar(name).closes.iloc[rows], name="time")


def _last_sessions(
    name: str, first: pd.DatetimeIndex, after: pd.DatetimeIndex
) -> npt.NDArray[np.int64]:
    """Give the row of the last session in each half-open span of naive dates."""
    known = _calendar(name).sessions
    rows: npt.NDArray[np.int64] = known.searchsorted(after) - 1
    is_empty = (rows < 0) | (known[rows] < first)
    if is_empty.any():
        day = f"{first[int(np.asarray(is_empty).argmax())]:%Y-%m-%d}"
        raise DataError(
            f"calendar {name} has no session for the bar of {day} "
            f"(it knows {known[0]:%Y-%m-%d} to {known[-1]:%Y-%m-%d}): "
            "choose the calendar of these bars, or none"
        )
    return rows


@lru_cache
def _calendar(name: str) -> Any:
    import exchange_calendars  # noqa: PLC0415  slow to import, and not every run needs a calendar

    try:
        return _build(exchange_calendars, name)
    except exchange_calendars.errors.InvalidCalendarName:
        names = {known.lower(): known for known in exchange_calendars.get_calendar_names()}
        near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.4)
        hint = " or ".join(names[text] for text in near) or "such as XNYS"
        raise ConfigError(f"unknown calendar {name!r}: did you mean {hint}?") from None


@lru_cache
def _bounds(name: str) -> tuple[list[int], list[int]]:
    """Opens and closes in seconds since 1970 UTC, increasing."""
    opens, closes = (
        pd.DatetimeIndex(column).as_unit("s").asi8.tolist()
        for column in (_calendar(name).opens, _calendar(name).closes)
    )
    return opens, closes


def _build(exchange_calendars: Any, name: str) -> Any:
    with warnings.catch_warnings():
        # exchange_calendars 4.13 reads Series.values, which pandas 3.1 deprecates.
        warnings.simplefilter("ignore", pd.errors.Pandas4Warning)
        bounds = exchange_calendars.get_calendar(name)
        first = max(_FIRST, bounds.bound_min() or _FIRST)
        last = min(_LAST, bounds.bound_max() or _LAST)
        return exchange_calendars.get_calendar(name, start=first, end=last)


def _iso(days: pd.DatetimeIndex) -> tuple[str, ...]:
    return tuple(days.strftime("%Y-%m-%d"))
