"""What accounts may spend, short and replace: protocols/alpaca.md, section 4."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.orders import OrderSchema
from brokers.wire.transport import Replacement
from live.paper.account import AlpacaRules, BacktraderRules
from live.paper.hours import Hours
from tests.live.paper.stage import FLAT, HOUR, START, Desk, alpaca, refusal

NEW_YORK = Hours("XNYS")

# -- Money


@pytest.mark.parametrize(
    ("words", "cost"),
    [
        ({"limit_price": 100, "quantity": 11}, "1100.00"),
        ({"quantity": 10}, "1025.00"),
        ({"stop_price": 40, "quantity": 25}, "1040.00"),
        ({"stop_price": 40, "limit_price": 41, "quantity": 25}, "1025.00"),
    ],
)
def test_an_entry_must_be_paid_for_with_a_cushion_where_it_has_no_limit(words, cost):
    refused = refusal(alpaca(cash=1000.0).send, **words)
    assert refused.body == {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "1000.00",
        "cost_basis": cost,
    }


@pytest.mark.parametrize(("words", "cost"), [({}, "10300.00"), ({"limit_price": 110}, "11000.00")])
def test_a_short_costs_three_per_cent_more_or_its_limit(words, cost):
    refused = refusal(alpaca(cash=5000.0).send, "sell", 100, **words)
    assert refused.details["cost_basis"] == cost


def test_working_entries_and_shorts_take_buying_power_and_exits_give_none_back():
    here = alpaca(cash=10_000.0)
    here.hold(20, "sell")
    assert here.venue.account().buying_power == Decimal("8000.00")
    here.send("buy", 10, limit_price=50, symbol="BBB")
    here.send("buy", 20, limit_price=90)
    assert here.venue.account().buying_power == Decimal("7500.00")


def test_a_margin_account_lends_and_its_cash_may_go_below_zero():
    here = alpaca(cash=1000.0, multiplier=2)
    assert here.venue.account().buying_power == Decimal("2000.00")
    here.hold(19)
    account = here.venue.account()
    assert (here.status("o1"), account.cash, account.equity) == ("filled", -900, 1000)
    assert account.buying_power == Decimal("100.00")


def test_closing_takes_no_buying_power():
    here = alpaca(cash=1030.0)
    here.hold(10)
    assert here.send("sell", 10).status == "new"


@pytest.mark.parametrize(("cash", "enabled"), [(1999.0, True), (5000.0, False)])
def test_a_short_takes_2000_of_equity_and_an_account_that_may(cash, enabled):
    here = alpaca(cash=cash, shorting_enabled=enabled)
    assert refusal(here.send, "sell", 1).text == "account is not allowed to short"


# -- Pattern day trading


def after_three_day_trades(**how):
    here = alpaca(cash=20_000.0, start=START.replace(hour=1), **how)
    for _ in range(3):
        here.hold(1)
        here.hold(1, "sell")
        here.at += timedelta(days=1)
        here.step()
    here.hold(1)
    return here


def test_the_old_rule_refuses_the_fourth_day_trade_below_25000():
    here = after_three_day_trades(has_pattern_day_trader_rule=True)
    refused = refusal(here.send, "sell", 1)
    assert refused.body == {
        "code": 40310100,
        "message": "trade denied due to pattern day trading protection",
    }
    assert refused.status == 403


def test_a_position_of_yesterday_is_no_day_trade_and_a_week_later_all_is_forgotten():
    here = after_three_day_trades(has_pattern_day_trader_rule=True)
    here.step(at=here.at + timedelta(days=1))
    assert here.send("sell", 1).status == "new"
    here.step(at=here.at + timedelta(days=7))
    here.hold(1)
    assert here.send("sell", 1).status == "new"


def test_the_regime_was_abolished_and_the_rule_is_off():
    assert after_three_day_trades().send("sell", 1).status == "new"


def test_the_rich_are_no_pattern_day_traders():
    here = Desk(AlpacaRules(has_pattern_day_trader_rule=True), cash=25_100.0)
    here.hold(1)
    assert here.send("sell", 1).status == "new"


# -- Replacement


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Replacement(limit_price=Decimal("90.001")), "invalid limit_price 90.001. sub-penny"),
        (Replacement(quantity=Decimal(30)), "insufficient buying power"),
    ],
)
def test_a_replacement_is_looked_at_as_an_order_is(change, text):
    here = alpaca(cash=1000.0)
    order = here.send("buy", 11, limit_price=90)
    refused = refusal(here.venue.replace, order.venue_order_id, "r", change, here.at)
    assert refused.text.startswith(text)
    assert here.status("o1") == "new"


def test_a_replacement_takes_over_what_the_old_order_promised():
    here = alpaca()
    here.hold()
    order = here.send("sell", 8, limit_price=110)
    change = Replacement(quantity=Decimal(10))
    assert here.venue.replace(order.venue_order_id, "r", change, here.at).quantity == 10


def test_a_pending_order_cannot_be_replaced():
    here = alpaca(hours=NEW_YORK, start=START + 8 * HOUR)
    order = here.send(limit_price=90)
    change = Replacement(limit_price=Decimal(91))
    refused = refusal(here.venue.replace, order.venue_order_id, "r", change, here.at)
    assert refused.text == 'order is already in "pending" state'


# -- Backtrader's


def test_backtraders_rules_take_sub_pennies_flips_and_orders_against_a_resting_stop():
    here = Desk(BacktraderRules())
    here.hold()
    here.send("sell", 25, stop_price="90.00001")
    here.send("buy", 2)
    here.step(FLAT)
    assert here.status("o3") == "filled"
    assert here.venue.account().buying_power == here.venue.account().cash


def test_a_family_is_an_order_schema_first():
    with pytest.raises(ValueError, match="do not make a bracket order"):
        OrderSchema(
            client_order_id="o", symbol="AAA", side="buy", quantity=Decimal(1),
            order_type="market", order_class="bracket",
        )  # fmt: skip
