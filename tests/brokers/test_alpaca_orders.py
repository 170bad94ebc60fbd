from decimal import Decimal

import pytest

from brokers.errors import SchemaRefused
from brokers.orders import Leg, OrderSchema
from brokers.wire.alpaca_orders import check_parts, order_body, replacement_body
from brokers.wire.transport import Replacement
from tests.brokers.alpaca_py import requests as alpaca_py

PLAIN = {"symbol": "AAPL", "qty": "10", "side": "buy", "time_in_force": "gtc"}


def order(**terms):
    plain = {"client_order_id": "a1", "symbol": "AAPL", "side": "buy", "quantity": "10"}
    return OrderSchema(**plain | {"order_type": "market"} | terms)


def stop_leg(**terms):
    plain = {"client_order_id": "a1-sl", "side": "sell", "quantity": "10", "role": "stop_loss"}
    return Leg(**plain | {"order_type": "stop", "stop_price": "95"} | terms)


def profit_leg(**terms):
    plain = {"client_order_id": "a1-tp", "side": "sell", "quantity": "10", "role": "take_profit"}
    return Leg(**plain | {"order_type": "limit", "limit_price": "110"} | terms)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({}, {"type": "market"}),
        (
            {"order_type": "limit", "limit_price": "90.50"},
            {"type": "limit", "limit_price": "90.50"},
        ),
        ({"order_type": "stop", "stop_price": "1E+2"}, {"type": "stop", "stop_price": "100"}),
        (
            {"order_type": "stop_limit", "stop_price": "100", "limit_price": "101"},
            {"type": "stop_limit", "stop_price": "100", "limit_price": "101"},
        ),
        (
            {"order_type": "trailing_stop", "trail_amount": "1.5"},
            {"type": "trailing_stop", "trail_price": "1.5"},
        ),
        (
            {"order_type": "trailing_stop", "trail_frac": "0.015"},
            {"type": "trailing_stop", "trail_percent": "1.500"},
        ),
        ({"order_type": "market_on_close"}, {"type": "market", "time_in_force": "cls"}),
        (
            {"quantity": "0.000000001", "time_in_force": "day"},
            {"type": "market", "qty": "0.000000001", "time_in_force": "day"},
        ),
        (
            {"order_type": "limit", "limit_price": "9", "extended_hours": True},
            {"type": "limit", "limit_price": "9", "extended_hours": True},
        ),
    ],
)
def test_order_is_said_in_alpaca_s_words(terms, words):
    assert order_body(order(**terms)) == PLAIN | {"client_order_id": "a1"} | words


def test_bracket_says_its_exits():
    body = order_body(order(order_class="bracket", legs=(stop_leg(), profit_leg())))
    assert body["order_class"] == "bracket"
    assert body["stop_loss"] == {"stop_price": "95"}
    assert body["take_profit"] == {"limit_price": "110"}


def test_stop_loss_with_a_limit_says_both_prices():
    leg = stop_leg(order_type="stop_limit", limit_price="94.5")
    body = order_body(order(order_class="oto", legs=(leg,)))
    assert body["order_class"] == "oto"
    assert body["stop_loss"] == {"limit_price": "94.5", "stop_price": "95"}


def test_oco_of_one_order_is_a_limit_exit_with_a_stop():
    body = order_body(
        order(
            order_class="oco",
            side="sell",
            order_type="limit",
            limit_price="110",
            legs=(stop_leg(),),
        )
    )
    assert (body["type"], body["order_class"]) == ("limit", "oco")
    assert body["take_profit"] == {"limit_price": "110"}
    assert body["stop_loss"] == {"stop_price": "95"}
    assert "limit_price" not in body


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        (
            {"order_class": "oco", "oco_client_order_id": "a0"},
            "cannot tie an order to a0, which it already has: use a bracket, or one limit exit",
        ),
        (
            {"time_in_force": "gtd", "expires_at": "2024-03-04T14:30:00Z"},
            "no good-till-date orders: use gtc",
        ),
        (
            {"order_type": "trailing_stop_limit", "trail_amount": "1", "limit_price": "9"},
            "no trailing_stop_limit orders: use trailing_stop",
        ),
        (
            {"order_type": "trailing_stop", "trail_amount": "1", "stop_price": "9"},
            "trails from the market price: leave the first stop price out",
        ),
        (
            {
                "order_class": "oto",
                "legs": (stop_leg(order_type="trailing_stop", stop_price=None, trail_amount="1"),),
            },
            "stop_loss legs are stop or stop_limit orders, not trailing_stop",
        ),
        (
            {"order_class": "oto", "legs": (stop_leg(quantity="5"),)},
            r"gives a stop_loss leg its entry's quantity \(10\)",
        ),
        (
            {"order_class": "oto", "legs": (stop_leg(),), "time_in_force": "day"},
            r"time_in_force \(day\), not 10 and gtc",
        ),
    ],
)
def test_order_that_alpaca_has_no_words_for_is_refused_with_what_it_has(terms, text):
    with pytest.raises(SchemaRefused, match=text):
        order_body(order(**terms))


