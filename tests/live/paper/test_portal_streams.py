"""The Client Portal's websocket: what it says, to whom, and when it falls silent."""

from typing import Any

import pytest

from brokers.errors import Transient
from brokers.wire.http import StreamRefused
from live.paper.faults import Fault, MessageKind
from live.paper.portal_gate import ROOT
from tests.live.paper.portal_front import AAPL, BUY, LIMIT, Client, Front

SOR, STR = "sor+{}", 'str+{"realtimeUpdatesOnly":true}'
GONE = (StreamRefused, Transient)


def talk(front: Front, scenario: Any) -> None:
    """Run one conversation, with no question left to ask."""
    front.api.session.asked.suppressed.add("o10151")
    front.run(scenario)


def test_greeting_names_account_and_session() -> None:
    front = Front()

    async def scenario(client: Client) -> None:
        async with client.http.stream(f"{ROOT}/ws") as socket:
            texts = [str(await anext(socket)) for _ in range(3)]
        assert ["system" in texts[0], "DU123456" in texts[1], "sts" in texts[2]] == [True] * 3

    talk(front, scenario)


def test_without_a_session_the_client_waits_for_one() -> None:
    front = Front()
    front.api.session.lose()

    async def scenario(client: Client) -> None:
        async with client.listening() as heard:
            assert {"message": "waiting for session"} in heard.greeting
            await heard.socket.send(SOR)
            assert (await heard.until("sor"))["error"] == "not authenticated"

    talk(front, scenario)


def test_who_is_not_logged_in_gets_no_websocket() -> None:
    front = Front()
    front.api.session.log_out()

    async def scenario(client: Client) -> None:
        with pytest.raises(GONE):
            async with client.listening():
                pass

    talk(front, scenario)


def test_fill_is_told_as_execution_and_as_state_and_later_only_what_changed() -> None:
    async def scenario(client: Client) -> None:
        async with client.listening(SOR, STR) as heard:
            await client.place({**BUY, "cOID": "mine"})
            await client.turn()
            accepted, trade, filled = await heard.all()
        assert [accepted["topic"], trade["topic"], filled["topic"]] == ["sor", "str", "sor"]
        assert accepted["args"][0]["order_ref"] == "mine"
        assert (trade["args"][0]["price"], trade["args"][0]["order_ref"]) == ("100.95", "mine")
        row = filled["args"][0]
        assert (row["status"], row["filledQuantity"], "ticker" in row) == ("Filled", 10.0, False)

    talk(Front(), scenario)


def test_state_before_its_execution_is_one_of_the_faults() -> None:
    async def scenario(client: Client) -> None:
        async with client.listening(SOR, STR) as heard:
            await client.place(BUY)
            await client.turn()
            assert [it["topic"] for it in await heard.all()] == ["sor", "sor", "str"]

    talk(Front(Fault("status_first")), scenario)


def test_orders_and_executions_of_the_day_come_with_the_subscription() -> None:
    async def scenario(client: Client) -> None:
        await client.place(BUY)
        await client.turn()
        async with client.listening() as heard:
            await heard.socket.send("sor+{}")
            assert [row["status"] for row in await heard.rows("sor")] == ["Filled"]
            await heard.socket.send("str+{not json")
            assert [row["side"] for row in await heard.rows("str")] == ["B"]
            await heard.socket.send(STR)
            assert await heard.rows("str") == []

    talk(Front(), scenario)


def test_nothing_comes_after_the_subscription_has_ended() -> None:
    async def scenario(client: Client) -> None:
        async with client.listening(SOR, STR, f'smd+{AAPL}+{{"fields":["31"]}}') as heard:
            for topic in ("uor+{}", "utr", f"umd+{AAPL}+{{}}", "umd+x+{}"):
                await heard.socket.send(topic)
            await client.place(BUY)
            await client.turn()
            assert await heard.all() == []
        assert client.front.venue.updates.sent == 0

    talk(Front(), scenario)


