"""The two websockets: who may connect, what they say, in which codec."""

import asyncio
import json
from typing import Any

import pytest

from brokers.errors import Transient
from brokers.wire.http import Socket, StreamRefused
from live.paper.account import BacktraderRules
from live.paper.alpaca_api import Terms
from live.paper.alpaca_streams import Subscription
from live.paper.faults import Fault, Kind
from tests.live.conformance.small_venue import KEY, SECRET
from tests.live.paper.front import BUY, PACKED, Client, Front, read, say, unpack

DATA = "/v2/iex"
MANY = [f"S{number}" for number in range(31)]


async def events(socket: Socket, count: int) -> list[str]:
    return [read(await anext(socket))["data"]["event"] for _ in range(count)]


async def buy_and_turn(client: Client) -> None:
    await client.ask("POST", "/v2/orders", BUY)
    await client.turn()


def test_updates_need_a_key_and_a_listen() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream") as socket:
            listen = {"action": "listen", "data": {"streams": ["trade_updates", "other"]}}
            refused = {"status": "unauthorized", "action": "listen"}
            assert await say(socket, **listen) == {"stream": "authorization", "data": refused}
            wrong = {"action": "authenticate", "data": {"key_id": KEY, "secret_key": "x"}}
            assert (await say(socket, **wrong))["data"]["status"] == "unauthorized"
            right = await say(socket, action="auth", key=KEY, secret=SECRET)
            assert right["data"] == {"status": "authorized", "action": "authenticate"}
            listening = {"stream": "listening", "data": {"streams": ["trade_updates"]}}
            assert await say(socket, **listen) == listening
            assert client.front.venue.updates.is_listened_to

    Front().run(scenario)


@pytest.mark.parametrize(("environment", "kind"), [("paper", bytes), ("live", str)])
def test_paper_account_sends_binary_frames_and_live_account_text(
    environment: str, kind: type
) -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream") as socket:
            await client.listen(socket)
            await buy_and_turn(client)
            assert isinstance(await anext(socket), kind)

    Front(environment=environment).run(scenario)


def test_stream_is_packed_when_the_header_asks_for_it() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream", PACKED) as socket:
            await packed_listen(socket)
            await buy_and_turn(client)
            assert unpack(await anext(socket))["data"]["order"]["symbol"] == "AAPL"

    async def packed_listen(socket: Socket) -> None:
        for words in (
            {"action": "auth", "key": KEY, "secret": SECRET},
            {"action": "listen", "data": {"streams": ["trade_updates"]}},
        ):
            await socket.send(json.dumps(words))
            unpack(await anext(socket))

    Front().run(scenario)


def test_fill_tells_this_executions_price_and_the_position_after_it() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream") as socket:
            await client.listen(socket)
            await buy_and_turn(client)
            told = [read(await anext(socket))["data"] for _ in range(2)]
        assert [part["event"] for part in told] == ["new", "fill"]
        assert (told[1]["price"], told[1]["qty"], told[1]["position_qty"]) == ("100.95", "10", "10")
        assert told[1]["order"]["filled_avg_price"] == "100.95"

    Front().run(scenario)


def test_second_connection_of_an_account_is_throttled_while_the_first_lasts() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream"):
            await asyncio.sleep(0)
            with pytest.raises(StreamRefused) as refused:
                async with client.http.stream("/stream"):
                    pass
        assert refused.value.status == 429
        await asyncio.sleep(0)
        async with client.http.stream("/stream") as socket:
            await client.listen(socket)

    Front().run(scenario)


def test_what_cannot_be_read_is_ignored_by_the_trading_stream() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream") as socket:
            for frame in ("{", "[]", b"\xff", '{"action": "dance"}'):
                await socket.send(frame)
            assert read(await anext(socket))["data"]["action"] == "dance"

    Front().run(scenario)


