"""The refusals of protocols/alpaca.md, section 4: codes, texts and fields."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.errors import VenueRefused
from brokers.orders import Leg, OrderSchema
from brokers.wire.transport import Replacement
from live.paper.account import AlpacaRules, BacktraderRules
from live.paper.alpaca_checks import Asset
from live.paper.hours import Hours
from tests.live.paper.stage import FLAT, HOUR, START, Desk

NEW_YORK = Hours("XNYS")


def desk(**how):
    words = {name: how.pop(name) for name in list(how) if name not in ("cash", "start")}
    return Desk(AlpacaRules(**words), **how)


def refusal(act, *args, **words):
    with pytest.raises(VenueRefused) as refused:
        act(*args, **words)
    return refused.value


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"limit_price": "90.125"}, "invalid limit_price 90.125. sub-penny increment does not"),
        ({"stop_price": "110.001"}, "invalid stop_price 110.001. sub-penny increment does not"),
        ({"limit_price": "0.12345"}, "invalid limit_price 0.12345. sub-penny"),
        ({"stop_price": 110, "time_in_force": "ioc"}, "invalid time_in_force ioc for stop order"),
        ({"trail_amount": 1, "time_in_force": "opg"}, "invalid time_in_force opg for trailing"),
        ({"order_type": "market_on_close"}, "invalid order type market_on_close"),
        ({"extended_hours": True}, "extended hours order must be DAY limit orders"),
        ({"extended_hours": True, "limit_price": 90}, "extended hours order must be DAY limit"),
        ({"quantity": "0.5", "time_in_force": "gtc"}, "fractional orders must be DAY orders"),
        (
            {"quantity": "1.0000000001", "time_in_force": "day"},
            "qty must have at most 9 decimal places",
        ),
        (
            {"quantity": "0.5", "trail_amount": 1, "time_in_force": "day"},
            "fractional orders must be simple orders",
        ),
        (
            {"quantity": "0.5", "side": "sell", "time_in_force": "day"},
            "fractional orders cannot be sold short",
        ),
    ],
)
def test_an_order_of_the_wrong_form_is_a_422(words, text):
    refused = refusal(desk().send, **words)
    assert refused.text.startswith(text)
    assert (refused.status, refused.body["code"]) == (422, 42210000)


@pytest.mark.parametrize(
    "words",
    [
        {"limit_price": "90.12"},
        {"limit_price": "0.1234"},
        {"quantity": "0.5", "time_in_force": "day"},
        {"extended_hours": True, "limit_price": 90, "time_in_force": "day"},
        {"time_in_force": "opg"},
        {"trail_frac": "0.1", "order_type": "trailing_stop"},
    ],
)
def test_an_order_of_the_right_form_is_taken(words):
    assert desk().send(**words).status == "new"


@pytest.mark.parametrize(
    ("asset", "words", "text"),
    [
        (Asset(tradable=False), {}, "asset AAA is not tradable"),
        (
            Asset(fractionable=False),
            {"quantity": "0.5", "time_in_force": "day"},
            "requested asset is not fractionable",
        ),
        (Asset(shortable=False), {"side": "sell"}, "asset AAA cannot be sold short"),
        (Asset(easy_to_borrow=False), {"side": "sell"}, "asset AAA cannot be sold short"),
    ],
)
def test_an_asset_has_only_the_rights_it_has(asset, words, text):
    assert refusal(desk(assets={"AAA": asset}).send, **words).text == text


def test_part_of_a_share_that_is_held_can_be_sold():
    here = desk()
    here.send("buy", "1.5", time_in_force="day")
    here.step()
    here.send("sell", "0.5", time_in_force="day")
    here.step()
    assert [held.quantity for held in here.venue.positions()] == [1]


def test_an_id_is_unique_for_the_life_of_the_account_and_its_refusal_a_422():
    here = desk()
    order = here.send(client_order_id="mine", limit_price=50)
    here.venue.cancel(order.venue_order_id, here.at)
    refused = refusal(here.send, client_order_id="mine")
    assert refused.body == {"code": 40010001, "message": "client_order_id must be unique"}
    assert refused.status == 422


# -- Windows of the auctions


@pytest.mark.parametrize(
    ("tif", "hour", "minute", "is_taken"),
    [
        ("opg", 14, 27, True),  # New York is five hours behind
        ("opg", 14, 29, False),
        ("opg", 23, 59, False),
        ("opg", 0, 1, True),
        ("cls", 20, 49, True),
        ("cls", 20, 51, False),
        ("cls", 0, 1, True),
    ],
)
def test_orders_for_an_auction_come_in_its_window(tif, hour, minute, is_taken):
    here = desk(hours=NEW_YORK, start=START.replace(hour=hour, minute=minute) - HOUR)
    if is_taken:
        here.send(time_in_force=tif)
    else:
        refused = refusal(here.send, time_in_force=tif)
        assert f"{tif} orders are accepted between 19:00 and" in refused.text


# -- Families


def test_a_bracket_must_be_an_entry():
    here = desk()
    here.hold(10, "sell")
    assert refusal(here.bracket, quantity=5).text == "bracket orders must be entry orders"


def test_an_exit_of_two_must_be_an_exit():
    assert refusal(desk().exit_pair).text == "oco orders must be exit orders"


def test_a_bracket_is_for_the_day_or_until_cancelled_and_for_regular_hours():
    text = "bracket orders must be DAY or GTC orders"
    assert refusal(desk().bracket, time_in_force="ioc").text == text
    with_hours = refusal(desk().bracket, limit_price=100, time_in_force="day", extended_hours=True)
    assert with_hours.text == "extended hours order must be DAY limit orders"
    fraction = refusal(desk().bracket, quantity="0.5", time_in_force="day")
    assert fraction.text == "fractional orders must be simple orders"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"stop": 100}, "stop_loss.stop_price 100 must be <= 99.99 (base_price)"),
        (
            {"side": "sell", "take": 90, "stop": 100},
            "stop_loss.stop_price 100 must be >= 100.01 (base_price)",
        ),
        (
            {"stop": "97.995", "limit_price": 98},
            "invalid stop_price 97.995. sub-penny increment does not fulfill minimum pricing"
            " criteria",
        ),
    ],
)
def test_a_stop_keeps_a_cent_from_the_price_it_protects(words, text):
    assert refusal(desk().bracket, **words).text == text


def test_the_stop_of_an_exit_keeps_a_cent_from_its_target():
    here = desk()
    here.hold()
    assert here.exit_pair(take="90.01", stop="90").status == "new"


def test_one_leg_may_be_a_target_alone():
    here = desk()
    leg = Leg(
        client_order_id="t", role="take_profit", side="sell", quantity=Decimal(5),
        order_type="limit", limit_price=Decimal(110),
    )  # fmt: skip
    assert here.send("buy", 5, order_class="oto", legs=(leg,)).legs[0].status == "held"


# -- What is held


def test_no_order_sells_more_than_is_held_so_none_flips_a_position():
    here = desk()
    here.hold()
    refused = refusal(here.send, "sell", 15)
    assert refused.body == {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 15, available: 10)",
        "available": "10",
        "existing_qty": "10",
        "held_for_orders": "0",
        "related_orders": [],
        "symbol": "AAA",
    }
    assert refused.status == 403


def test_no_order_buys_back_more_than_is_short():
    here = desk()
    here.hold(10, "sell")
    assert "(requested: 11, available: 10)" in refusal(here.send, "buy", 11).text


def test_what_working_orders_will_sell_is_promised_and_a_bracket_promises_it_once():
    here = desk()
    here.bracket()
    here.step()
    stop, target = (leg.venue_order_id for leg in here.venue.find("o1").legs)
    refused = refusal(here.send, "sell", 1)
    assert refused.details["held_for_orders"] == "10"
    assert refused.details["available"] == "0"
    assert refused.details["related_orders"] == [stop, target]


def test_a_sleeping_leg_promises_nothing():
    here = desk()
    here.hold(3)
    here.bracket(limit_price=90, stop=80)
    here.send("sell", 3, limit_price=110)
    assert here.status("o3") == "new"


# -- Wash trades


@pytest.mark.parametrize(
    ("resting", "coming", "why"),
    [
        ({"stop_price": 90}, {}, "opposite side market/stop order exists"),
        ({"stop_price": 90}, {"limit_price": 50}, "opposite side market/stop order exists"),
        ({"limit_price": 110}, {}, "opposite side limit order exists. use complex/limit/"),
        ({"limit_price": 110}, {"limit_price": 110}, "opposite side limit order exists. use"),
    ],
)
def test_an_order_that_might_meet_an_own_one_is_a_potential_wash_trade(resting, coming, why):
    here = desk()
    here.hold()
    rests = here.send("sell", 5, **resting)
    refused = refusal(here.send, "buy", 1, **coming)
    assert refused.text == "potential wash trade detected. use complex orders"
    assert refused.details["existing_order_id"] == rests.venue_order_id
    assert refused.details["reject_reason"].startswith(why)
    assert refused.status == 403


def test_limits_that_do_not_cross_brackets_and_other_symbols_are_no_wash_trades():
    here = desk()
    here.hold()
    here.send("sell", 5, limit_price=110)
    here.send("buy", 5, limit_price=109)
    here.send("buy", 5, symbol="BBB")
    here.bracket(limit_price=100, quantity=1)
    assert [here.status(f"o{n}") for n in (2, 3, 4, 5)] == ["new"] * 4


def test_after_a_cancel_the_other_side_may_come():
    here = desk()
    here.hold()
    rests = here.send("sell", 5, stop_price=90)
    here.venue.cancel(rests.venue_order_id, here.at)
    assert here.send("buy", 1).status == "new"


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
    refused = refusal(desk(cash=1000.0).send, **words)
    assert refused.body == {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "1000.00",
        "cost_basis": cost,
    }


@pytest.mark.parametrize(("words", "cost"), [({}, "10300.00"), ({"limit_price": 110}, "11000.00")])
def test_a_short_costs_three_per_cent_more_or_its_limit(words, cost):
    refused = refusal(desk(cash=5000.0).send, "sell", 100, **words)
    assert refused.details["cost_basis"] == cost


def test_working_entries_and_shorts_take_buying_power_and_exits_give_none_back():
    here = desk(cash=10_000.0)
    here.hold(20, "sell")
    assert here.venue.account().buying_power == Decimal("8000.00")
    here.send("buy", 10, limit_price=50, symbol="BBB")
    here.send("buy", 20, limit_price=90)
    assert here.venue.account().buying_power == Decimal("7500.00")


def test_a_margin_account_lends_and_its_cash_may_go_below_zero():
    here = desk(cash=1000.0, multiplier=2)
    assert here.venue.account().buying_power == Decimal("2000.00")
    here.hold(19)
    account = here.venue.account()
    assert (here.status("o1"), account.cash, account.equity) == ("filled", -900, 1000)
    assert account.buying_power == Decimal("100.00")


def test_closing_takes_no_buying_power():
    here = desk(cash=1030.0)
    here.hold(10)
    assert here.send("sell", 10).status == "new"


@pytest.mark.parametrize(("cash", "enabled"), [(1999.0, True), (5000.0, False)])
def test_a_short_takes_2000_of_equity_and_an_account_that_may(cash, enabled):
    here = desk(cash=cash, shorting_enabled=enabled)
    assert refusal(here.send, "sell", 1).text == "account is not allowed to short"


# -- Pattern day trading


def after_three_day_trades(**how):
    here = desk(cash=20_000.0, start=START.replace(hour=1), **how)
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
    here = desk(cash=1000.0)
    order = here.send("buy", 11, limit_price=90)
    refused = refusal(here.venue.replace, order.venue_order_id, "r", change, here.at)
    assert refused.text.startswith(text)
    assert here.status("o1") == "new"


def test_a_replacement_takes_over_what_the_old_order_promised():
    here = desk()
    here.hold()
    order = here.send("sell", 8, limit_price=110)
    change = Replacement(quantity=Decimal(10))
    assert here.venue.replace(order.venue_order_id, "r", change, here.at).quantity == 10


def test_a_pending_order_cannot_be_replaced():
    here = desk(hours=NEW_YORK, start=START + 8 * HOUR)
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
