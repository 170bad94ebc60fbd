"""Alpaca as a source, over a local server; and as the bars of a session."""

import asyncio
import random
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from brokers.wire.backoff import Backoff
from brokers.wire.transport import Reconnected, VenueBar
from feeds import history
from feeds.alpaca import AlpacaBars, data_url, keys_from_environment
from feeds.alpaca_client import AlpacaData
from feeds.timeframe import Timeframe
from tests.feeds.alpaca_server import (
    KEYS,
    MARCH,
    AlpacaServer,
    MemoryHttp,
    PatientClock,
    PinnedClock,
    at_new_york,
    greeting,
    live,
    row,
)
from tests.feeds.servers import Loopback, Reply

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("APCA_API_KEY_ID", "PK-the-key")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "the-secret")


def fetch(loopback: Loopback, symbols="AAPL", start="2024-03-07", end="2024-03-11", **changes):
    options = {"base": loopback.url, "clock": PinnedClock(NOW), "rng": random.Random(1), **changes}
    return history("alpaca", symbols, start, end, **options)


def test_history_comes_as_stamped_frames_from_all_pages():
    server = AlpacaServer({"AAPL": MARCH, "MSFT": MARCH[:2]}, page_size=2)
    with Loopback(server) as loopback:
        frames = fetch(loopback, ["MSFT", "AAPL"])
    assert list(frames) == ["MSFT", "AAPL"]
    assert list(frames["AAPL"]["close"]) == [102.0, 104.0, 106.0]
    assert list(frames["AAPL"].index) == [at_new_york(f"2024-03-{d}") for d in ("07", "08", "11")]
    passport = frames["AAPL"].attrs["passport"]
    assert (passport.source, passport.feed, passport.adjustment) == ("alpaca", "iex", "split")
    assert (passport.calendar, passport.zone) == ("XNYS", "America/New_York")
    assert (passport.fetched_at, passport.gap_count) == (NOW, 0)


def test_the_keys_are_in_the_headers_and_nowhere_else():
    with Loopback(AlpacaServer({"AAPL": MARCH})) as loopback:
        frames = fetch(loopback)
    (request,) = loopback.requests
    headers = {name.lower(): text for name, text in request.headers.items()}
    assert headers["apca-api-key-id"] == "PK-the-key"
    assert headers["apca-api-secret-key"] == "the-secret"
    assert "secret" not in f"{request.path} {request.query} {frames['AAPL'].attrs}"


@pytest.mark.parametrize(
    ("option", "asked", "stamped"),
    [
        ("none", "raw", "none"),
        ("raw", "raw", "none"),
        ("split", "split", "split"),
        ("total", "all", "total"),
        ("all", "all", "total"),
    ],
)
def test_an_adjustment_has_the_houses_word_in_the_passport(option, asked, stamped):
    server = AlpacaServer({"AAPL": MARCH})
    with Loopback(server) as loopback:
        bars = fetch(loopback, adjustment=option)["AAPL"]
    assert server.queries[0]["adjustment"] == asked
    assert bars.attrs["passport"].adjustment == stamped


def test_bars_of_all_hours_say_so_and_end_with_their_hour():
    rows = [row(f"2024-03-08 {hour:02}:00") for hour in range(8, 20)]
    server = AlpacaServer({"AAPL": rows})
    with Loopback(server) as loopback:
        bars = fetch(loopback, timeframe="1h", regular_hours=False)["AAPL"]
    assert len(bars) == 12
    assert bars.attrs["passport"].feed == "iex-all-hours"
    assert server.queries[0]["timeframe"] == "1Hour"


def test_an_open_range_ends_now_and_begins_with_alpacas_first_bar():
    server = AlpacaServer({"AAPL": MARCH})
    with Loopback(server) as loopback:
        assert len(fetch(loopback, start=None, end=None)["AAPL"]) == 3
    assert server.queries[0]["start"] == "2016-01-01T05:00:00Z"
    assert server.queries[0]["end"] == "2024-07-01T11:59:59.999999Z"


