from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.errors import SchemaRefused
from brokers.orders import OrderSchema
from brokers.wire.ibkr_errors import is_verdict, is_warning
from brokers.wire.ibkr_orders import chain, changed, family, unchained, words
from brokers.wire.transport import Replacement
from tests.contract.orders import bracket, exits


def order(**more):
    given = {"client_order_id": "o1", "symbol": "AAPL", "side": "buy", "quantity": "10"}
    return OrderSchema(**given | {"order_type": "market"} | more)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, {"orderType": "MKT", "tif": "GTC", "action": "BUY", "totalQuantity": 10.0}),
        ({"time_in_force": "day"}, {"tif": "DAY"}),
        ({"time_in_force": "cls"}, {"orderType": "MOC", "tif": "DAY"}),
        ({"order_type": "limit", "limit_price": "90.25"}, {"orderType": "LMT", "lmtPrice": 90.25}),
        ({"order_type": "stop", "stop_price": "95"}, {"orderType": "STP", "auxPrice": 95.0}),
        (
            {"order_type": "stop_limit", "stop_price": "95", "limit_price": "94"},
            {"orderType": "STP LMT", "auxPrice": 95.0, "lmtPrice": 94.0},
        ),
        ({"order_type": "trailing_stop", "trail_amount": "2"}, {"auxPrice": 2.0}),
        (
            {"order_type": "trailing_stop", "trail_frac": "0.05", "stop_price": "96"},
            {"orderType": "TRAIL", "trailingPercent": 5.0, "trailStopPrice": 96.0},
        ),
        (
            {"time_in_force": "gtd", "expires_at": datetime(2024, 3, 4, 15, 30, tzinfo=UTC)},
            {"tif": "GTD", "goodTillDate": "20240304-15:30:00"},
        ),
        ({"extended_hours": True}, {"outsideRth": True}),
    ],
)
def test_order_is_put_in_ib_s_words(asked, told):
    schema = order(**asked)
    it = words(schema, schema, account="DU1")
    assert {name: getattr(it, name) for name in told} == told
    assert (it.orderRef, it.account) == ("o1", "DU1")


def test_entry_is_placed_before_its_legs_and_of_two_exits_the_stop_is():
    assert [it.client_order_id for it in family(bracket())] == ["b1", "b1-sl", "b1-tp"]
    assert [it.client_order_id for it in family(exits())] == ["x1-sl", "x1"]


def test_two_exits_are_one_group_that_is_named_after_the_limit():
    schema = exits()
    groups = {words(schema, it, account="").ocaGroup for it in family(schema)}
    assert groups == {"x1"}


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"order_class": "oco", "oco_client_order_id": "o0"}, "none can be tied to o0 later"),
        (
            {"order_type": "trailing_stop_limit", "trail_amount": "1", "limit_price": "90"},
            "trailing_stop_limit orders are not built in",
        ),
        ({"order_type": "stop", "stop_price": "9", "time_in_force": "cls"}, "for the close"),
    ],
)
def test_what_ib_has_no_words_for_is_refused(asked, text):
    with pytest.raises(SchemaRefused, match=text):
        family(order(**asked))


@pytest.mark.parametrize(
    ("asked", "new", "told"),
    [
        ({}, {"quantity": "6"}, {"totalQuantity": 10.0}),  # 4 have been executed
        ({}, {"limit_price": "91.5"}, {"lmtPrice": 91.5, "totalQuantity": 10.0}),
        ({"order_type": "stop", "stop_price": "95"}, {"stop_price": "96"}, {"auxPrice": 96.0}),
        ({"order_type": "trailing_stop", "trail_amount": "2"}, {"trail": "3"}, {"auxPrice": 3.0}),
        (
            {"order_type": "trailing_stop", "trail_frac": "0.05"},
            {"trail": "0.04"},
            {"trailingPercent": 4.0},
        ),
    ],
)
def test_order_is_changed_in_place_and_takes_its_new_name_with_it(asked, new, told):
    schema = order(**asked)
    before = words(schema, schema, account="")
    terms = Replacement(**{name: Decimal(value) for name, value in new.items()})
    after = changed(before, ["o0", "o1", "o2"], terms, Decimal(4))
    assert {name: getattr(after, name) for name in told} == told
    assert (after.orderRef, before.orderRef) == ("o2/o1", "o1")


def test_replaced_order_carries_its_name_and_the_one_before():
    assert chain(["l1", "l2", "l3"]) == "l3/l2"
    assert unchained("l3/l2") == ["l2", "l3"]
    assert unchained("l1") == ["l1"]


@pytest.mark.parametrize("code", [399, 404, 2109, 2104, 10349])
def test_warnings_are_no_verdicts(code):
    assert is_warning(code)
    assert not is_verdict(code)


@pytest.mark.parametrize("code", [103, 110, 200, 201, 203, 320, 321, 322, 383, 10243, 10318])
def test_errors_about_an_order_are_verdicts(code):
    assert is_verdict(code)
    assert not is_warning(code)


def test_code_that_nobody_knows_is_no_verdict():
    assert not is_verdict(10_999)
