"""Session times are those that NYSE, HKEX and JPX publish."""

import pandas as pd
import pytest

from brokers.errors import ConfigError, DataError
from feeds.calendars import (
    Gaps,
    bar_close,
    current_open,
    gaps,
    is_open,
    schedule,
    session_close,
    session_dates,
    session_open,
    sessions,
    zone,
)
from feeds.timeframe import Timeframe


def utc(*times: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(times, tz="UTC")


def regular_minutes(day: str, closes: str = "16:00") -> pd.DatetimeIndex:
    local = pd.date_range(f"{day} 09:30", f"{day} {closes}", freq="min", inclusive="left")
    return local.tz_localize("America/New_York").tz_convert("UTC")


def test_sessions_leave_out_weekends_and_holidays_and_include_both_ends():
    week = sessions("XNYS", "2024-07-01", "2024-07-08")
    assert [f"{day:%m-%d}" for day in week] == ["07-01", "07-02", "07-03", "07-05", "07-08"]
    assert week.tz is None


@pytest.mark.parametrize(
    ("day", "close"),
    [
        ("2024-07-02", "2024-07-02 20:00"),
        ("2024-07-03", "2024-07-03 17:00"),  # the eve of Independence Day, 13:00 in New York
        ("2024-11-29", "2024-11-29 18:00"),  # the day after Thanksgiving, 13:00
        ("2024-03-08", "2024-03-08 21:00"),  # the last session of winter time
        ("2024-03-11", "2024-03-11 20:00"),  # the first of summer time
        ("2024-11-01", "2024-11-01 20:00"),
        ("2024-11-04", "2024-11-04 21:00"),
        ("1999-01-22", "1999-01-22 21:00"),
    ],
)
def test_new_york_closes_by_the_clock_on_its_wall(day, close):
    assert list(session_close("XNYS", pd.DatetimeIndex([day]))) == list(utc(close))


def test_a_schedule_has_open_and_close_of_every_session():
    eve = schedule("XNYS").loc["2024-07-03":"2024-07-05"]
    assert list(eve["open"]) == list(utc("2024-07-03 13:30", "2024-07-05 13:30"))
    assert list(eve["close"]) == list(utc("2024-07-03 17:00", "2024-07-05 20:00"))


@pytest.mark.parametrize(
    ("at", "is_so"),
    [
        ("2024-07-03 13:29:59", False),
        ("2024-07-03 13:30", True),
        ("2024-07-03 16:59:59", True),
        ("2024-07-03 17:00", False),  # it closes early
        ("2024-07-04 15:00", False),
        ("2051-01-03 15:00", False),  # later than what the calendar knows
    ],
)
def test_a_session_is_open_from_its_first_minute_to_its_last(at, is_so):
    assert is_open("XNYS", pd.Timestamp(at, tz="UTC")) is is_so


def test_a_day_without_session_has_no_close():
    with pytest.raises(DataError, match="XNYS has no session for the bar of 2024-07-04"):
        session_close("XNYS", pd.DatetimeIndex(["2024-07-03", "2024-07-04"]))


def test_a_calendar_says_how_far_it_knows():
    with pytest.raises(DataError, match="it knows 1997-01-01 to 2026-12-31"):
        session_close("XBOM", pd.DatetimeIndex(["2030-01-07"]))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("nyze", "XNZE or NYSE or NYFE"), ("xnys", "XNYS"), ("~", "such as XNYS")],
)
def test_unknown_calendar_suggests_the_nearest(name, hint):
    with pytest.raises(ConfigError, match=f"unknown calendar '{name}': did you mean {hint}"):
        sessions(name, "2024-01-01", "2024-01-31")


@pytest.mark.parametrize(
    ("name", "start", "day"),
    [
        ("XNYS", "2024-07-03 00:00", "2024-07-03"),  # a date without a time
        ("XNYS", "2024-07-03 04:00", "2024-07-03"),  # midnight in New York
        ("XNYS", "2024-07-03 13:30", "2024-07-03"),  # the open
        ("XTKS", "2024-07-02 15:00", "2024-07-03"),  # midnight in Tokyo
        ("XTKS", "2024-07-03 00:00", "2024-07-03"),  # a date, and the open in Tokyo
    ],
)
def test_the_date_of_a_bar_is_the_local_one_however_it_was_stamped(name, start, day):
    assert session_dates(name, utc(start)) == pd.DatetimeIndex([day])


