"""Alpaca's data stream: what it brings, and how it comes back."""

import asyncio
import random
from collections.abc import Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError, SeawallError, Transient
from brokers.wire.http import StreamRefused
from brokers.wire.transport import Reconnected, VenueBar
from feeds.alpaca_client import AlpacaData, AlpacaHistory
from feeds.alpaca_stream import HELD_S, AlpacaBarStream
from tests.feeds.alpaca_server import (
    HANG,
    KEYS,
    AlpacaServer,
    MemoryHttp,
    PatientClock,
    at_new_york,
    greeting,
    live,
    row,
)

NOON = at_new_york("2024-03-08 12:00")
DROP = Transient("the stream ended (code 1006)")
HELLO = greeting("AAPL", "SPY")
OPENED = {"T": "success", "msg": "connected"}


def error(code: int, text: str = "no") -> dict[str, Any]:
    return {"T": "error", "code": code, "msg": text}


def noon(minute: int, symbol: str = "AAPL", **how: Any) -> Any:
    return live(symbol, f"2024-03-08 12:{minute:02}", **how)


def stream(
    connections: Sequence[Any],
    count: int = 10,
    *,
    server: AlpacaServer | None = None,
    clock: ManualClock | None = None,
    **wanted: Any,
) -> SimpleNamespace:
    """The first `count` items, or those before an error."""

    async def first() -> None:
        found = source.bars(["AAPL"])
        try:
            for _ in range(count):
                run.items.append(await anext(found))
        except SeawallError as failure:
            run.failure = failure
        finally:
            await found.aclose()

    clock = clock or PatientClock(NOON)
    server = server or AlpacaServer()
    http = MemoryHttp(clock, server, connections)
    data, rng = AlpacaData(**wanted), random.Random(1)
    past = AlpacaHistory(http, KEYS, data, clock=clock, rng=rng)
    run = SimpleNamespace(items=[], outages=[], failure=None, http=http, server=server, clock=clock)
    source = AlpacaBarStream(
        http, KEYS, data, past.bars, clock=clock, rng=rng, on_outage=run.outages.append
    )
    asyncio.run(first())
    return run


def shown(items: Sequence[Any]) -> list[str]:
    """Items in words: "up", "AAPL 12:00", "AAPL 12:00 again" for a correction."""
    words = []
    for item in items:
        if isinstance(item, VenueBar):
            minute = item.start_at.astimezone(NOON.tzinfo).minute
            words.append(f"{item.symbol} {minute}" + (" again" if item.is_correction else ""))
        else:
            assert isinstance(item, Reconnected)
            words.append("up")
    return words


def test_bars_come_after_authentication_and_subscription():
    run = stream([[{"T": "news"}, *HELLO, noon(0), [noon(1), noon(1, "SPY")]]], 4)
    assert shown(run.items) == ["up", "AAPL 0", "AAPL 1", "SPY 1"]
    bar = run.items[1]
    assert bar == VenueBar("AAPL", NOON, 100.0, 104.0, 99.0, 102.0, 1000.0)
    (socket,) = run.http.sockets
    wanted = ["AAPL", "SPY"]
    assert socket.sent == [
        {"action": "auth", "key": "PK-the-key", "secret": "the-secret"},
        {"action": "subscribe", "bars": wanted, "updatedBars": wanted, "statuses": wanted},
    ]
    assert run.http.opened == [("/v2/iex", 0.0)]


def test_a_session_without_a_sentinel_listens_to_its_own_symbols():
    run = stream([[*greeting("AAPL"), noon(0)]], 2, sentinel=None, feed="sip")
    assert run.http.sockets[0].sent[1]["bars"] == ["AAPL"]
    assert run.http.opened[0][0] == "/v2/sip"


def test_a_sentinel_that_is_not_there_is_no_reason_to_stop(caplog):
    run = stream([[*greeting("AAPL"), noon(0)]], 2)
    assert shown(run.items) == ["up", "AAPL 0"]
    assert "did not take the sentinel SPY" in caplog.text