def test_data_stream_greets_and_gives_only_what_was_subscribed_to() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream(DATA) as socket:
            assert read(await anext(socket)) == [{"T": "success", "msg": "connected"}]
            login = {"action": "auth", "key": KEY, "secret": SECRET}
            assert await say(socket, **login) == [{"T": "success", "msg": "authenticated"}]
            (lists,) = await say(socket, action="subscribe", bars=["AAPL"], quotes=["*"])
            assert (lists["T"], lists["bars"], lists["quotes"]) == ("subscription", ["AAPL"], ["*"])
            await client.turn()
            told = [(part["T"], part["S"]) for part in read(await anext(socket))]
            assert told == [("b", "AAPL"), ("q", "AAPL"), ("q", "MSFT")]
            (lists,) = await say(socket, action="unsubscribe", quotes=["*"])
            assert (lists["bars"], lists["quotes"]) == (["AAPL"], [])

    Front().run(scenario)


def test_bar_of_the_json_stream_has_a_text_time_and_of_the_packed_one_a_timestamp() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream(DATA) as socket:
            await client.subscribe(socket, bars=["AAPL"])
            await client.turn()
            (bar,) = read(await anext(socket))
            assert (bar["t"], bar["c"], bar["v"]) == ("2024-01-02T14:40:00Z", 101.0, 1000)
        await asyncio.sleep(0)
        async with client.http.stream(DATA, PACKED) as socket:
            unpack(await anext(socket))
            for words in (
                {"action": "auth", "key": KEY, "secret": SECRET},
                {"action": "subscribe", "bars": ["AAPL"]},
            ):
                await socket.send(json.dumps(words))
                unpack(await anext(socket))
            await client.turn()
            (bar,) = unpack(await anext(socket))
            assert bar["t"].to_unix() == 1_704_206_460

    Front().run(scenario)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([{"action": "dance"}], 400),
        (["nonsense"], 400),
        ([{"action": "subscribe", "bars": ["AAPL"]}], 401),
        ([{"action": "auth", "key": KEY, "secret": "x"}], 402),
        ([{"action": "auth"}], 402),
        ([{"login": 1}, {"login": 1}], 403),
        ([{"login": 1}, {"action": "subscribe", "quotes": MANY}], 405),
        ([{"login": 1}, {"action": "subscribe", "bars": "AAPL"}], 400),
        ([{"login": 1}, {"action": "subscribe", "news": ["AAPL"]}], 410),
    ],
)  # fmt: skip
def test_data_stream_names_what_was_wrong(said: list[Any], code: int) -> None:
    login = {"action": "auth", "key": KEY, "secret": SECRET}

    async def scenario(client: Client) -> None:
        async with client.http.stream(DATA) as socket:
            await anext(socket)
            for words in said:
                known = login if isinstance(words, dict) and "login" in words else words
                await socket.send(json.dumps(known))
                (answer,) = read(await anext(socket))
        assert (answer["T"], answer["code"]) == ("error", code)

    Front().run(scenario)


def test_feed_that_is_not_paid_for_is_refused_at_the_log_in() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream("/v2/sip") as socket:
            await anext(socket)
            (answer,) = await say(socket, action="auth", key=KEY, secret=SECRET)
            assert (answer["code"], answer["msg"]) == (409, "insufficient subscription")

    Front().run(scenario)


def test_second_data_connection_of_a_key_is_one_too_many() -> None:
    async def scenario(client: Client) -> None:
        async with (
            client.http.stream(DATA) as first,
            client.http.stream("/v2/test") as second,
        ):
            await client.subscribe(first, bars=["AAPL"])
            await anext(second)
            (answer,) = await say(second, action="auth", key=KEY, secret=SECRET)
            assert answer["code"] == 406

    Front().run(scenario)


def test_client_that_does_not_log_in_is_sent_away_after_a_while() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.stream(DATA) as socket:
            await anext(socket)
            (answer,) = read(await anext(socket))
            assert (answer["code"], answer["msg"]) == (404, "auth timeout")
            with pytest.raises(Transient):
                await anext(socket)

    Front(terms=Terms(auth_timeout_s=10.0)).run(scenario)  # virtual time: at once


