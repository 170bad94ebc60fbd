"""An instant as a person reads it: by the exchange's clock, and in UTC."""

from datetime import UTC, datetime, tzinfo

DATE, SHORT, LONG = "%Y-%m-%d", "%H:%M", "%H:%M:%S"


def both_times(at: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """Such as ``2025-12-05 10:04 EST (15:04 UTC)``; the date in UTC too where it is another.

    Args:
        at: aware.
        zone: the exchange's; UTC is told once.
    """
    layout = LONG if seconds else SHORT
    there, here = at.astimezone(zone), at.astimezone(UTC)
    if there.tzname() == "UTC":
        return f"{here:{DATE} {layout}} UTC"
    other_day = "" if there.date() == here.date() else f"{here:{DATE}} "
    return f"{there:{DATE} {layout} %Z} ({other_day}{here:{layout}} UTC)"