@pytest.mark.parametrize(
    ("name", "timeframe", "start", "close"),
    [
        ("XNYS", "1d", "2024-07-03", "2024-07-03 17:00"),
        ("XNYS", "1w", "2024-07-01 04:00", "2024-07-05 20:00"),  # stamped on Monday
        ("XNYS", "1w", "2024-06-30 04:00", "2024-07-05 20:00"),  # on the Sunday before
        ("XNYS", "1w", "2024-11-25", "2024-11-29 18:00"),  # the week ends with a half-day
        ("XNYS", "1w", "2024-05-28", "2024-05-31 20:00"),  # first session: Monday was a holiday
        ("XNYS", "1w", "2024-03-25", "2024-03-28 20:00"),  # last session: Good Friday was one
        ("24/7", "1w", "2024-06-03", "2024-06-10 00:00"),
        ("XNYS", "1mo", "2024-06-01 04:00", "2024-06-28 20:00"),  # June 30 was a Sunday
        ("XNYS", "1mo", "2024-11-01 04:00", "2024-11-29 18:00"),
        ("XNYS", "1mo", "2024-03-01 05:00", "2024-03-28 20:00"),
    ],
)
def test_a_bar_ends_with_its_last_session(name, timeframe, start, close):
    assert list(bar_close(name, utc(start), Timeframe(timeframe))) == list(utc(close))


@pytest.mark.parametrize(
    ("name", "timeframe", "start", "end"),
    [
        ("XNYS", "1h", "2024-07-02 18:30", "2024-07-02 19:30"),
        ("XNYS", "1h", "2024-07-02 19:30", "2024-07-02 20:00"),  # 15:30 in New York
        ("XNYS", "1h", "2024-07-03 16:30", "2024-07-03 17:00"),  # 12:30 on a half-day
        ("XNYS", "1m", "2024-07-03 16:59", "2024-07-03 17:00"),
        ("XNYS", "1h", "2024-07-02 13:00", "2024-07-02 14:00"),  # begins before the open
        ("XNYS", "1h", "2024-07-04 15:30", "2024-07-04 16:30"),  # a holiday
        ("XNYS", "1h", "2060-01-02 15:30", "2060-01-02 16:30"),  # past what the calendar knows
        ("XNYS", "1h", "1930-01-02 15:30", "1930-01-02 16:30"),
        ("24/7", "1h", "2024-07-06 23:30", "2024-07-07 00:00"),  # its sessions are days
        (None, "1h", "2024-07-02 19:30", "2024-07-02 20:30"),
        (None, "1mo", "2024-02-01", "2024-03-01"),
    ],
)
def test_an_intraday_bar_ends_with_its_session_at_the_latest(name, timeframe, start, end):
    assert list(bar_close(name, utc(start), Timeframe(timeframe))) == list(utc(end))


def test_bars_of_all_hours_do_not_end_with_the_session():
    starts = utc("2024-07-02 18:30", "2024-07-02 19:30", "2024-07-02 20:30")
    assert list(bar_close("XNYS", starts, Timeframe("1h"))) == list(starts + pd.Timedelta(hours=1))


def test_every_bar_of_a_session_cut_from_its_open_ends_in_it():
    days = ("2024-07-02", "2024-07-03", "2024-07-05")
    opens = session_open("XNYS", pd.DatetimeIndex(days))
    closes = session_close("XNYS", pd.DatetimeIndex(days))
    starts = [
        pd.date_range(*session, freq="h", inclusive="left")
        for session in zip(opens, closes, strict=True)
    ]
    ends = bar_close("XNYS", starts[0].append(starts[1:]), Timeframe("1h"))
    assert [f"{end:%d %H:%M}" for end in ends if end in closes] == [
        "02 20:00",
        "03 17:00",
        "05 20:00",
    ]
    assert ends.is_monotonic_increasing
    assert ends.is_unique