def test_filtered_list_silences_orders_until_it_is_forced() -> None:
    async def scenario(client: Client) -> None:
        async with client.listening(SOR) as heard:
            path = "/iserver/account/orders"
            for params in ({}, {"filters": "filled"}):
                await client.ask("GET", path, **params)
            await client.place(BUY)
            await client.turn()
            assert await heard.all() == []
            await client.ask("GET", path, force="true")
            await client.place({**LIMIT, "price": 98.5})
            await client.turn()
            assert [it["topic"] for it in await heard.all()] == ["sor"]

    talk(Front(), scenario)


def test_prices_come_with_every_bar_to_whoever_wants_them() -> None:
    async def scenario(client: Client) -> None:
        async with client.listening(f'smd+{AAPL}+{{"fields":["31","87"]}}') as heard:
            await client.turn()
            (told,) = await heard.all()
            assert (told["topic"], told["31"], told["87"]) == (f"smd+{AAPL}", "101.0", "1000.0")
            await heard.socket.send("smd+1+{}")
            assert (await heard.until("smd"))["error"] == "no contract 1"
        assert client.front.venue.data.is_listened_to

    front = Front()
    talk(front, scenario)
    assert not front.venue.data.is_connected


def test_stream_of_prices_breaks_where_the_plan_says_so() -> None:
    async def scenario(client: Client) -> None:
        async with client.listening(f"smd+{AAPL}+{{}}") as heard:
            await client.turn()
            with pytest.raises((Transient, StopAsyncIteration)):
                await heard.all()

    talk(Front(Fault("drop", on="data")), scenario)


def test_topic_that_nobody_knows_is_an_error() -> None:
    async def scenario(client: Client) -> None:
        async with client.listening() as heard:
            await heard.socket.send("xyz+{}")
            assert (await heard.until("error"))["code"] == 400

    talk(Front(), scenario)


def test_heart_beats_every_ten_seconds_and_is_not_counted() -> None:
    front = Front()

    async def scenario(client: Client) -> None:
        async with client.listening() as heard:
            sent = front.api.told
            await front.pulse.advance(10)
            assert "hb" in await heard.until("system")
            assert front.api.told == sent
        assert front.api.told >= 0

    talk(front, scenario)
    assert front.api.told == -1


def test_second_websocket_takes_the_place_of_the_first() -> None:
    async def scenario(client: Client) -> None:
        async with client.listening(SOR) as first, client.listening(SOR) as second:
            with pytest.raises((Transient, StopAsyncIteration)):
                await first.next()
            await client.place(BUY)
            await client.turn()
            assert [it["topic"] for it in await second.all()] == ["sor", "sor"]

    talk(Front(), scenario)


@pytest.mark.parametrize(
    ("kind", "topics"),
    [
        ("duplicate", ["sor", "sor", "str", "sor"]),
        ("delay", ["str", "sor", "sor"]),
    ],
)
def test_events_come_twice_or_late(kind: MessageKind, topics: list[str]) -> None:
    front = Front(Fault(kind, wait_s=2.0))

    async def scenario(client: Client) -> None:
        async with client.listening(SOR, STR) as heard:
            await client.place(BUY)
            await client.turn()
            front.clock.sleep(2.0)
            await front.venue.release()
            assert [it["topic"] for it in await heard.all()] == topics

    talk(front, scenario)


def test_dropped_websocket_is_refused_for_a_while_where_the_plan_says_so() -> None:
    front = Front(Fault("refuse", wait_s=30.0))

    async def scenario(client: Client) -> None:
        async with client.listening(SOR) as heard:
            await client.place(BUY)
            await client.turn()
            with pytest.raises((Transient, StopAsyncIteration)):
                await heard.all()
        with pytest.raises(GONE):
            async with client.listening():
                pass
        front.clock.sleep(30.0)
        async with client.listening() as heard:
            assert await heard.all() == []

    talk(front, scenario)
