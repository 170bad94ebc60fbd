from datetime import UTC, datetime

import pytest

from brokers.errors import ConfigError
from live.paper.hours import Hours

NEW_YORK = Hours("XNYS")


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "is_open", "trades"),
    [
        ("2024-07-03 13:30", True, False),  # Wednesday before Independence Day: closes at 13:00
        ("2024-07-03 13:31", True, True),
        ("2024-07-03 17:00", False, True),
        ("2024-07-03 17:01", False, False),
        ("2024-07-04 15:00", False, False),
        ("2024-01-02 14:29", False, False),
    ],
)
def test_a_session_begins_with_its_open_and_its_last_bar_ends_with_its_close(at, is_open, trades):
    assert NEW_YORK.is_open(utc(at)) is is_open
    assert NEW_YORK.trades(utc(at)) is trades


def test_opens_and_closes_follow_the_calendar_over_holidays_half_days_and_summer_time():
    eve, sunday = utc("2024-07-03 17:00"), utc("2024-03-10 12:00")
    assert NEW_YORK.next_open(eve) == utc("2024-07-05 13:30")
    assert NEW_YORK.close_of(eve) == utc("2024-07-05 20:00")
    assert NEW_YORK.close_of(utc("2024-07-03 16:59")) == eve
    assert NEW_YORK.next_open(sunday) == utc("2024-03-11 13:30")
    assert NEW_YORK.next_open(utc("2024-03-11 13:30")) == utc("2024-03-12 13:30")


def test_sessions_are_spans_of_open_and_close():
    spans = NEW_YORK.sessions(utc("2024-07-02 13:30"), utc("2024-07-05 13:30"))
    assert spans == [
        (utc("2024-07-02 13:30"), utc("2024-07-02 20:00")),
        (utc("2024-07-03 13:30"), utc("2024-07-03 17:00")),
    ]


def test_without_a_calendar_it_is_always_open():
    hours = Hours()
    assert hours.is_open(utc("2024-12-25 03:00"))
    assert hours.trades(utc("2024-12-25 00:00"))
    assert hours.close_of(utc("2024-12-25 03:00")) == utc("2024-12-26 00:00")


def test_an_unknown_calendar_is_named():
    with pytest.raises(ConfigError, match="unknown calendar 'XNYC': did you mean XNYS"):
        Hours("XNYC")
