"""Times as a trader reads them: the exchange's own, and UTC beside it."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

UTC = "UTC"


def place(zone: str) -> str:
    """A zone's name for a person.

    >>> place("America/New_York")
    'New York'
    """
    return zone.rpartition("/")[2].replace("_", " ")


def instant(text: str) -> datetime:
    """A log's ISO 8601 time, aware."""
    return datetime.fromisoformat(text)


def both(at: datetime, zone: str = UTC) -> str:
    """An instant in the exchange's time and in UTC.

    >>> both(datetime.fromisoformat("2025-06-02T14:06:00+00:00"), "America/New_York")
    '2025-06-02 10:06:00 New York (14:06:00 UTC)'
    """
    there, here = at.astimezone(ZoneInfo(zone)), at.astimezone(ZoneInfo(UTC))
    if zone == UTC:
        return f"{here:%Y-%m-%d %H:%M:%S} UTC"
    date = "" if there.date() == here.date() else f"{here:%Y-%m-%d} "
    return f"{there:%Y-%m-%d %H:%M:%S} {place(zone)} ({date}{here:%H:%M:%S} UTC)"


def brief(at: datetime, zone: str = UTC) -> str:
    """An instant in the exchange's time, for a column whose title names the zone.

    >>> brief(datetime.fromisoformat("2025-06-02T14:06:00+00:00"), "America/New_York")
    '2025-06-02 10:06'
    """
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%Y-%m-%d %H:%M:%S}" if there.second else f"{there:%Y-%m-%d %H:%M}"


def column(title: str, zone: str) -> str:
    """The title of such a column.

    >>> column("decided", "America/New_York")
    'decided (New York)'
    """
    return f"{title} ({place(zone)})"


def wall(index: "pd.DatetimeIndex | pd.Series[pd.Timestamp]", zone: str) -> pd.DatetimeIndex:
    """The exchange's wall time as a chart's axis wants it: written as if it were UTC."""
    there = pd.DatetimeIndex(index).tz_convert(zone)
    return there.tz_localize(None).tz_localize(UTC)


def axis_title(zone: str) -> str:
    """What stands under an axis of time."""
    return f"time ({place(zone)})"


def ago(seconds: float) -> str:
    """How long since, in one unit.

    >>> ago(0.4), ago(75), ago(7200)
    ('now', '1 min ago', '2 h ago')
    """
    if seconds < 1.5:
        return "now"
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
