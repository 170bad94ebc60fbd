"""Faults on requests, keys, and what is counted on the way."""

import asyncio
import base64
from datetime import UTC, datetime

import pytest

from brokers.clock import ManualClock
from brokers.wire.http import NoAnswer
from live.paper.alpaca_api import Terms
from live.paper.alpaca_gate import Keys, Quota
from live.paper.faults import Fault
from tests.live.conformance.small_venue import KEY, SECRET
from tests.live.paper.front import BUY, Client, Front

ORDERS = "/v2/orders"


async def settled() -> None:
    """Let everybody run until nothing moves any more."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault("too_many_requests"), 429, b'{"message":"too many requests."}'),
        (Fault("server_error"), 500, b'"internal server error occurred"'),
        (Fault("server_error", status=502), 502, b"upstream connect error"),
        (Fault("server_error", status=503), 503, b"upstream connect error"),
        (Fault("not_json"), 200, b"<html>"),
    ],
)
def test_faulty_answer_means_that_nothing_was_done(fault: Fault, status: int, body: bytes) -> None:
    front = Front(fault)
    answer = front.response("POST", ORDERS, BUY)
    assert answer.status == status
    assert body in answer.body
    assert front.call("GET", ORDERS) == (200, [])
    assert front.submit()["status"] == "new"


def test_order_answered_504_is_at_the_venue_once() -> None:
    front = Front(Fault("accepted_then_504"))
    body = {**BUY, "client_order_id": "mine"}
    assert front.response("POST", ORDERS, body).status == 504
    _, found = front.call("GET", ORDERS)
    assert [order["client_order_id"] for order in found] == ["mine"]
    assert front.call("POST", ORDERS, body)[0] == 422


@pytest.mark.parametrize(("after", "orders"), [(False, 0), (True, 1)])
def test_broken_connection_strikes_before_or_after_the_work(after: bool, orders: int) -> None:
    front = Front(Fault("reset", after=after))
    with pytest.raises(NoAnswer):
        front.response("POST", ORDERS, BUY)
    assert len(front.call("GET", ORDERS)[1]) == orders


def test_hanging_request_is_parked_until_its_client_gives_up() -> None:
    front = Front(Fault("hang", after=True))

    async def scenario(client: Client) -> None:
        asked = asyncio.create_task(client.ask("POST", ORDERS, BUY))
        await settled()
        assert front.api.gate.parked == 1
        assert front.api.gate.in_flight == 1
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await settled()
        assert (front.api.gate.in_flight, front.api.gate.parked) == (0, 0)

    front.run(scenario)
    assert len(front.call("GET", ORDERS)[1]) == 1


def test_fault_of_one_route_leaves_the_others_alone() -> None:
    front = Front(Fault("server_error", on="DELETE /v2/orders/{id}"))
    order = front.submit()
    assert front.call("DELETE", "/v2/positions/AAPL")[0] == 404
    assert front.response("DELETE", f"{ORDERS}/{order['id']}").status == 500


def test_market_data_has_faults_of_its_own_that_no_breaker_counts() -> None:
    faults = [Fault("server_error", on="DATA *") for _ in range(3)]
    front = Front(*faults, Fault("server_error", on="GET *"))
    told = [front.response("GET", "/v2/stocks/snapshots", symbols="AAPL") for _ in range(3)]
    assert [answer.status for answer in told] == [500, 500, 500]
    assert front.venue.trouble.longest_row == 0
    assert front.response("GET", "/v2/clock").status == 500


def test_third_failure_in_a_row_waits_for_an_answer_at_the_venue_too() -> None:
    front = Front(*(Fault("server_error", on="*") for _ in range(3)))
    told = [front.response("GET", "/v2/clock").status for _ in range(5)]
    assert told == [500, 500, 200, 500, 200]
    assert front.venue.trouble.longest_row == 2


def test_wrong_key_and_key_of_the_other_environment_are_told_apart() -> None:
    front = Front(environment="live")

    async def scenario(client: Client) -> None:
        for key, status, body in (
            ("AKOTHER", 401, b'"code":40110000,"message":"request is not authorized."'),
            ("PKPAPER", 403, b'"code":40310000,"message":"forbidden."'),
        ):
            client.http._headers["APCA-API-KEY-ID"] = key
            answer = await client.ask("GET", "/v2/clock")
            assert (answer.status, body in answer.body) == (status, True)

    front.run(scenario)


@pytest.mark.parametrize(
    ("pair", "is_right"), [(f"{KEY}:{SECRET}", True), (f"{KEY}:x", False), (None, False)]
)
def test_basic_authorization_is_as_good_as_alpacas_own(pair: str | None, is_right: bool) -> None:
    coded = "%%%" if pair is None else base64.b64encode(pair.encode()).decode()

    async def scenario(client: Client) -> None:
        client.http._headers = {"Authorization": f"Basic {coded}"}
        assert (await client.ask("GET", "/v2/clock")).status == (200 if is_right else 401)

    Front().run(scenario)


def test_secret_is_in_no_text_of_the_keys() -> None:
    assert SECRET not in repr(Keys(KEY, SECRET))


def test_before_the_first_call_and_a_minute_after_it_the_whole_quota_is_left() -> None:
    clock = ManualClock(datetime(2024, 1, 2, tzinfo=UTC))
    quota = Quota(clock, calls=2)
    now_s = int(clock.now().timestamp())
    assert quota.headers()["X-RateLimit-Remaining"] == "2"
    assert quota.headers()["X-RateLimit-Reset"] == str(now_s)
    quota.take()
    assert quota.headers()["X-RateLimit-Remaining"] == "1"
    clock.sleep(60)
    assert quota.headers()["X-RateLimit-Remaining"] == "2"


def test_fault_on_the_first_call_of_all_is_answered() -> None:
    front = Front(Fault("too_many_requests", on="*"), terms=Terms(calls_per_minute=200))
    assert front.response("GET", "/v2/clock").status == 429