def test_a_calendar_knows_its_zone_and_when_a_session_opens():
    assert (zone("XNYS"), zone("XTKS")) == ("America/New_York", "Asia/Tokyo")
    days = pd.DatetimeIndex(["2024-03-08", "2024-03-11"])  # the clocks went forward
    assert list(session_open("XNYS", days)) == list(utc("2024-03-08 14:30", "2024-03-11 13:30"))
    with pytest.raises(DataError, match="no session for the bar of 2024-07-04"):
        session_open("XNYS", pd.DatetimeIndex(["2024-07-04"]))


def test_the_current_open_is_that_of_the_session_an_instant_lies_in():
    inside, outside = ("2024-07-03 13:30", "2024-07-03 16:59"), ("2024-07-03 17:00", "2024-07-04")
    assert list(current_open("XNYS", utc(*inside))) == list(utc("2024-07-03 13:30")) * 2
    assert current_open("XNYS", utc(*outside, "2060-01-02 15:00")).isna().all()
    assert current_open("XNYS", utc()).empty


def test_daily_gaps_are_the_sessions_without_a_bar():
    held = utc("2024-07-01 04:00", "2024-07-03 04:00", "2024-07-08 04:00")
    assert gaps("XNYS", held, Timeframe("1d")) == Gaps(("2024-07-02", "2024-07-05"))


@pytest.mark.parametrize("timeframe", ["1w", "1mo"])
def test_weeks_and_months_report_no_gaps(timeframe):
    assert gaps("XNYS", utc("2024-01-01", "2024-07-01"), Timeframe(timeframe)) == Gaps()


@pytest.mark.parametrize(
    ("before", "after"),
    [("2024-03-08", "2024-03-11"), ("2024-11-01", "2024-11-04"), ("2024-07-02", "2024-07-05")],
)
def test_whole_sessions_of_minutes_have_no_gaps_across_a_change_of_clocks(before, after):
    days = sessions("XNYS", before, after).strftime("%Y-%m-%d")
    parts = [regular_minutes(day, "13:00" if day == "2024-07-03" else "16:00") for day in days]
    index = parts[0].append(parts[1:])
    assert gaps("XNYS", index, Timeframe("1m")) == Gaps()


def test_minutes_missing_inside_a_session_are_counted_and_whole_sessions_named():
    monday, thursday = regular_minutes("2024-03-04"), regular_minutes("2024-03-07")
    index = monday.delete(slice(100, 107)).append(thursday)
    expected = Gaps(("2024-03-05", "2024-03-06"), bars=7)
    assert gaps("XNYS", index, Timeframe("1m")) == expected


def test_bars_outside_the_session_fill_no_gap():
    whole_day = pd.date_range("2024-07-03 08:00", "2024-07-03 23:59", freq="min", tz="UTC")
    without_noon = whole_day[whole_day.hour != 16]
    assert gaps("XNYS", whole_day, Timeframe("1m")) == Gaps()
    assert gaps("XNYS", without_noon, Timeframe("1m")) == Gaps(bars=60)


def test_a_range_that_begins_and_ends_inside_a_session_lacks_nothing():
    assert gaps("XNYS", regular_minutes("2024-07-02")[50:90], Timeframe("1m")) == Gaps()


@pytest.mark.parametrize("first", ["09:00", "09:30"])
def test_hours_may_be_cut_by_the_clock_or_by_the_open(first):
    days = [pd.date_range(f"2024-03-{day} {first}", periods=7, freq="h") for day in ("08", "11")]
    index = days[0].append(days[1]).tz_localize("America/New_York").tz_convert("UTC")
    assert gaps("XNYS", index, Timeframe("1h")) == Gaps()
    assert gaps("XNYS", index.delete(2), Timeframe("1h")) == Gaps(bars=1)


def test_a_lunch_break_is_no_gap():
    morning = pd.date_range("2024-03-11 09:30", "2024-03-11 12:00", freq="min", inclusive="left")
    afternoon = pd.date_range("2024-03-11 13:00", "2024-03-11 16:00", freq="min", inclusive="left")
    index = morning.append(afternoon.delete(5)).tz_localize("Asia/Hong_Kong").tz_convert("UTC")
    assert gaps("XHKG", index, Timeframe("1m")) == Gaps(bars=1)
