"""A family that the Client Portal took in part, and does not cancel at once."""

import pytest

from brokers.blotter import Blotter
from brokers.errors import Unknown, VenueRefused
from brokers.facts import Accepted, Ended
from brokers.wire.transport import OrderUpdate
from tests.brokers.portal_double import order_row, trade_row
from tests.brokers.portal_stage import LONG_AGO, ORDER, PLACE, TRADES, scene
from tests.contract.orders import bracket

BUSY = (400, {"error": "OrderID is busy"})
DOWN = (503, {"error": "Service Unavailable"})


async def place_in_part(stage, *answers):
    """Have entry and stop taken, the limit refused; the answers are those to DELETE."""
    await stage.transport.cancel("none")  # which reads the orders that there are
    stage.double.orders["1000"] = order_row(1000, "b1")
    stop = order_row(1001, "b1-sl", parentId=1000, orderType="Stop", status="PreSubmitted")
    stage.double.orders["1001"] = stop
    rows = [
        {"order_id": "1000", "local_order_id": "b1", "order_status": "Submitted"},
        {"order_id": "1001", "local_order_id": "b1-sl", "order_status": "PreSubmitted"},
        {"order_id": "-1", "local_order_id": "b1-tp", "text": "bad price"},
    ]
    stage.double.script["POST", PLACE] = [(200, rows)]
    stage.double.script["DELETE", f"{ORDER}/1000"] = list(answers)
    return await stage.transport.submit(bracket())


def cancels(stage):
    return len(stage.double.asked("DELETE", f"{ORDER}/1000"))


def shown(order):
    return {order.client_order_id: order.status} | {
        leg.client_order_id: leg.status for leg in order.legs
    }


def test_part_that_is_not_cancelled_is_told_with_the_leg_that_it_lacks(caplog):
    async def play(stage):
        order = await place_in_part(stage, BUSY)
        assert shown(order) == {"b1": "new", "b1-sl": "held", "b1-tp": "rejected"}
        assert order.legs[1].reason == "bad price"

    scene(play)
    assert "IBKR took b1 without all of its family, and does not cancel it" in caplog.text


def test_blotter_learns_that_the_family_is_not_whole():
    async def play(stage):
        blotter = Blotter()
        blotter.expect(bracket())
        facts = blotter.apply(OrderUpdate(await place_in_part(stage, BUSY)))
        assert facts == (
            Accepted("b1", "1000/b1"),
            Accepted("b1-sl", "1001/b1-sl"),
            Ended("b1-tp", "rejected", "bad price"),
        )
        assert blotter.alive == ("b1", "b1-sl")

    scene(play)


def test_part_is_cancelled_at_the_next_look_at_the_orders_and_once_only():
    async def play(stage):
        await place_in_part(stage, BUSY, BUSY)
        for asked in (2, 3, 3):
            await stage.transport.orders_since(LONG_AGO)
            assert cancels(stage) == asked
        assert shown(await stage.transport.find("b1"))["b1"] == "canceled"

    scene(play)


@pytest.mark.parametrize("answer", [DOWN, (None, None)])
def test_part_of_which_nobody_knows_is_unknown_until_it_is_looked_up(answer):
    async def play(stage):
        with pytest.raises(Unknown):
            await place_in_part(stage, answer)
        found = await stage.transport.find("b1")
        assert shown(found)["b1-tp"] == "rejected"
        assert cancels(stage) == 2

    scene(play, timeout_s=0.5)


def test_part_that_has_filled_keeps_the_leg_that_protects_it():
    async def play(stage):
        await place_in_part(stage, BUSY)
        stage.double.script["GET", TRADES] = [(200, []), (200, [trade_row(1, "b1")])]
        await stage.transport.fills_since(LONG_AGO)
        await stage.transport.orders_since(LONG_AGO)
        assert cancels(stage) == 1
        assert shown(await stage.transport.find("b1")) == {
            "b1": "filled",
            "b1-sl": "new",
            "b1-tp": "rejected",
        }

    scene(play)


def test_family_that_is_refused_whole_leaves_nothing_to_cancel():
    async def play(stage):
        rows = [{"order_id": "-1", "text": "no"} for _ in range(3)]
        stage.double.script["POST", PLACE] = [(200, rows)]
        with pytest.raises(VenueRefused, match="no"):
            await stage.transport.submit(bracket())
        assert await stage.transport.orders_since(LONG_AGO) == []

    scene(play)


def test_legs_that_were_taken_are_cancelled_with_their_entry():
    async def play(stage):
        with pytest.raises(VenueRefused, match="bad price"):
            await place_in_part(stage)
        assert cancels(stage) == 1
        assert stage.double.asked("DELETE", f"{ORDER}/1001") == []

    scene(play)
