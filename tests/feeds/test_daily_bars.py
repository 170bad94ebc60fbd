"""Daily bars after their sessions."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from brokers.errors import DataError, Transient
from brokers.wire.transport import Reconnected, VenueBar
from feeds.alpaca_client import AlpacaData
from feeds.daily_bars import LOOKS, DailyBars
from tests.feeds.alpaca_server import PatientClock, at_new_york


class Past:
    """History that has a bar of each session for each symbol, but for what is said.

    Args:
        missing: (look, symbol) pairs without a bar; looks count from 1.
        failing: looks that fail.
    """

    def __init__(self, clock, missing=(), failing=()) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self._clock, self._missing, self._failing = clock, set(missing), set(failing)

    async def __call__(self, symbols, start, end, timeframe):
        look = len(self.asked) + 1
        now = self._clock.now()
        self.asked.append((f"{now:%m-%d %H:%M}", list(symbols)))
        assert timeframe.text == "1d"
        assert timedelta(hours=23) <= end - start <= timedelta(hours=25)
        if look in self._failing:
            raise Transient("no connection")
        bar = (start, 1.0, 1.0, 1.0, 1.0, 1.0)
        return {
            symbol: () if (look, symbol) in self._missing else (VenueBar(symbol, *bar),)
            for symbol in symbols
        }


def days(start: datetime, count: int, past_options=None, **wanted):
    """The first items, what was asked and when, and the outages."""

    async def first():
        found = source.bars(["A", "B"])
        items = [await anext(found) for _ in range(count)]
        await found.aclose()
        return items

    clock = PatientClock(start)
    past = Past(clock, **(past_options or {}))
    outages: list[str] = []
    source = DailyBars(past, AlpacaData(**wanted), clock=clock, on_outage=outages.append)
    return asyncio.run(first()), past.asked, outages


def sessions(items) -> list[str]:
    return [f"{i.symbol} {i.start_at:%m-%d}" for i in items if isinstance(i, VenueBar)]


def test_bars_come_a_settling_time_after_each_close():
    items, asked, _ = days(at_new_york("2024-03-08 12:00"), 5)
    assert isinstance(items[0], Reconnected)
    assert sessions(items) == ["A 03-08", "B 03-08", "A 03-11", "B 03-11"]
    assert [time for time, _ in asked] == ["03-08 21:01", "03-11 20:01"]  # summer time between


def test_a_half_day_and_a_holiday_are_the_calendars():
    _, asked, _ = days(at_new_york("2024-11-27 12:00"), 5, settle_s=300.0)
    assert [time for time, _ in asked] == ["11-27 21:05", "11-29 18:05"]


def test_right_after_a_close_that_session_still_comes():
    items, asked, _ = days(at_new_york("2024-03-08 16:00") + timedelta(seconds=30), 3)
    assert sessions(items) == ["A 03-08", "B 03-08"]
    assert [time for time, _ in asked] == ["03-08 21:01"]


def test_sessions_since_a_restart_come_at_once():
    since = at_new_york("2024-03-07")
    items, asked, _ = days(at_new_york("2024-03-08 20:00"), 5, since=since)
    assert sessions(items) == ["A 03-07", "B 03-07", "A 03-08", "B 03-08"]
    assert [time for time, _ in asked] == ["03-09 01:00"] * 2


def test_a_symbol_that_lags_is_looked_for_again():
    options = {"missing": [(1, "B"), (2, "B")]}
    items, asked, _ = days(at_new_york("2024-03-08 12:00"), 3, options)
    assert sessions(items) == ["A 03-08", "B 03-08"]
    assert asked == [
        ("03-08 21:01", ["A", "B"]),
        ("03-08 21:02", ["B"]),
        ("03-08 21:03", ["B"]),
    ]


def test_a_symbol_that_did_not_trade_holds_nobody_up_for_long(caplog):
    options = {"missing": [(look, "A") for look in range(1, LOOKS + 1)]}
    items, asked, _ = days(at_new_york("2024-03-08 12:00"), 2, options)
    assert sessions(items) == ["B 03-08"]
    assert len(asked) == LOOKS
    assert "no daily bar of 2024-03-08 for A: it did not trade" in caplog.text


def test_a_failure_is_an_outage_until_the_next_look():
    items, asked, outages = days(at_new_york("2024-03-08 12:00"), 4, {"failing": [1, 2]})
    assert [isinstance(item, Reconnected) for item in items] == [True, True, False, False]
    assert items[1].at == datetime(2024, 3, 8, 21, 3, tzinfo=UTC)
    assert outages == ["no connection"] * 2
    assert len(asked) == 3


def test_no_bar_for_anybody_is_an_error_in_the_end():
    with pytest.raises(DataError, match="no daily bar of 2024-03-08 for any of A, B after 10"):
        days(
            at_new_york("2024-03-08 12:00"),
            2,
            {"missing": [(look, symbol) for look in range(1, LOOKS + 1) for symbol in "AB"]},
        )


def test_a_network_that_is_down_for_hours_ends_nothing():
    items, asked, _ = days(at_new_york("2024-03-08 12:00"), 3, {"failing": range(1, 200)})
    assert sessions(items[2:]) == ["A 03-08"]
    assert asked[-1][0] == "03-09 00:20"
