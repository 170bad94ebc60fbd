"""What is not a valid order says why, in one sentence."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from brokers.orders import Leg, OrderSchema


def order(**terms):
    base = {"client_order_id": "a-1", "symbol": "AAPL", "side": "buy", "quantity": "10"}
    return OrderSchema(**{**base, "order_type": "market", **terms})


def leg(role, side="sell", quantity="10", **prices):
    kind = "limit" if role == "take_profit" else "stop"
    return Leg(
        client_order_id=f"a-1-{role[:1]}p",
        role=role,
        side=side,
        quantity=quantity,
        order_type=kind,
        **prices,
    )


def bracket(stop, target, **terms):
    legs = (leg("stop_loss", stop_price=stop), leg("take_profit", limit_price=target))
    return order(**{"order_class": "bracket", "legs": legs, **terms})


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({"order_type": "limit"}, "a limit order needs limit_price"),
        ({"order_type": "stop_limit", "limit_price": 1}, "a stop_limit order needs stop_price"),
        ({"limit_price": 5}, "a market order takes no limit_price"),
        ({"order_type": "stop", "stop_price": 5, "limit_price": 5}, "takes no limit_price"),
        ({"order_type": "trailing_stop"}, "a trailing_stop order needs trail"),
        ({"trail_amount": 1}, "a market order takes no trail"),
        (
            {"order_type": "trailing_stop", "trail_amount": 1, "trail_frac": 0.1},
            "an amount or a fraction, not both",
        ),
        ({"time_in_force": "gtd"}, "expires_at belongs to time_in_force gtd"),
        ({"expires_at": datetime(2024, 1, 2, tzinfo=UTC)}, "expires_at belongs to"),
        ({"quantity": "0"}, "greater than 0"),
        ({"quantity": "-1"}, "greater than 0"),
        ({"quantity": "NaN"}, "finite"),
        ({"quantity": "Infinity"}, "finite"),
        ({"order_type": "limit", "limit_price": "-3"}, "greater than 0"),
        ({"client_order_id": "a b"}, "should match pattern"),
        ({"client_order_id": "x" * 49}, "should match pattern"),
        ({"symbol": ""}, "at least 1 character"),
        ({"order_class": "bracket"}, "legs none do not make a bracket order"),
        ({"oco_client_order_id": "b-2"}, "do not make a simple order"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_contradiction_is_named(terms, text):
    with pytest.raises(ValidationError, match=text):
        order(**terms)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"order_type": "market_on_close"},
        {"order_type": "limit", "limit_price": "9.5", "extended_hours": True},
        {"order_type": "stop_limit", "limit_price": 9, "stop_price": 10},
        {"order_type": "trailing_stop", "trail_frac": "0.02"},
        {"order_type": "trailing_stop", "trail_amount": 1, "stop_price": 9},
        {"order_type": "trailing_stop_limit", "trail_amount": 1, "limit_price": 9},
        {"time_in_force": "gtd", "expires_at": datetime(2024, 1, 2, tzinfo=UTC)},
        {"order_class": "oco", "oco_client_order_id": "b-2"},
    ],
)
def test_consistent_order_is_accepted(terms):
    assert order(**terms).quantity == Decimal(10)


@pytest.mark.parametrize(
    ("stop", "target", "terms", "text"),
    [
        (9, 11, {}, None),
        (9, 11, {"order_type": "limit", "limit_price": 10}, None),
        (9, 11, {"order_type": "stop", "stop_price": 10}, None),
        (11, 9, {}, "stop loss 11 must be below take profit 9"),
        (10, 11, {"order_type": "limit", "limit_price": 10}, "stop loss 10 must be below entry 10"),
        (9, 10, {"order_type": "limit", "limit_price": 10}, "entry 10 must be below take profit"),
        (11, 9, {"side": "sell"}, "leg is on the wrong side"),
    ],
)
def test_bracket_prices_stand_in_order(stop, target, terms, text):
    if text is None:
        assert len(bracket(stop, target, **terms).legs) == 2
    else:
        with pytest.raises(ValidationError, match=text):
            bracket(stop, target, **terms)


def test_short_bracket_is_the_mirror_of_a_long_one():
    legs = (
        leg("stop_loss", side="buy", stop_price=11),
        leg("take_profit", side="buy", limit_price=9),
    )
    assert order(side="sell", order_class="bracket", legs=legs).signed_quantity == -10
    with pytest.raises(ValidationError, match="stop loss 11 must be above entry 12"):
        order(side="sell", order_class="bracket", legs=legs, order_type="limit", limit_price=12)


def test_leg_larger_than_its_entry_is_refused():
    with pytest.raises(ValidationError, match="larger than its entry"):
        order(order_class="oto", legs=(leg("stop_loss", quantity="11", stop_price=9),))


def test_trailing_stop_loss_has_no_price_to_compare():
    trailing = Leg(
        client_order_id="a-1-sl", role="stop_loss", side="sell", quantity="10",
        order_type="trailing_stop", trail_frac="0.05",
    )  # fmt: skip
    assert order(order_class="oto", legs=(trailing,)).legs[0].reference_price is None


def test_oco_as_venues_know_it_is_a_limit_exit_with_a_stop_loss():
    exit_legs = (leg("stop_loss", stop_price=9),)
    terms = {"side": "sell", "order_class": "oco", "order_type": "limit", "legs": exit_legs}
    assert order(limit_price=11, **terms).reference_price == 11
    with pytest.raises(ValidationError, match="stop loss 9 must be below take profit 8"):
        order(limit_price=8, **terms)


def test_order_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        order().quantity = Decimal(5)
