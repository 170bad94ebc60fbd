from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from brokers.errors import DataError
from feeds.bars import COLUMNS
from feeds.ranges import at_zone, between, in_words, within

ONE, TWO, THREE = (date(2024, 3, day) for day in (11, 12, 13))


def bars_at(times: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.DataFrame(dict.fromkeys(COLUMNS, 1.0), index=times.tz_convert("UTC"))


MINUTES = bars_at(pd.date_range("2024-07-01 13:30", periods=4, freq="min", tz="UTC"))


def test_a_range_takes_in_its_start_and_leaves_out_its_end():
    start, end = (MINUTES.index[row].to_pydatetime() for row in (1, 3))
    assert list(within(MINUTES, start, end).index) == list(MINUTES.index[1:3])
    assert list(within(MINUTES, None, end).index) == list(MINUTES.index[:3])
    in_tokyo = start.astimezone(ZoneInfo("Asia/Tokyo"))
    assert list(within(MINUTES, in_tokyo, None).index) == list(MINUTES.index[1:])


def test_a_bound_may_be_finer_than_the_stamps_of_the_bars():
    seconds = bars_at(MINUTES.index.as_unit("s"))
    start = datetime(2024, 7, 1, 13, 30, 0, 1, tzinfo=UTC)
    assert list(within(seconds, start, None).index) == list(MINUTES.index[1:])


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_a_date_begins_at_midnight_in_its_zone(zone):
    days = bars_at(pd.DatetimeIndex([ONE, TWO, THREE], tz=zone))
    assert list(within(days, TWO, THREE, zone=zone).index) == [days.index[1]]


def test_a_date_without_a_zone_begins_at_midnight_utc():
    assert at_zone(TWO, None) == pd.Timestamp("2024-03-12", tz="UTC")


def test_midnight_utc_as_a_datetime_is_that_instant_in_every_zone():
    midnight = datetime(2024, 3, 12, tzinfo=UTC)
    assert at_zone(midnight, "Asia/Tokyo") == at_zone(midnight, None) == midnight


@pytest.mark.parametrize(
    ("day", "zone", "begins_at"),
    [
        (date(2024, 9, 8), "America/Santiago", "2024-09-08 04:00"),  # there is no midnight
        (date(2024, 11, 3), "America/Havana", "2024-11-03 04:00"),  # there are two
    ],
)
def test_a_day_starts_with_its_first_instant_where_clocks_change_at_midnight(day, zone, begins_at):
    assert at_zone(day, zone) == pd.Timestamp(begins_at, tz="UTC")


def test_between_may_leave_nothing_and_takes_nothing():
    assert between(MINUTES, TWO, THREE).empty
    assert between(MINUTES.iloc[:0], ONE, None).empty
    assert between(MINUTES, None, None).equals(MINUTES)


def test_a_range_without_bars_names_the_range_that_exists():
    with pytest.raises(DataError) as caught:
        within(MINUTES, date(2025, 1, 1), None, "NVDA")
    assert str(caught.value) == (
        "NVDA: no bar from 2025-01-01 to the end: "
        "there are bars from 2024-07-01 13:30:00 UTC to 2024-07-01 13:33:00 UTC"
    )


def test_a_range_is_told_as_it_was_asked_for():
    assert in_words(None, THREE) == "from the beginning to before 2024-03-13"
    assert in_words(ONE, None) == "from 2024-03-11 to the end"
