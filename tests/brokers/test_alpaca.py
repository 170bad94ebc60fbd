import asyncio
import logging
import random
from datetime import timedelta
from decimal import Decimal

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from brokers.clock import SystemClock
from brokers.errors import (
    ConfigError,
    DataError,
    DuplicateOrderId,
    SchemaRefused,
    Throttled,
    Transient,
    Unknown,
    VenueRefused,
)
from brokers.wire.alpaca import Alpaca
from brokers.wire.alpaca_orders import order_body
from brokers.wire.http_aiohttp import Aiohttp
from brokers.wire.http_asgi import Asgi
from brokers.wire.transport import Replacement
from tests.brokers.alpaca_double import (
    KEY_ID,
    SECRET,
    AlpacaDouble,
    accept_then_504,
    accept_then_hang,
    hang,
    html,
    keys,
)
from tests.brokers.alpaca_py import models as alpaca_py
from tests.brokers.timers import START_AT, TimerClock
from tests.contract.orders import bracket, limit, market

LONG_AGO = START_AT - timedelta(days=1)


def play(scene, *, double=None, secret=SECRET):
    """Run a scene with a transport and the venue behind it, in memory."""
    double = double or AlpacaDouble()

    async def staged():
        clock = TimerClock()
        http = Asgi(double.app, clock=clock, headers=keys(secret).headers())
        alpaca = Alpaca(http, keys(secret), clock=clock, rng=random.Random(1))
        async with asyncio.timeout(10):
            result = await scene(alpaca, double)
        await alpaca.close()
        return result

    return asyncio.run(staged())


def calls(alpaca):
    """Every call that asks once, by the method that it uses."""
    terms = Replacement(limit_price=Decimal(9))
    return {
        "POST": lambda: alpaca.submit(market()),
        "PATCH": lambda: alpaca.replace("v1", "a2", terms),
        "DELETE": lambda: alpaca.cancel("v1"),
        "GET": alpaca.account,
    }


@pytest.mark.parametrize(
    "answer", [html(500), html(503), html(504), hang, Response("{"), html(404)]
)
@pytest.mark.parametrize(
    ("method", "error"),
    [("POST", Unknown), ("PATCH", Unknown), ("DELETE", Transient), ("GET", Transient)],
)
def test_call_without_a_readable_answer_is_unknown_only_where_it_creates(method, error, answer):
    async def scene(alpaca, double):
        double.script(method, answer)
        with pytest.raises(error):
            await calls(alpaca)[method]()

    play(scene)


@pytest.mark.parametrize("body", ["{", "<html>", "[]", "null", '{"id": "v1"}', '{"id": 5}'])
def test_answer_that_cannot_be_read_is_no_answer(body):
    async def scene(alpaca, double):
        for method, error in (("POST", Unknown), ("GET", Transient)):
            double.script(method, Response(body))
            with pytest.raises(error, match="cannot be read"):
                await calls(alpaca)[method]()

    play(scene)


@pytest.mark.parametrize("answer", [accept_then_504, accept_then_hang])
def test_order_accepted_without_answer_is_unknown_and_can_be_found(answer):
    async def scene(alpaca, double):
        double.script("POST", answer)
        with pytest.raises(Unknown) as lost:
            await alpaca.submit(market())
        assert lost.value.client_order_id == "m1"
        return await alpaca.find("m1")

    assert play(scene).client_order_id == "m1"


def test_order_that_met_no_connection_was_surely_not_accepted():
    async def scene():
        http = Aiohttp("http://127.0.0.1:9", clock=SystemClock(), headers=keys().headers())
        alpaca = Alpaca(http, keys(), clock=SystemClock(), rng=random.Random(1))
        with pytest.raises(Transient, match="no connection"):
            await alpaca.submit(market())
        await alpaca.close()

    asyncio.run(scene())


RESET = str(int(START_AT.timestamp()) + 30)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Mon, 04 Mar 2024 14:30:20 GMT"}, 20.0),
        ({"X-RateLimit-Reset": RESET}, 30.0),
        ({"Retry-After": "7", "X-RateLimit-Reset": RESET}, 7.0),
        ({"X-RateLimit-Reset": "1"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"X-RateLimit-Reset": "soon"}, None),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "GET"])