def test_corrections_are_marked_and_running_days_are_passed_over():
    others = [noon(0, kind="d"), {"T": "q", "S": "AAPL"}, {"T": "subscription"}, "[3]", "{}"]
    run = stream([[*HELLO, noon(0), *others, noon(0, kind="u"), noon(1)]], 4)
    assert shown(run.items) == ["up", "AAPL 0", "AAPL 0 again", "AAPL 1"]


def test_a_repeated_bar_comes_once():
    run = stream([[*HELLO, noon(0), noon(0), noon(1), noon(0), noon(2)]], 4)
    assert shown(run.items) == ["up", "AAPL 0", "AAPL 1", "AAPL 2"]


def test_bars_before_and_after_the_session_are_left_out_unless_wanted():
    early = live("AAPL", "2024-03-08 09:29")
    assert shown(stream([[*HELLO, early, noon(0)]], 2).items) == ["up", "AAPL 0"]
    every = stream([[*HELLO, early, noon(0)]], 3, regular_hours=False)
    assert shown(every.items) == ["up", "AAPL 29", "AAPL 0"]


def test_a_halt_and_a_bar_that_contradicts_itself_are_logged(caplog):
    halt = {"T": "s", "S": "AAPL", "sc": "H", "sm": "Trading Halt", "rm": "News Pending"}
    run = stream([[*HELLO, halt, noon(0, close=500.0), noon(1)]], 2)
    assert shown(run.items) == ["up", "AAPL 1"]
    assert "trading status of AAPL: Trading Halt (News Pending)" in caplog.text
    assert "contradicts itself" in caplog.text


def test_after_a_reconnection_the_gap_comes_from_history_and_nothing_twice():
    past = [row(f"2024-03-08 12:{minute:02}") for minute in range(5)]
    server = AlpacaServer({"AAPL": past, "SPY": past[2:]})
    clock = PatientClock(at_new_york("2024-03-08 12:05"))
    second = [*HELLO, noon(4), noon(5)]
    run = stream([[*HELLO, noon(0), noon(1), DROP], second], 11, server=server, clock=clock)
    assert shown(run.items) == [
        *("up", "AAPL 0", "AAPL 1", "up"),
        *("AAPL 2", "SPY 2", "AAPL 3", "SPY 3", "AAPL 4", "SPY 4", "AAPL 5"),
    ]
    assert run.outages == ["the stream ended (code 1006)"]


def test_history_that_lags_behind_is_looked_at_again_when_the_next_bar_comes():
    server = AlpacaServer()

    class Lagging(PatientClock):
        def now(self):
            if len(server.queries) == 1:
                server.bars = {"AAPL": [row("2024-03-08 12:01")]}
            return super().now()

    clock = Lagging(at_new_york("2024-03-08 12:03"))
    run = stream([[*HELLO, noon(0), DROP], [*HELLO, noon(2)]], 5, server=server, clock=clock)
    assert shown(run.items) == ["up", "AAPL 0", "up", "AAPL 1", "AAPL 2"]


def test_after_a_restart_what_was_missed_comes_first():
    server = AlpacaServer({"AAPL": [row(f"2024-03-08 11:5{minute}") for minute in range(10)]})
    since = at_new_york("2024-03-08 11:58")
    run = stream([[*HELLO, noon(0)]], 4, server=server, since=since)
    assert shown(run.items) == ["up", "AAPL 58", "AAPL 59", "AAPL 0"]


def test_a_gap_that_cannot_be_fetched_is_an_outage():
    server = AlpacaServer(failures=[Transient("no connection")] * 40)
    run = stream(
        [[*HELLO, noon(0), DROP], [*HELLO, noon(1)]], 4, server=server, clock=PatientClock(NOON)
    )
    assert shown(run.items) == ["up", "AAPL 0", "up", "up"]
    assert "no connection (gave up" in run.outages[1]


@pytest.mark.parametrize(
    "failure",
    [
        Transient("no connection"),
        StreamRefused("refused", 502),
        [OPENED, DROP],
        [OPENED, "no JSON"],
        [OPENED, error(404, "auth timeout")],
        [*HELLO, error(500, "internal error")],
        [*HELLO, error(407, "slow client")],
        [OPENED, HANG],
    ],
)
def test_the_stream_is_opened_again_after_a_failure(failure):
    was_up = isinstance(failure, list) and len(failure) > len(HELLO)
    run = stream([failure, failure, [*HELLO, noon(0)]], 4 if was_up else 2)
    assert shown(run.items)[-2:] == ["up", "AAPL 0"]
    assert len(run.outages) == 2