def test_replacement_says_only_what_changes():
    terms = Replacement(quantity=Decimal(5), limit_price=Decimal("90.10"))
    assert replacement_body("a2", terms) == {
        "qty": "5",
        "limit_price": "90.10",
        "client_order_id": "a2",
    }
    assert replacement_body("a3", Replacement(stop_price=Decimal(9), trail=Decimal(1))) == {
        "stop_price": "9",
        "trail": "1",
        "client_order_id": "a3",
    }


@pytest.mark.parametrize(
    ("model", "terms"),
    [
        (alpaca_py.MarketOrderRequest, {}),
        (alpaca_py.LimitOrderRequest, {"order_type": "limit", "limit_price": "90"}),
        (
            alpaca_py.StopLimitOrderRequest,
            {"order_type": "stop_limit", "stop_price": "100", "limit_price": "101"},
        ),
        (
            alpaca_py.TrailingStopOrderRequest,
            {"order_type": "trailing_stop", "trail_frac": "0.015"},
        ),
        (
            alpaca_py.MarketOrderRequest,
            {"order_class": "bracket", "legs": (stop_leg(), profit_leg())},
        ),
        (
            alpaca_py.LimitOrderRequest,
            {
                "order_class": "oco",
                "side": "sell",
                "order_type": "limit",
                "limit_price": "110",
                "legs": (stop_leg(),),
            },
        ),
    ],
)
def test_body_is_what_alpaca_py_would_send(model, terms):
    body = order_body(order(**terms))
    theirs = model(**body).to_request_fields()
    assert {name: _plain(value) for name, value in theirs.items()} == {
        name: _plain(value) for name, value in body.items()
    }


def _plain(value):
    """Numbers as floats, enums as their texts."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    value = getattr(value, "value", value)
    try:
        return float(value)
    except ValueError:
        return value


PART = {"quantity": "2.5", "time_in_force": "day"}


@pytest.mark.parametrize(
    ("terms", "fits"),
    [
        (PART, True),
        (PART | {"order_type": "stop_limit", "stop_price": "9", "limit_price": "8"}, True),
        (PART | {"time_in_force": "gtc"}, False),
        (PART | {"order_type": "trailing_stop", "trail_amount": "1"}, False),
        (PART | {"order_class": "oto", "legs": (stop_leg(quantity="2.5", time_in_force="day"),)},
         False),
    ],
)  # fmt: skip
def test_parts_of_a_share_go_in_plain_orders_for_the_day(terms, fits):
    if fits:
        check_parts(order(**terms))
    else:
        with pytest.raises(SchemaRefused, match=r"parts of a share \(2.5\) in single market"):
            check_parts(order(**terms))


@pytest.mark.parametrize(
    ("first", "sections"),
    [(None, ["stop_loss", "take_profit"]), ("a1", ["take_profit", "stop_loss"]),
     ("a1-sl", ["stop_loss", "take_profit"])],
)  # fmt: skip
def test_of_two_exits_the_one_placed_first_is_named_first(first, sections):
    pair = order(
        order_class="oco", side="sell", order_type="limit", limit_price="110", legs=(stop_leg(),),
        oco_client_order_id=first,
    )  # fmt: skip
    assert [name for name in order_body(pair) if name in sections] == sections