def test_429_was_not_accepted_and_says_when_if_the_venue_does(method, headers, wait_s):
    async def scene(alpaca, double):
        busy = JSONResponse({"message": "too many requests."}, 429, headers=headers)
        double.script(method, busy)
        with pytest.raises(Throttled, match="too many requests") as throttled:
            await calls(alpaca)[method]()
        return throttled.value.retry_after_s

    assert play(scene) == wait_s


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"code": 40110000, "message": "request is not authorized."}),
        (401, None),
        (403, {"code": 40110000, "message": "request is not authorized."}),
        (403, {"code": 40310000, "message": "forbidden."}),
        (403, {"message": "forbidden."}),
        (403, None),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_refused_keys_name_their_variables_and_the_mix_up_of_accounts(method, status, body):
    async def scene(alpaca, double):
        double.script(method, Response("denied", status) if body is None else _json(body, status))
        with pytest.raises(ConfigError) as wrong:
            await calls(alpaca)[method]()
        return str(wrong.value)

    text = play(scene)
    assert "APCA_API_KEY_ID and APCA_API_SECRET_KEY" in text
    assert "keys of a paper account open only" in text


def _json(body, status):
    return JSONResponse(body, status)


@pytest.mark.parametrize(
    ("status", "body", "code", "text"),
    [
        (403, {"code": 40310000, "message": "insufficient buying power"}, "40310000", "buying"),
        (422, {"code": 42210000, "message": "sub-penny increment"}, "42210000", "sub-penny"),
        (400, {"code": 40010000, "message": "request body format is invalid"}, "40010000", "body"),
        (422, {"code": 40010001, "message": "invalid qty"}, "40010001", "invalid qty"),
        (422, {"code": 42210000, "message": "potential wash trade"}, "42210000", "wash trade"),
        (422, {"message": "no code"}, "422", "no code"),
        (418, None, "418", "<html>"),
    ],
)
def test_verdict_carries_alpaca_s_code_and_text(status, body, code, text):
    async def scene(alpaca, double):
        double.script("POST", html(status) if body is None else _json(body, status))
        with pytest.raises(VenueRefused, match=text) as refused:
            await alpaca.submit(market())
        return refused.value.code

    assert play(scene) == code


def test_wash_trade_is_a_verdict_on_the_order_and_not_on_the_keys():
    async def scene(alpaca, double):
        message = "potential wash trade detected. use complex orders"
        double.script("POST", _json({"code": 40310000, "message": message}, 403))
        with pytest.raises(VenueRefused, match="wash trade"):
            await alpaca.submit(market())

    play(scene)


def test_duplicate_id_is_told_by_its_text():
    async def scene(alpaca, double):
        await alpaca.submit(limit())
        with pytest.raises(DuplicateOrderId) as refused:
            await alpaca.submit(limit())
        return refused.value.code

    assert play(scene) == "40010001"


def test_redirect_is_not_followed_with_keys_in_hand():
    async def scene(alpaca, double):
        double.script("GET", RedirectResponse("https://elsewhere.example"))
        with pytest.raises(ConfigError, match="a redirect, which is not followed"):
            await alpaca.account()

    play(scene)


def test_order_without_words_never_leaves():
    async def scene(alpaca, double):
        with pytest.raises(SchemaRefused):
            await alpaca.submit(
                limit().model_copy(update={"time_in_force": "gtd", "expires_at": START_AT})
            )
        return double.requests

    assert play(scene) == []


def test_cancel_of_an_order_that_alpaca_does_not_know_is_no_error():
    async def scene(alpaca, double):
        await alpaca.cancel("61e69015-8549-4bfd-b9c3-01e75843f47d")

    play(scene)


def test_cancel_that_is_refused_while_the_order_works_is_an_error():
    async def scene(alpaca, double):
        order = await alpaca.submit(limit())
        double.script("DELETE", _json({"code": 42210000, "message": "not now"}, 422))
        with pytest.raises(VenueRefused, match="not now"):
            await alpaca.cancel(order.venue_order_id)

    play(scene)


def test_404_that_is_not_alpaca_s_own_never_means_that_there_is_no_order():
    async def scene(alpaca, double):
        double.script("GET", html(404))
        with pytest.raises(Transient, match="404"):
            await alpaca.find("m1")

    play(scene)


