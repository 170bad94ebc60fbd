from datetime import UTC, datetime, timedelta

import pytest

from brokers.errors import ConfigError
from brokers.wire.ibkr_night import Night


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2024-03-05 04:44", None),  # 23:44 in New York, which is five hours behind
        ("2024-03-05 04:45", "2024-03-05 05:45"),
        ("2024-03-05 05:44", "2024-03-05 05:45"),
        ("2024-03-05 05:45", None),
        ("2024-07-05 03:45", "2024-07-05 04:45"),  # in summer four
    ],
)
def test_window_spans_midnight_of_new_york(now, end):
    assert Night().ends_at(at(now)) == (end and at(end))


def test_window_within_one_day_ends_on_that_day():
    night = Night("01:00", "01:10", "Asia/Tokyo")
    assert night.ends_at(at("2024-03-04 16:05")) == at("2024-03-04 16:10")
    assert night.ends_at(at("2024-03-04 16:10")) is None


def test_next_window_begins_today_or_tomorrow():
    assert Night().next_at(at("2024-03-04 15:00")) == at("2024-03-05 04:45")
    assert Night().next_at(at("2024-03-05 04:45")) == at("2024-03-06 04:45")


def test_clocks_that_are_set_forward_in_the_night_shorten_the_window():
    night = Night("01:30", "03:30")  # 2:00 to 3:00 does not exist on 10 March 2024
    begin = night.next_at(at("2024-03-10 00:00"))
    assert night.ends_at(begin) - begin == timedelta(hours=1)


@pytest.mark.parametrize(
    "words", [("23:45", "23:45"), ("25:00", "00:45"), ("23:45", "00:45", "Mars/Olympus")]
)
def test_window_that_cannot_be_is_refused_with_an_example(words):
    with pytest.raises(ConfigError, match="write two times such as 23:45"):
        Night(*words)
