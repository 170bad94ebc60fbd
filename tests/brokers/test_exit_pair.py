"""Two exits that cancel each other are one order at a venue."""

from decimal import Decimal

import pytest

from brokers.errors import SchemaRefused
from brokers.exit_pair import exit_pair
from brokers.orders import OrderSchema
from tests.brokers.test_blotter import order

LIMIT = {"side": "sell", "order_type": "limit", "limit_price": "12"}
STOP = {"side": "sell", "order_type": "stop", "stop_price": "9"}


def first(**more) -> OrderSchema:
    return order("a", **(STOP | more))


def second(**more) -> OrderSchema:
    return order("b", **(LIMIT | {"order_class": "oco", "oco_client_order_id": "a"} | more))


def test_the_limit_leads_and_the_stop_is_its_leg_whichever_came_first():
    pair = exit_pair(first(), second())
    turned = exit_pair(
        order("a", **LIMIT), order("b", order_class="oco", oco_client_order_id="a", **STOP)
    )
    assert (pair.client_order_id, pair.legs[0].client_order_id) == ("b", "a")
    assert (turned.client_order_id, turned.legs[0].client_order_id) == ("a", "b")
    for each in (pair, turned):
        assert (each.order_class, each.limit_price) == ("oco", Decimal(12))
        assert (each.legs[0].role, each.legs[0].stop_price) == ("stop_loss", Decimal(9))
        assert each.oco_client_order_id == "a"


def test_a_stop_limit_will_do_for_the_stop():
    pair = exit_pair(first(order_type="stop_limit", limit_price="8.5"), second())
    assert pair.legs[0].limit_price == Decimal("8.5")


@pytest.mark.parametrize(
    ("ours", "theirs", "text"),
    [
        (LIMIT | {"stop_price": None}, {}, "one limit and one stop, not limit and limit"),
        ({"order_type": "trailing_stop", "stop_price": None, "trail_amount": "1"}, {},
         "not trailing_stop and limit: cancel the other yourself in notify_order"),
        ({"symbol": "T"}, {}, "need the same symbol, not T and S"),
        ({"side": "buy"}, {}, "need the same side, not buy and sell"),
        ({"quantity": "5"}, {}, "need the same quantity, not 5 and 10"),
        ({"time_in_force": "day"}, {}, "need the same time_in_force, not day and gtc"),
        ({}, {"limit_price": "8"}, "oco: stop loss 9 must be below take profit 8"),
    ],
)  # fmt: skip
def test_what_venues_do_not_tie_is_refused_with_what_would_do(ours, theirs, text):
    with pytest.raises(SchemaRefused, match=text):
        exit_pair(first(**ours), second(**theirs))