def test_refusal_of_a_search_is_an_error_and_no_none():
    async def scene(alpaca, double):
        double.script("GET", _json({"code": 42210000, "message": "bad id"}, 422))
        with pytest.raises(VenueRefused):
            await alpaca.find("m1")

    play(scene)


def test_found_family_has_legs_by_a_second_request_and_a_single_order_needs_none():
    async def scene(alpaca, double):
        await alpaca.submit(market())
        await alpaca.submit(bracket())
        before = len(double.requests)
        await alpaca.find("m1")
        single = len(double.requests) - before
        return single, len((await alpaca.find("b1")).legs), len(double.requests) - before - single

    assert play(scene) == (1, 2, 2)


def filled_with(count):
    """A venue that has so many limit orders."""
    double = AlpacaDouble()
    for number in range(count):
        double.accept(order_body(limit(f"l{number}")))
    return double


def test_orders_are_read_page_by_page_and_none_twice():
    async def scene(alpaca, double):
        orders = await alpaca.orders_since(LONG_AGO)
        return [order.client_order_id for order in orders], len(double.requests)

    ids, requests = play(scene, double=filled_with(1100))
    assert ids == [f"l{number}" for number in range(1100)]
    assert requests == 4  # 500, 500, 102, and one that brings nothing new


def test_orders_of_one_instant_are_not_lost_between_pages():
    double = filled_with(502)
    same = list(double.orders.values())[1]["submitted_at"]
    for row in list(double.orders.values())[:4]:
        row["submitted_at"] = same

    async def scene(alpaca, double):
        return await alpaca.orders_since(LONG_AGO)

    assert len(play(scene, double=double)) == 502


def test_more_orders_of_one_instant_than_a_page_holds_are_an_error():
    double = filled_with(501)
    for row in double.orders.values():
        row["submitted_at"] = "2024-03-04T14:30:00.000000Z"

    async def scene(alpaca, double):
        with pytest.raises(DataError, match="500 orders of one instant"):
            await alpaca.orders_since(LONG_AGO)

    play(scene, double=double)


def test_multi_leg_options_of_somebody_else_are_passed_over():
    double = filled_with(2)
    first = next(iter(double.orders.values()))
    first.update(order_class="mleg", symbol=None, side=None, qty=None)

    async def scene(alpaca, double):
        return await alpaca.orders_since(LONG_AGO)

    assert [order.client_order_id for order in play(scene, double=double)] == ["l1"]


def test_orders_submitted_long_before_are_read_as_long_as_they_can_live():
    async def scene(alpaca, double):
        await alpaca.submit(limit())
        weeks_later = START_AT + timedelta(days=60)
        return [order.client_order_id for order in await alpaca.orders_since(weeks_later)]

    assert play(scene) == ["l1"]


def test_fills_are_read_page_by_page():
    async def scene(alpaca, double):
        for number in range(250):
            await alpaca.submit(market(f"m{number}", quantity="1"))
        await double.trade("AAPL", 100)
        fills = await alpaca.fills_since(LONG_AGO)
        pages = [path for _, path, _ in double.requests if path.endswith("FILL")]
        return len({fill.execution_id for fill in fills}), len(pages)

    assert play(scene) == (250, 3)


def test_answers_of_the_double_are_what_alpaca_py_reads():
    async def scene(alpaca, double):
        await alpaca.submit(bracket())
        await double.trade("AAPL", 100)

    double = AlpacaDouble()
    play(scene, double=double)
    for row in double.orders.values():
        assert str(alpaca_py.Order(**row).id) == row["id"]
    assert alpaca_py.TradeAccount(**double.account).cash == "100000"


def test_secret_is_in_no_text_that_a_person_may_see(caplog):
    caplog.set_level(logging.DEBUG)

    async def scene(alpaca, double):
        shown = [repr(alpaca), repr(vars(alpaca))]
        with pytest.raises(ConfigError) as wrong:
            await alpaca.account()
        shown += [str(wrong.value), repr(wrong.value)]
        with pytest.raises(ConfigError) as wrong:
            await anext(alpaca.updates())
        return [*shown, str(wrong.value), repr(wrong.value)]

    shown = [*play(scene, secret="the-wrong-secret"), caplog.text]
    assert not any("the-wrong-secret" in text or KEY_ID in text for text in shown)
