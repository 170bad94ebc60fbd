"""Answers of the Client Portal, as they are known to come, by a scripted double."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.errors import (
    DuplicateOrderId,
    Throttled,
    Transient,
    Unknown,
    VenueRefused,
)
from tests.brokers.portal_double import ACCOUNT
from tests.brokers.portal_stage import (
    LONG_AGO,
    ORDERS,
    PLACE,
    TRADES,
    scene,
)
from tests.contract.orders import limit


def test_error_inside_an_answer_of_status_200_is_a_verdict():
    async def play(stage):
        stage.double.script["POST", PLACE] = [(200, {"error": "no trading permission"})]
        with pytest.raises(VenueRefused, match="no trading permission"):
            await stage.transport.submit(limit())

    scene(play)


def test_second_order_of_one_name_is_a_duplicate_also_for_the_venue():
    text = "Order couldn't be submitted: Local order ID=l1 is already registered."

    async def play(stage):
        stage.double.script["POST", PLACE] = [(200, {"error": text})]
        with pytest.raises(DuplicateOrderId):
            await stage.transport.submit(limit())

    scene(play)


@pytest.mark.parametrize(
    ("status", "answer"),
    [(502, "bad"), (200, "<html>"), (200, []), (200, ["?"]), (None, "")],
)
def test_order_without_a_verdict_is_unknown(status, answer):
    async def play(stage):
        await stage.transport.account()
        stage.double.script["POST", PLACE] = [(status, answer)]
        with pytest.raises(Unknown, match="order l1"):
            await stage.transport.submit(limit())

    scene(play, timeout_s=0.3)


@pytest.mark.parametrize(("status", "answer"), [(503, {"error": "busy"}), (200, "<html>")])
def test_read_without_an_answer_may_be_tried_again(status, answer):
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", ORDERS] = [(status, answer)]
        with pytest.raises(Transient):
            await stage.transport.find("l1")
        assert await stage.transport.find("l1") is None

    scene(play)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (ORDERS, {"rows": []}),
        (
            ORDERS,
            {
                "orders": [
                    {
                        "orderId": 1,
                        "status": "Filled",
                        "ticker": "AAPL",
                        "side": "BUY",
                        "totalSize": "many",
                        "orderType": "Limit",
                    }
                ],
                "snapshot": True,
            },
        ),
    ],
)
def test_orders_that_cannot_be_read_are_no_orders(path, answer):
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", path] = [(200, answer)]
        with pytest.raises(Transient):
            await stage.transport.orders_since(LONG_AGO)

    scene(play)


@pytest.mark.parametrize("rows", [{}, [{"execution_id": "1", "side": "Q"}]])
def test_trades_that_cannot_be_read_are_no_trades(rows):
    async def play(stage):
        await stage.transport.fills_since(LONG_AGO)
        stage.double.script["GET", TRADES] = [(200, rows)]
        with pytest.raises(Transient):
            await stage.transport.fills_since(LONG_AGO)

    scene(play)


def test_orders_that_are_never_prepared_are_waited_for_no_longer():
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", ORDERS] = [(200, {"orders": [], "snapshot": False})] * 5
        with pytest.raises(Transient, match="still prepares"):
            await stage.transport.find("l1")

    scene(play)


@pytest.mark.parametrize(
    ("path", "answer", "read"),
    [
        (f"portfolio/{ACCOUNT}/summary", {}, "account"),
        (f"portfolio/{ACCOUNT}/summary", {}, "time"),
        (f"portfolio2/{ACCOUNT}/positions", [{"position": 1}], "positions"),
    ],
)
def test_account_that_cannot_be_read_is_no_empty_account(path, answer, read):
    async def play(stage):
        stage.double.script["GET", path] = [(200, answer)]
        with pytest.raises(Transient, match="cannot be read"):
            await getattr(stage.transport, read)()

    scene(play)


def test_positions_are_named_as_the_session_names_them():
    async def play(stage):
        stage.double.positions = [
            {"conid": "265598", "position": -10.0, "avgPrice": "100.50", "description": "AAPL"},
            {"conid": "1", "position": 3.0, "avgPrice": 5, "ticker": "BRK B"},
            {"conid": "2", "position": 0.0, "avgPrice": 0},
        ]
        held = await stage.transport.positions()
        assert [(it.symbol, it.quantity, it.average_price) for it in held] == [
            ("AAPL", -10, Decimal("100.5")),
            ("BRK.B", 3, 5),
        ]

    scene(play)


def test_time_is_that_of_the_account_s_summary():
    async def play(stage):
        assert await stage.transport.time() == datetime(2024, 3, 4, 15, tzinfo=UTC)

    scene(play)


def test_too_many_requests_are_throttled_with_the_wait_that_is_asked_for():
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", ORDERS] = [(429, "slow down")]
        with pytest.raises(Throttled, match="slow down"):
            await stage.transport.find("l1")

    scene(play)
