"""What a plan does to the Client Portal: its session, its questions, its answers."""

import pytest

from brokers.errors import Transient
from brokers.wire.http import NoAnswer
from live.paper.faults import Fault, RequestKind
from live.paper.storms import KINDS_OF, Extent, drawn, storm
from tests.live.paper.portal_front import BUY, LIMIT, ORDERS, Client, Front

STATUS, INIT = "/iserver/auth/status", "/iserver/auth/ssodh/init"
POSTED = "POST /iserver/account/{id}/orders"


def test_lost_session_is_told_and_nothing_is_subscribed_any_more() -> None:
    front = Front(Fault("session_lost"))

    async def scenario(client: Client) -> None:
        async with client.listening("sor+{}") as heard:
            await client.place(LIMIT)
            await client.turn()
            (status,) = [it for it in await heard.all() if it["topic"] == "sts"]
            assert status["args"]["authenticated"] is False
            assert (await client.ask("GET", "/iserver/accounts"))[0] == 401
            await client.ask("POST", INIT, {"compete": False})
            assert (await heard.until("sts"))["args"]["authenticated"] is True
            await client.turn()
            assert await heard.all() == []

    front.run(scenario)
    assert front.venue.trouble.hits == {"session_lost": 1}


def test_competing_session_ends_by_itself() -> None:
    front = Front(Fault("competing", wait_s=5.0))
    front.turn()
    assert front.call("POST", STATUS)[1]["competing"] is True
    assert front.venue.late == 1
    front.clock.sleep(5.0)
    front.release()
    told = front.call("POST", STATUS)[1]
    assert (told["competing"], told["authenticated"], front.venue.late) == (False, False, 0)
    assert front.call("POST", INIT, {"compete": False})[1]["authenticated"] is True


def test_competitor_who_was_ousted_stays_away() -> None:
    front = Front(Fault("competing", wait_s=5.0))
    front.turn()
    front.call("POST", INIT, {"compete": True})
    front.clock.sleep(5.0)
    front.release()
    assert front.call("POST", STATUS)[1]["authenticated"] is True


def test_restart_breaks_the_websocket_and_wants_a_new_session() -> None:
    front = Front(Fault("restart", wait_s=60.0))

    async def scenario(client: Client) -> None:
        async with client.listening() as heard:
            await client.turn()
            with pytest.raises((Transient, StopAsyncIteration)):
                await heard.next()
        assert (await client.ask("POST", "/tickle"))[0] == 401
        front.clock.sleep(60.0)
        await front.venue.release()
        told = (await client.ask("POST", "/tickle"))[1]
        assert told["iserver"]["authStatus"]["authenticated"] is False

    front.run(scenario)


def test_session_ends_with_nobody_listening_too() -> None:
    front = Front(Fault("restart"), Fault("session_lost", 2))
    front.turn()
    assert front.call("POST", INIT, {"compete": False})[1]["authenticated"] is True
    front.turn()
    assert front.call("POST", STATUS)[1]["authenticated"] is False


def test_unknown_question_is_asked_about_the_planned_order_alone() -> None:
    front = Front(Fault("unknown_question", 2))
    ids = [
        front.call("POST", ORDERS, {"orders": [LIMIT]})[1][0].get("messageIds") for _ in range(3)
    ]
    assert ids == [None, ["o99999"], None]


def test_too_many_requests_may_bring_a_penalty() -> None:
    front = Front(Fault("too_many_requests", on=POSTED, wait_s=600.0))
    assert front.call("POST", ORDERS, {"orders": [BUY]})[0] == 429
    assert front.call("POST", STATUS)[0] == 429
    front.clock.sleep(600)
    assert front.call("POST", INIT, {"compete": False})[0] == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("too_many_requests", 429),
        ("server_error", 503),
        ("accepted_then_504", 504),
        ("not_json", 200),
    ],
)
def test_answer_is_broken_once(kind: RequestKind, status: int) -> None:
    front = Front(Fault(kind, on=POSTED, status=503 if kind == "server_error" else 0))
    assert front.call("POST", ORDERS, {"orders": [{**LIMIT, "cOID": "a"}]})[0] == status
    assert len(front.live()) == (kind == "accepted_then_504")
    assert front.call("POST", ORDERS, {"orders": [{**LIMIT, "cOID": "b"}]})[0] == 200


def test_connection_breaks_before_or_after_the_work() -> None:
    front = Front(Fault("reset", on=POSTED), Fault("reset", on=POSTED, after=True))

    async def scenario(client: Client) -> None:
        for ref in "ab":
            with pytest.raises(NoAnswer):
                await client.ask("POST", ORDERS, {"orders": [{**LIMIT, "cOID": ref}]})

    front.run(scenario)
    assert [row["order_ref"] for row in front.live()] == ["b"]


def test_storm_has_every_kind_of_the_portal() -> None:
    kinds = {fault.kind for fault in storm(Extent(), "portal").faults}
    assert kinds == {*KINDS_OF["portal"], "partial_fill", "kill"}


@pytest.mark.parametrize("seed", range(50))
def test_drawn_plans_fit_short_runs(seed: int) -> None:
    extent = Extent(bars=9, orders=1, updates=3, fills=0)
    kinds = {fault.kind for fault in drawn(seed, extent, "portal").faults}
    assert not kinds & {"session_lost", "competing", "restart", "status_first"}