def test_a_cache_asks_for_nothing_twice(tmp_path):
    server = AlpacaServer({"AAPL": MARCH})
    with Loopback(server) as loopback:
        first, second = (fetch(loopback, cache=tmp_path)["AAPL"] for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert len(server.queries) == 1


def test_a_notebook_whose_loop_runs_can_ask_too():
    async def cell():
        return fetch(loopback)["AAPL"]

    with Loopback(AlpacaServer({"AAPL": MARCH})) as loopback:
        assert len(asyncio.run(cell())) == 3


def test_a_symbol_without_bars_is_an_error_that_names_it():
    with Loopback(AlpacaServer()) as loopback, pytest.raises(DataError, match="1d bars of NOSUCH"):
        fetch(loopback, "NOSUCH")


def test_the_sip_rule_of_the_free_plan_names_the_feed_that_works():
    body = {"message": "subscription does not permit querying recent SIP data"}
    server = AlpacaServer(always=Reply.of(body, 403))
    with Loopback(server) as loopback, pytest.raises(DataError, match="--feed iex") as caught:
        fetch(loopback, feed="sip", end=None)
    assert "last 15 minutes" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_keys_are_an_error_that_does_not_show_them(status):
    body = {"message": "forbidden for PK-the-key / the-secret"}
    server = AlpacaServer(always=Reply.of(body, status))
    with Loopback(server) as loopback, pytest.raises(ConfigError, match="APCA_API_KEY") as caught:
        fetch(loopback)
    assert "the-secret" not in str(caught.value)
    assert "PK-the-key" not in str(caught.value)


def test_no_network_is_a_data_error_after_the_backoff():
    with Loopback(AlpacaServer()) as gone:
        pass
    with pytest.raises(DataError, match=r"no connection .* check the network"):
        fetch(gone, backoff=Backoff(deadline_s=0.0))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"feed": "nasdaq"}, "unknown feed 'nasdaq': use one of iex, sip"),
        ({"adjustment": "dividend"}, "adjustment 'dividend': use none, split or total"),
        ({"base": "ftp://data.alpaca.markets"}, "is no address such as https://data.alpaca"),
        ({"base": "http://data.alpaca.markets"}, "would send the keys unencrypted"),
        ({"base": "https://data.alpaca.markets/v2"}, "is no address"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_asked(options, text):
    with pytest.raises(ConfigError, match=text):
        history("alpaca", "AAPL", "2024-03-07", **options)


def test_without_a_symbol_nothing_is_asked():
    with pytest.raises(ConfigError, match="no symbol"):
        history("alpaca", "", "2024-03-07")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("APCA_API_KEY_ID", "", "set APCA_API_KEY_ID and APCA_API_SECRET_KEY"),
        ("APCA_API_SECRET_KEY", "two words", "APCA_API_SECRET_KEY has a blank"),
    ],
)
def test_keys_that_are_none_are_refused_without_showing_them(monkeypatch, name, value, text):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=text) as caught:
        keys_from_environment()
    assert not value or value not in str(caught.value)


def test_a_data_host_is_an_address_alone():
    assert data_url("https://data.alpaca.markets/") == "https://data.alpaca.markets"
    assert data_url("http://127.0.0.1:8765") == "http://127.0.0.1:8765"


def session_bars(clock: ManualClock, http: MemoryHttp, timeframe: str = "1m") -> AlpacaBars:
    data = AlpacaData(timeframe=Timeframe(timeframe), sentinel=None)
    return AlpacaBars(
        http, http, KEYS, data, clock=clock, rng=random.Random(1), on_outage=[].append
    )


def test_a_session_has_history_with_an_entry_for_every_symbol():
    clock = PatientClock(NOW)
    http = MemoryHttp(clock, AlpacaServer({"AAPL": MARCH}))
    bars = session_bars(clock, http)
    past = bars.history(["AAPL", "MSFT"], at_new_york("2024-03-08"), NOW, "1d")
    found = asyncio.run(past)
    assert [bar.start_at.date() for bar in found["AAPL"]] == [date(2024, 3, 8), date(2024, 3, 11)]
    assert found["MSFT"] == ()
    asyncio.run(bars.close())
    assert http.closed == 2


def test_a_warm_up_is_frames_like_those_of_the_source():
    clock = PatientClock(NOW)
    http = MemoryHttp(clock, AlpacaServer({"AAPL": MARCH}))
    bars = session_bars(clock, http, "1d")
    frames = asyncio.run(bars.frames(["AAPL"], at_new_york("2024-03-07"), NOW))
    with Loopback(AlpacaServer({"AAPL": MARCH})) as loopback:
        same = fetch(loopback, keys=KEYS)
    pd.testing.assert_frame_equal(frames["AAPL"], same["AAPL"])
    assert frames["AAPL"].attrs == same["AAPL"].attrs
    with pytest.raises(DataError, match="no 1d bars of KO"):
        asyncio.run(bars.frames(["AAPL", "KO"], at_new_york("2024-03-07"), NOW))


@pytest.mark.parametrize("timeframe", ["1m", "1d"])
def test_a_session_has_live_bars_of_minutes_or_days(timeframe):
    async def first_two():
        found = session_bars(clock, http, timeframe).bars(["AAPL"])
        items = [await anext(found), await anext(found)]
        await found.aclose()
        return items

    clock = PatientClock(at_new_york("2024-03-08 12:00"))
    script = [*greeting("AAPL"), live("AAPL", "2024-03-08 12:00")]
    http = MemoryHttp(clock, AlpacaServer({"AAPL": MARCH}), [script])
    up, bar = asyncio.run(first_two())
    assert isinstance(up, Reconnected)
    expected = {"1m": "2024-03-08 12:00", "1d": "2024-03-08 00:00"}[timeframe]
    assert isinstance(bar, VenueBar)
    assert bar.start_at == at_new_york(expected)


def test_other_live_timeframes_are_refused_with_the_way_to_have_them():
    clock = PatientClock(NOW)
    with pytest.raises(ConfigError, match="1h, 1d, not 1w: choose 1d, and resample"):
        session_bars(clock, MemoryHttp(clock, AlpacaServer()), "1w")
