"""Orders at the Client Portal: questions, families in part, replacements, contracts."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.errors import (
    DuplicateOrderId,
    SchemaRefused,
    Transient,
    Unknown,
    VenueRefused,
)
from brokers.orders import OrderSchema
from brokers.wire.transport import Replacement
from tests.brokers.portal_double import PortalDouble, order_row, trade_row
from tests.brokers.portal_stage import (
    LONG_AGO,
    ORDER,
    PLACE,
    scene,
)
from tests.contract.orders import bracket, exits, limit, market
from tests.contract.transport_suite import Watch


def test_allowed_questions_are_confirmed_one_after_the_other():
    async def play(stage):
        stage.double.questions = [["o163"], ["o354", "o10151"]]
        order = await stage.transport.submit(limit())
        assert order.status == "new"
        replies = stage.double.asked("POST", "iserver/reply/q1")
        assert replies == [{"confirmed": True}, {"confirmed": True}]

    scene(play)


@pytest.mark.parametrize("ids", [["o163", "o99999"], ["o451"], []])
def test_question_that_may_not_be_confirmed_refuses_the_order_and_is_logged(ids, caplog):
    async def play(stage):
        stage.double.questions = [ids]
        with pytest.raises(VenueRefused, match="Are you sure"):
            await stage.transport.submit(limit())
        assert stage.double.asked("POST", "iserver/reply/q1") == [{"confirmed": False}]
        assert stage.double.orders == {}
        assert await stage.transport.find("l1") is None

    scene(play)
    assert "is not confirmed: Are you sure?" in caplog.text


def test_endless_questions_leave_the_order_unknown():
    async def play(stage):
        stage.double.questions = [["o163"]] * 30
        with pytest.raises(Unknown, match="more than 20"):
            await stage.transport.submit(limit())

    scene(play)


@pytest.mark.parametrize(
    "row", [{"order_id": "-1"}, {"order_id": "1001", "order_status": "Failed"}]
)
def test_family_that_is_taken_in_part_is_cancelled_whole(row):
    async def play(stage):
        await stage.transport.cancel("none")  # which reads the orders that there are
        stage.double.orders["1000"] = order_row(1000, "b1")
        names = ("b1", "b1-sl", "b1-tp")
        rows = [{"order_id": "1000", "local_order_id": "b1", "order_status": "Submitted"}]
        rows += [{**row, "local_order_id": name, "text": "bad\nprice"} for name in names[1:]]
        stage.double.script["POST", PLACE] = [(200, rows)]
        with pytest.raises(VenueRefused, match="bad price"):
            await stage.transport.submit(bracket())
        assert stage.double.asked("DELETE", f"{ORDER}/1000") == [None]

    scene(play)


def test_answers_without_our_names_are_taken_in_turn():
    async def play(stage):
        rows = [{"order_id": number, "order_status": "PreSubmitted"} for number in ("1", "2", "3")]
        stage.double.script["POST", PLACE] = [(200, rows)]
        order = await stage.transport.submit(bracket())
        assert order.venue_order_id == "1/b1"
        assert [leg.venue_order_id for leg in order.legs] == ["2/b1-sl", "3/b1-tp"]

    scene(play)


@pytest.mark.parametrize(
    ("answer", "is_over"),
    [((400, {"error": "Order is inactive"}), True), ((400, {"error": "OrderID is busy"}), False)],
)
def test_refused_cancel_matters_only_while_the_order_works(answer, is_over):
    async def play(stage):
        order = await stage.transport.submit(limit())
        stage.double.script["DELETE", f"{ORDER}/1000"] = [answer]
        if is_over:
            stage.double.orders["1000"]["status"] = "Inactive"
            await stage.transport.cancel(order.venue_order_id)
            assert (await stage.transport.find("l1")).status == "rejected"
        else:
            with pytest.raises(VenueRefused, match="busy"):
                await stage.transport.cancel(order.venue_order_id)

    scene(play)


def test_order_that_has_ended_is_not_replaced():
    async def play(stage):
        with pytest.raises(VenueRefused, match="not at work"):
            await stage.transport.replace("7/x", "l2", Replacement(limit_price=Decimal(91)))

    scene(play)


def test_order_of_an_earlier_session_is_replaced_and_cancelled():
    row = order_row(
        7, "s1", orderType="Stop Limit", price="90", auxPrice="91", status="PreSubmitted"
    )
    double = PortalDouble()
    double.orders["7"] = row

    async def play(stage):
        terms = Replacement(quantity=Decimal(5), limit_price=Decimal(89), stop_price=Decimal(92))
        order = await stage.transport.replace("7/s1", "s2", terms)
        (body,) = double.asked("POST", f"{ORDER}/7")
        assert (body["cOID"], body["quantity"]) == ("s2/s1", 5.0)
        assert (body["price"], body["auxPrice"]) == (89.0, 92.0)
        assert (order.status, order.replaces, order.quantity) == ("new", "7/s1", 5)
        await stage.transport.cancel("7/s2")
        assert (await stage.transport.find("s2")).status == "canceled"
        assert (await stage.transport.find("s1")).status == "replaced"

    scene(play, double)


@pytest.mark.parametrize(
    ("trail", "change", "sent"),
    [({"trail_amount": "2"}, "3", 3.0), ({"trail_frac": "0.05"}, "0.1", 10.0)],
)
def test_trail_is_replaced_in_the_unit_that_it_had(trail, change, sent):
    async def play(stage):
        order = await stage.transport.submit(
            OrderSchema(
                client_order_id="t1",
                symbol="AAPL",
                side="sell",
                quantity="10",
                order_type="trailing_stop",
                **trail,
            )
        )
        terms = Replacement(trail=Decimal(change))
        await stage.transport.replace(order.venue_order_id, "t2", terms)
        (body,) = stage.double.asked("POST", f"{ORDER}/1000")
        assert body["trailingAmt"] == sent

    scene(play)


def test_stop_is_replaced_by_its_trigger():
    async def play(stage):
        order = await stage.transport.submit(exits())
        (stop,) = order.legs
        terms = Replacement(stop_price=Decimal(96))
        changed = await stage.transport.replace(stop.venue_order_id, "x2", terms)
        assert (changed.stop_price, changed.role) == (96, "stop_loss")

    scene(play)


def test_partly_filled_order_is_replaced_by_what_is_left():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(limit())
            await stage.double.say("str", trade_row(1, "l1", size=4))
            await watch.filled("AAPL", 4)
            terms = Replacement(quantity=Decimal(6), limit_price=Decimal(91))
            after = await stage.transport.replace(order.venue_order_id, "l2", terms)
            before = await stage.transport.find("l1")
        assert (after.quantity, after.filled_quantity) == (6, 0)
        assert (before.status, before.filled_quantity) == ("replaced", 4)
        assert stage.double.asked("POST", f"{ORDER}/1000")[0]["quantity"] == 10.0

    scene(play)


def test_modification_that_fails_is_refused():
    async def play(stage):
        order = await stage.transport.submit(limit())
        stage.double.script["POST", f"{ORDER}/1000"] = [(200, [{"order_id": "-1"}])]
        with pytest.raises(VenueRefused, match="no reason given"):
            await stage.transport.replace(order.venue_order_id, "l2", Replacement())
        assert await stage.transport.find("l2") is None

    scene(play)


def test_name_that_was_used_is_refused_before_anything_is_sent():
    async def play(stage):
        order = await stage.transport.submit(limit())
        with pytest.raises(DuplicateOrderId):
            await stage.transport.replace(order.venue_order_id, "l1", Replacement())

    scene(play)


@pytest.mark.parametrize(
    ("stocks", "symbol", "error", "text"),
    [
        ([(1, "NYSE", True), (2, "ARCA", True)], "XX", SchemaRefused, "XX@NYSE, XX@ARCA"),
        ([(2, "MEXI", False)], "XX", VenueRefused, "no stock XX in the USA"),
    ],
)
def test_symbol_that_is_not_one_stock_is_refused(stocks, symbol, error, text):
    async def play(stage):
        stage.double.stocks["XX"] = stocks
        with pytest.raises(error, match=text):
            await stage.transport.submit(market(symbol=symbol))

    scene(play)


def test_listing_may_be_chosen_and_classes_of_shares_are_written_with_a_point():
    async def play(stage):
        stage.double.stocks["BRK B"] = [(1, "NYSE", True), (2, "ARCA", True)]
        await stage.transport.submit(market(symbol="BRK.B@ARCA"))
        (body,) = stage.double.asked("POST", PLACE)
        assert body["orders"][0]["conid"] == 2

    scene(play)


def test_contracts_that_cannot_be_read_are_none():
    async def play(stage):
        stage.double.script["GET", "trsrv/stocks"] = [(200, {"XX": [{"name": "XX"}]})]
        with pytest.raises(Transient, match="cannot be read"):
            await stage.transport.look_up("XX")

    scene(play)


def test_orders_since_leave_out_what_ended_before():
    async def play(stage):
        stage.double.orders["7"] = order_row(7, "old", status="Cancelled")
        assert await stage.transport.orders_since(LONG_AGO + timedelta(days=300)) == []
        assert len(await stage.transport.orders_since(LONG_AGO)) == 1

    scene(play)