def test_waits_between_openings_grow_and_have_a_limit():
    run = stream([*[Transient("no connection")] * 40, [*HELLO, noon(0)]], 2)
    at = [time for _, time in run.http.opened]
    waits = [later - earlier for earlier, later in pairwise(at)]
    assert waits[0] <= 1.0
    assert 5.0 < max(waits) <= 15.0


@pytest.mark.parametrize(
    ("failure", "kind", "text"),
    [
        ([OPENED, error(402, "auth failed")], ConfigError, "402.*check APCA_API_KEY_ID and"),
        (StreamRefused("refused", 401), ConfigError, "check APCA_API_KEY_ID and"),
        ([OPENED, error(405, "symbol limit exceeded")], DataError, "405.*fewer symbols"),
        ([OPENED, error(409, "insufficient subscription")], DataError, "409.*--feed iex"),
        ([OPENED, error(400, "invalid syntax")], DataError, "400.*check the symbols"),
        (greeting("SPY"), DataError, "did not take AAPL: check the symbols"),
        (StreamRefused("refused", 404), DataError, "404.*check feed iex and the host"),
    ],
)
def test_what_cannot_get_better_ends_it_with_the_remedy(failure, kind, text):
    run = stream([failure])
    assert isinstance(run.failure, kind)
    with pytest.raises(kind, match=text):
        raise run.failure
    assert "the-secret" not in str(run.failure)
    assert run.items == []
    assert len(run.http.opened) == 1


@pytest.mark.parametrize(
    "held", [[OPENED, error(406, "connection limit exceeded")], StreamRefused("refused", 429)]
)
def test_a_dead_connection_that_is_still_counted_is_waited_for(held):
    run = stream([*[held] * 8, [*HELLO, noon(0)]], 2)
    assert shown(run.items) == ["up", "AAPL 0"]


def test_another_program_on_the_account_is_an_error_after_ninety_seconds():
    run = stream([[OPENED, error(406, "connection limit exceeded")]])
    with pytest.raises(ConfigError, match="another connection of this account"):
        raise run.failure
    last = run.http.opened[-1][1]
    assert HELD_S < last <= HELD_S + 15.0


def test_a_mute_stream_is_opened_once_more_and_then_given_up():
    run = stream([[*HELLO, noon(0), HANG], [*HELLO, HANG]], mute_s=180.0)
    assert shown(run.items) == ["up", "AAPL 0", "up"]
    assert run.outages == ["the data stream is mute: no frame in 180 s"]
    with pytest.raises(DataError, match="mute: no frame in 180 s, and opening it again did not"):
        raise run.failure
    assert 360.0 <= run.clock.monotonic() < 362.0


def test_a_stream_that_answers_no_ping_is_mute_too():
    dead = [*HELLO, 20.0, Transient("the stream is mute: no answer to a ping in 10 s")]
    run = stream([dead])
    with pytest.raises(DataError, match="no answer to a ping in 10 s, and opening it again"):
        raise run.failure
    assert len(run.http.opened) == 2


def test_one_frame_is_enough_to_be_alive_again():
    run = stream([[*HELLO, HANG], [*HELLO, noon(0, kind="d"), HANG], [*HELLO, noon(9)]], 4)
    assert shown(run.items) == ["up", "up", "up", "AAPL 9"]
    assert len(run.outages) == 2


def test_silence_is_no_alarm_while_the_market_is_closed_or_has_just_opened():
    clock = PatientClock(at_new_york("2024-03-08 15:59"))
    night = [*HELLO, 64.5 * 3600 + 2 * 60]  # until Monday, 09:31 by the clocks gone forward
    run = stream([[*night, live("AAPL", "2024-03-11 09:30")]], 2, clock=clock)
    assert shown(run.items) == ["up", "AAPL 30"]
    assert run.outages == []
