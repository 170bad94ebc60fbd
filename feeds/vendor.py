"""What Yahoo and Polygon share: bounds in the exchange's zone, unfinished bars, patience."""

import random
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

import pandas as pd

from brokers.clock import Clock
from brokers.errors import DataError, Transient
from brokers.wire.backoff import Backoff
from feeds import calendars
from feeds.timeframe import Timeframe

T = TypeVar("T")

NAMED_BARS = 5


def as_bound(instant: datetime | None) -> date | datetime | None:
    """Midnight UTC as the date it stands for, any other instant as it is.

    `feeds.history` turns a date into its midnight UTC; who asks for a date means the exchange's.
    """
    if instant is None or pd.Timestamp(instant) != pd.Timestamp(instant).normalize():
        return instant
    return instant.date()


def at_exchange(instant: datetime | None, zone: str) -> pd.Timestamp | None:
    """The instant that a bound means at the exchange: a date is the midnight there."""
    bound = as_bound(instant)
    if bound is None:
        return None
    stamp = pd.Timestamp(bound)
    return stamp.tz_localize(zone) if stamp.tz is None else stamp.tz_convert(zone)


def said(start: datetime | None, after: datetime | None) -> str:
    """The range in words, for errors."""
    first = as_bound(start) or "the beginning"
    return f"from {first} to {'now' if after is None else f'before {as_bound(after)}'}"


def drop_unfinished(
    bars: pd.DataFrame, timeframe: Timeframe, calendar: str | None, now: datetime
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out a last bar that still moves, and say so.

    Args:
        bars: index of aware bar starts; may be empty.
        calendar: whose session's close ends a daily or longer bar; without one it lasts
            its whole timeframe.
    """
    if bars.empty:
        return bars, ()
    start = pd.DatetimeIndex(bars.index[-1:])
    if _end(start, timeframe, calendar) <= pd.Timestamp(now):
        return bars, ()
    return bars.iloc[:-1], (f"left out the unfinished bar of {start[0]:%Y-%m-%d %H:%M %Z}",)


def _end(start: pd.DatetimeIndex, timeframe: Timeframe, calendar: str | None) -> pd.Timestamp:
    if calendar and not timeframe.is_intraday:
        return calendars.bar_close(calendar, start, timeframe)[0]
    span = timeframe.delta or pd.DateOffset(months=1)
    return start[0] + span


def named(times: pd.DatetimeIndex, pattern: str) -> str:
    """The first few times of a list, and how many there are."""
    shown = ", ".join(times[:NAMED_BARS].strftime(pattern))
    return shown if len(times) <= NAMED_BARS else f"{shown} and {len(times) - NAMED_BARS} more"


def insist(
    ask: Callable[[], T], source: str, backoff: Backoff, clock: Clock, rng: random.Random | None
) -> T:
    """Ask until there is an answer or the back-off gives up.

    Raises:
        DataError: it gave up; the text says why, how long it tried and what to do.
    """
    try:
        return backoff.call(ask, clock=clock, rng=rng or random.Random())  # noqa: S311  jitter
    except Transient as error:
        raise DataError(
            f"{source}: {error}: wait some minutes and run it again; with a cache, "
            "what was already fetched is not asked for twice"
        ) from error
