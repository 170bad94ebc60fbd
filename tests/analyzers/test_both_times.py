from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from analyzers.both_times import both_times

NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
AT = datetime(2025, 12, 5, 15, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "told"),
    [
        (AT, NEW_YORK, "2025-12-05 10:04 EST (15:04 UTC)"),
        (AT.replace(month=6), NEW_YORK, "2025-06-05 11:04 EDT (15:04 UTC)"),
        (AT, TOKYO, "2025-12-06 00:04 JST (2025-12-05 15:04 UTC)"),
        (AT, UTC, "2025-12-05 15:04 UTC"),
        (AT.astimezone(TOKYO), ZoneInfo("UTC"), "2025-12-05 15:04 UTC"),
    ],
)
def test_an_instant_is_told_by_the_exchanges_clock_and_in_utc(at, zone, told):
    assert both_times(at, zone) == told


def test_seconds_are_told_where_they_count():
    assert both_times(AT, NEW_YORK, seconds=True) == "2025-12-05 10:04:09 EST (15:04:09 UTC)"
