from datetime import timedelta

import backtrader as bt
import pandas as pd
import pytest

from brokers.errors import ConfigError, DataError
from feeds.timeframe import Timeframe


@pytest.mark.parametrize(
    ("text", "intraday", "delta", "backtrader"),
    [
        ("1m", True, timedelta(minutes=1), (bt.TimeFrame.Minutes, 1)),
        ("5m", True, timedelta(minutes=5), (bt.TimeFrame.Minutes, 5)),
        ("15m", True, timedelta(minutes=15), (bt.TimeFrame.Minutes, 15)),
        ("30m", True, timedelta(minutes=30), (bt.TimeFrame.Minutes, 30)),
        ("1h", True, timedelta(hours=1), (bt.TimeFrame.Minutes, 60)),
        ("1d", False, timedelta(days=1), (bt.TimeFrame.Days, 1)),
        ("1w", False, timedelta(days=7), (bt.TimeFrame.Weeks, 1)),
        ("1mo", False, None, (bt.TimeFrame.Months, 1)),
    ],
)
def test_each_timeframe_knows_its_span_and_backtraders_name(text, intraday, delta, backtrader):
    timeframe = Timeframe.parse(text)
    assert str(timeframe) == timeframe.text == text
    assert timeframe.is_intraday is intraday
    assert timeframe.delta == delta
    assert timeframe.backtrader == backtrader


def test_parsing_a_timeframe_gives_it_back():
    assert Timeframe.parse(Timeframe("5m")) == Timeframe("5m")


@pytest.mark.parametrize("text", ["", "2d", "1M", "minute", "1D"])
def test_unknown_timeframe_names_what_is_allowed(text):
    with pytest.raises(ConfigError, match="use one of 1m, 5m, 15m, 30m, 1h, 1d, 1w, 1mo"):
        Timeframe.parse(text)


@pytest.mark.parametrize(
    ("frequency", "text"),
    [("1min", "1m"), ("5min", "5m"), ("30min", "30m"), ("1h", "1h"), ("W-MON", "1w")],
)
def test_even_steps_tell_the_timeframe(frequency, text):
    index = pd.date_range("2024-03-01", periods=30, freq=frequency, tz="UTC")
    assert Timeframe.of(index) == Timeframe(text)


def test_two_bars_over_a_weekend_are_daily():
    friday_and_monday = pd.DatetimeIndex(["2024-03-08", "2024-03-11"], tz="UTC")
    assert Timeframe.of(friday_and_monday) == Timeframe("1d")


def test_two_bars_of_one_weekend_are_daily():
    saturday_and_sunday = pd.DatetimeIndex(["2024-03-09", "2024-03-10"], tz="UTC")
    assert Timeframe.of(saturday_and_sunday) == Timeframe("1d")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_local_midnights_are_daily_through_a_change_of_clocks(zone):
    index = pd.bdate_range("2024-03-04", "2024-03-29", tz=zone).tz_convert("UTC")
    assert Timeframe.of(index) == Timeframe("1d")


def test_sessions_of_minutes_are_minutes_in_spite_of_the_nights():
    days = [pd.date_range(f"2024-03-0{day} 14:30", periods=5, freq="min") for day in (4, 5, 6)]
    index = days[0].append(days[1:]).tz_localize("UTC").as_unit("s")
    assert Timeframe.of(index) == Timeframe("1m")


@pytest.mark.parametrize("start", ["MS", "BMS"])
def test_months_are_told_from_their_weekdays(start):
    index = pd.date_range("2023-01-01", periods=24, freq=start, tz="America/New_York")
    assert Timeframe.of(index.tz_convert("UTC")) == Timeframe("1mo")


@pytest.mark.parametrize("frequency", ["2min", "4h", "12h", "2D", "YS"])
def test_a_step_that_is_no_timeframe_is_an_error(frequency):
    index = pd.date_range("2020-01-06", periods=9, freq=frequency, tz="UTC")
    with pytest.raises(DataError, match="which is no timeframe"):
        Timeframe.of(index)


def test_one_bar_does_not_tell_its_timeframe():
    with pytest.raises(DataError, match="name it, such as 1d"):
        Timeframe.of(pd.DatetimeIndex(["2024-03-08"], tz="UTC"))
