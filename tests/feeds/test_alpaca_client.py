"""Alpaca's REST history: pages, patience, hours."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from brokers.errors import ConfigError, DataError, SeawallError, Transient
from brokers.wire.http import NoAnswer
from brokers.wire.transport import VenueBar
from feeds.alpaca_client import AlpacaData, AlpacaHistory, read_bar
from feeds.timeframe import Timeframe
from tests.feeds.alpaca_server import (
    KEYS,
    MARCH,
    AlpacaServer,
    MemoryHttp,
    PatientClock,
    at_new_york,
    row,
)
from tests.feeds.servers import Reply

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
START, END = at_new_york("2024-03-07"), at_new_york("2024-03-12")


def ask(
    server: AlpacaServer,
    symbols=("AAPL",),
    bounds=(START, END),
    timeframe="1d",
    *,
    clock: PatientClock | None = None,
    **wanted,
) -> dict[str, tuple[VenueBar, ...]]:
    clock = clock or PatientClock(NOW)
    client = AlpacaHistory(
        MemoryHttp(clock, server), KEYS, AlpacaData(**wanted), clock=clock, rng=random.Random(1)
    )
    return asyncio.run(client.bars(symbols, *bounds, Timeframe(timeframe)))


def times(bars: tuple[VenueBar, ...]) -> list[str]:
    return [f"{bar.start_at:%d %H:%M}" for bar in bars]


def test_pages_are_symbol_major_and_put_together():
    server = AlpacaServer({"AAPL": MARCH, "MSFT": MARCH}, page_size=2)
    found = ask(server, ["MSFT", "AAPL", "KO"])
    assert [len(found[symbol]) for symbol in ("MSFT", "AAPL", "KO")] == [3, 3, 0]
    assert [query.get("page_token") for query in server.queries] == [None, "2", "4"]


def test_many_symbols_are_asked_for_in_parts():
    symbols = [f"S{number}" for number in range(250)]
    server = AlpacaServer(dict.fromkeys(symbols, MARCH[:1]))
    assert all(len(bars) == 1 for bars in ask(server, symbols).values())
    assert [query["symbols"].count(",") + 1 for query in server.queries] == [100, 100, 50]


def test_pages_that_lead_in_a_circle_are_an_error():
    page = Reply.of({"bars": {}, "next_page_token": "again"})
    with pytest.raises(DataError, match="circle"):
        ask(AlpacaServer(always=page))


def test_the_end_is_exclusive_although_alpacas_is_not():
    server = AlpacaServer({"AAPL": MARCH})
    bars = ask(server, bounds=(START, at_new_york("2024-03-11")))["AAPL"]
    assert len(bars) == 2


def test_a_bar_that_still_moves_is_left_out():
    server = AlpacaServer({"AAPL": MARCH})
    for time, expected in (("15:59", 2), ("16:00", 2), ("16:01", 3)):  # a minute to settle
        clock = PatientClock(at_new_york(f"2024-03-11 {time}"))
        assert len(ask(server, clock=clock)["AAPL"]) == expected


def test_minutes_outside_the_session_are_left_out_half_days_too():
    minutes = ("09:29", "09:30", "12:59", "13:00", "15:59", "16:00")
    rows = [row(f"2024-11-{day} {minute}") for day in (27, 29) for minute in minutes]
    bounds = at_new_york("2024-11-27"), at_new_york("2024-11-30")
    clock = PatientClock(at_new_york("2024-12-01"))
    server = AlpacaServer({"AAPL": rows})
    regular = ask(server, bounds=bounds, timeframe="1m", clock=clock)["AAPL"]
    assert times(regular) == [
        *("27 14:30", "27 17:59", "27 18:00", "27 20:59"),
        *("29 14:30", "29 17:59"),
    ]
    every = ask(server, bounds=bounds, timeframe="1m", clock=clock, regular_hours=False)
    assert len(every["AAPL"]) == 12


def half_hours(day: str) -> list:
    return [
        row(f"{day} {hour:02}:{minute:02}", hour, hour + 1 + minute / 60, hour / 2, hour + 1, 10.0)
        for hour in range(9, 17)
        for minute in (0, 30)
    ]


def test_hours_count_from_the_open_and_are_made_of_half_hours():
    server = AlpacaServer({"AAPL": half_hours("2024-03-08")})
    bars = ask(server, timeframe="1h")["AAPL"]
    assert times(bars) == [f"08 {hour}:30" for hour in range(14, 21)]
    assert server.queries[0]["timeframe"] == "30Min"
    first, last = bars[0], bars[-1]
    assert (first.open, first.high, first.low, first.close, first.volume) == (9, 11, 4.5, 11, 20)
    assert last.volume == 10.0  # half an hour, until the close


def test_an_hour_at_the_ranges_end_is_whole_or_left_out():
    server = AlpacaServer({"AAPL": half_hours("2024-03-08")})
    bounds = at_new_york("2024-03-08 10:00"), at_new_york("2024-03-08 12:00")
    whole = ask(server, bounds=bounds, timeframe="1h")["AAPL"]
    assert times(whole) == ["08 15:30", "08 16:30"]
    assert [bar.volume for bar in whole] == [20.0, 20.0]
    soon = PatientClock(at_new_york("2024-03-08 12:05"))  # 12:30 may not be asked for yet
    assert times(ask(server, bounds=bounds, timeframe="1h", clock=soon)["AAPL"]) == ["08 15:30"]


@pytest.mark.parametrize(
    "failure",
    [
        Reply.of({"message": "internal"}, 500),
        Reply(504, "<html>gateway</html>"),
        Reply(200, "no JSON"),
        Reply.of([1, 2]),
        Reply.of({"message": "too many requests."}, 429),
        NoAnswer("no answer within 10 s"),
        Transient("no connection"),
    ],
)
def test_what_may_be_asked_again_is(failure):
    server = AlpacaServer({"AAPL": MARCH}, failures=[failure, failure])
    assert len(ask(server)["AAPL"]) == 3
    assert len(server.queries) == 3


@pytest.mark.parametrize(
    ("headers", "at_least_s"),
    [
        ({"X_RateLimit_Reset": str(int(NOW.timestamp()) + 30)}, 30.0),
        ({"Retry_After": "20"}, 20.0),
        ({"Retry_After": "soon"}, 0.0),
        ({"Retry_After": "-1"}, 0.0),
    ],
)
def test_a_rate_limit_is_waited_for_as_long_as_it_says(headers, at_least_s):
    clock = PatientClock(NOW)
    failure = Reply.of({"message": "too many requests."}, 429, **headers)
    ask(AlpacaServer({"AAPL": MARCH}, failures=[failure]), clock=clock)
    assert at_least_s <= clock.monotonic() < at_least_s + 1.0


def test_a_fault_that_stays_is_transient_in_the_end():
    server = AlpacaServer(always=Reply(503, ""))
    with pytest.raises(Transient, match=r"alpaca: 503 \(gave up after"):
        ask(server)


def test_calls_stay_under_the_plans_rate():
    clock = PatientClock(NOW)
    server = AlpacaServer({"AAPL": MARCH}, page_size=1)
    ask(server, clock=clock, calls_per_minute=2)
    assert clock.monotonic() == 60.0


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (Reply.of({"message": "invalid symbol: A A"}, 400), DataError, "400 invalid symbol: A A"),
        (Reply.of({"message": "forbidden."}, 403), ConfigError, "the keys were refused"),
        (Reply.of({"bars": [1]}), DataError, "its bars have another form"),
        (Reply.of({"bars": {"AAPL": [{"t": "now"}]}}), DataError, "a bar of AAPL cannot be read"),
    ],
)
def test_other_refusals_end_the_asking(reply, kind: type[SeawallError], text):
    server = AlpacaServer(always=reply)
    with pytest.raises(kind, match=text):
        ask(server)
    assert len(server.queries) == 1


def test_bars_that_are_null_are_none():
    assert ask(AlpacaServer(always=Reply.of({"bars": None, "next_page_token": None}))) == {
        "AAPL": ()
    }


@pytest.mark.parametrize(
    "values",
    [
        (100.0, 99.0, 98.0, 99.0, 1.0),
        (100.0, 104.0, 101.0, 102.0, 1.0),
        (0.0, 104.0, 0.0, 102.0, 1.0),
        (100.0, float("inf"), 99.0, 102.0, 1.0),
        (100.0, 104.0, 99.0, float("nan"), 1.0),
        (100.0, 104.0, 99.0, 102.0, -1.0),
    ],
)
def test_a_bar_that_contradicts_itself_is_refused(values):
    with pytest.raises(DataError, match=r"the bar of AAPL at 2024-03-07 .* contradicts itself"):
        read_bar("AAPL", row("2024-03-07", *values))


def test_instants_may_have_nanoseconds_and_any_offset():
    plain = row("2024-03-07 09:30")
    odd = {**plain, "t": "2024-03-07T09:30:00.123456789-05:00"}
    assert read_bar("A", plain).start_at == datetime(2024, 3, 7, 14, 30, tzinfo=UTC)
    assert read_bar("A", odd).start_at == datetime(2024, 3, 7, 14, 30, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("name", ["mute_s", "quiet_s", "settle_s", "timeout_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_wait_that_is_none_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"{name} must be above 0"):
        AlpacaData(**{name: value})
