from decimal import Decimal

import pytest

from brokers.errors import SchemaRefused
from brokers.orders import OrderSchema
from brokers.wire.portal_orders import bodies, portal_family
from tests.contract.orders import bracket, exits


def order(**fields):
    return OrderSchema(
        client_order_id="o1", symbol="AAPL", side="sell", quantity=Decimal(10), **fields
    )


def sent(schema):
    return bodies(schema, portal_family(schema), conid=265598, account="DU1")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"order_type": "market"}, {"orderType": "MKT"}),
        ({"order_type": "limit", "limit_price": "90.25"}, {"orderType": "LMT", "price": 90.25}),
        ({"order_type": "stop", "stop_price": "95"}, {"orderType": "STP", "price": 95.0}),
        (
            {"order_type": "stop_limit", "stop_price": "95", "limit_price": "94"},
            {"orderType": "STOP_LIMIT", "price": 94.0, "auxPrice": 95.0},
        ),
        (
            {"order_type": "trailing_stop", "trail_amount": "2", "stop_price": "97"},
            {"orderType": "TRAIL", "trailingType": "amt", "trailingAmt": 2.0, "price": 97.0},
        ),
        (
            {"order_type": "trailing_stop", "trail_frac": "0.05"},
            {"orderType": "TRAIL", "trailingType": "%", "trailingAmt": 5.0},
        ),
    ],
)
def test_order_is_put_in_ibkr_s_words(fields, words):
    (body,) = sent(order(**fields, time_in_force="day", extended_hours=True))
    head = {"acctId": "DU1", "conid": 265598, "cOID": "o1", "side": "SELL", "quantity": 10.0}
    assert body == {**head, "tif": "DAY", "outsideRTH": True, **words}


def test_legs_name_their_entry():
    parents = [body.get("parentId") for body in sent(bracket())]
    assert parents == [None, "b1", "b1"]


def test_two_exits_are_one_group_and_name_nobody():
    assert [(body.get("parentId"), body["isSingleGroup"]) for body in sent(exits())] == [
        (None, True),
        (None, True),
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"order_type": "market_on_close"}, "no market_on_close order: use market, limit"),
        ({"order_type": "market", "time_in_force": "cls"}, "no time in force cls: use day, gtc"),
        ({"order_type": "market", "time_in_force": "fok"}, "no time in force fok: use day, gtc"),
    ],
)
def test_order_that_the_portal_has_not_is_refused_with_what_it_has(fields, text):
    with pytest.raises(SchemaRefused, match=text):
        portal_family(order(**fields))