def test_paid_plan_takes_any_feed_and_any_number_of_symbols() -> None:
    plan = Subscription(("sip",), symbols=0)

    async def scenario(client: Client) -> None:
        async with client.http.stream("/v2/sip") as socket:
            many = [f"S{number}" for number in range(40)]
            (lists,) = await client.subscribe(socket, trades=many)
            assert lists["trades"] == many

    Front(terms=Terms(subscription=plan)).run(scenario)


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        ("duplicate", ["new", "new", "fill"]),
        ("reorder", ["fill", "new"]),
        ("lose", []),
        ("drop", ["new"]),
        ("delay", ["fill", "new"]),
    ],
)
def test_fault_strikes_the_first_update(kind: Kind, heard: list[str]) -> None:
    front = Front(Fault(kind, 1, wait_s=5.0), rules=BacktraderRules())

    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream") as socket:
            await client.listen(socket)
            await buy_and_turn(client)
            front.clock.sleep(5.0)
            await front.venue.release()
            assert await events(socket, len(heard)) == heard
            if kind in ("lose", "drop"):
                with pytest.raises(Transient):
                    await anext(socket)

    front.run(scenario)
    updates = front.venue.updates
    assert (updates.sent, updates.withheld) == (len(heard), max(2 - len(heard), 0))
    assert front.venue.trouble.hits == {kind: 1}


def test_mute_stream_is_silent_until_the_client_connects_anew() -> None:
    front = Front(Fault("mute", 2))

    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream") as socket:
            await client.listen(socket)
            await buy_and_turn(client)
            assert await events(socket, 1) == ["new"]
            assert front.venue.updates.is_mute
        await asyncio.sleep(0)
        async with client.http.stream("/stream") as socket:
            await client.listen(socket)
            await buy_and_turn(client)
            assert await events(socket, 2) == ["new", "fill"]

    front.run(scenario)


def test_mute_stream_may_be_mute_for_several_connections() -> None:
    front = Front(Fault("mute", 1, count=2))

    async def scenario(client: Client) -> None:
        for is_mute in (True, True, False):
            async with client.http.stream("/stream") as socket:
                await client.listen(socket)
                await buy_and_turn(client)
                assert front.venue.updates.is_mute == is_mute
            await asyncio.sleep(0)

    front.run(scenario)


def test_refused_stream_meets_429_for_so_many_times_or_so_long() -> None:
    front = Front(Fault("refuse", 1, "data", count=3, wait_s=30.0))

    async def scenario(client: Client) -> None:
        async with client.http.stream(DATA) as socket:
            await client.subscribe(socket, bars=["*"])
            await client.turn()
            assert len(read(await anext(socket))) == 2
        for _ in range(2):
            with pytest.raises(StreamRefused):
                async with client.http.stream(DATA):
                    pass
        front.clock.sleep(30.0)
        async with client.http.stream(DATA) as socket:
            await client.subscribe(socket, bars=["*"])

    front.run(scenario)
    assert front.venue.data.refused == 2


def test_partial_fill_comes_in_two_halves_that_add_up() -> None:
    front = Front(Fault("partial_fill"))

    async def scenario(client: Client) -> None:
        async with client.http.stream("/stream") as socket:
            await client.listen(socket)
            await client.ask("POST", "/v2/orders", {**BUY, "qty": "5"})
            await client.turn()
            told = [read(await anext(socket))["data"] for _ in range(3)][1:]
        assert [(part["event"], part["qty"], part["position_qty"]) for part in told] == [
            ("partial_fill", "2", "2"),
            ("fill", "3", "5"),
        ]
        assert [part["order"]["filled_qty"] for part in told] == ["2", "5"]
        assert {part["order"]["filled_avg_price"] for part in told} == {"100.95"}

    front.run(scenario)
    _, rows = front.call("GET", "/v2/account/activities", direction="asc")
    assert [(row["type"], row["qty"], row["leaves_qty"]) for row in rows] == [
        ("partial_fill", "2", "3"),
        ("fill", "3", "0"),
    ]
