"""What Alpaca refuses for form, asset, holding and wash: protocols/alpaca.md, section 4."""

from decimal import Decimal

import pytest

from brokers.orders import Leg
from live.paper.alpaca_checks import Asset
from live.paper.hours import Hours
from tests.live.paper.stage import HOUR, START, alpaca, refusal

NEW_YORK = Hours("XNYS")


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
    refused = refusal(alpaca().send, **words)
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
    assert alpaca().send(**words).status == "new"


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
    assert refusal(alpaca(assets={"AAA": asset}).send, **words).text == text


def test_part_of_a_share_that_is_held_can_be_sold():
    here = alpaca()
    here.send("buy", "1.5", time_in_force="day")
    here.step()
    here.send("sell", "0.5", time_in_force="day")
    here.step()
    assert [held.quantity for held in here.venue.positions()] == [1]


def test_an_id_is_unique_for_the_life_of_the_account_and_its_refusal_a_422():
    here = alpaca()
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
    here = alpaca(hours=NEW_YORK, start=START.replace(hour=hour, minute=minute) - HOUR)
    if is_taken:
        here.send(time_in_force=tif)
    else:
        refused = refusal(here.send, time_in_force=tif)
        assert f"{tif} orders are accepted between 19:00 and" in refused.text


# -- Families


def test_a_bracket_must_be_an_entry():
    here = alpaca()
    here.hold(10, "sell")
    assert refusal(here.bracket, quantity=5).text == "bracket orders must be entry orders"


def test_an_exit_of_two_must_be_an_exit():
    assert refusal(alpaca().exit_pair).text == "oco orders must be exit orders"


def test_a_bracket_is_for_the_day_or_until_cancelled_and_for_regular_hours():
    text = "bracket orders must be DAY or GTC orders"
    assert refusal(alpaca().bracket, time_in_force="ioc").text == text
    with_hours = refusal(
        alpaca().bracket, limit_price=100, time_in_force="day", extended_hours=True
    )
    assert with_hours.text == "extended hours order must be DAY limit orders"
    fraction = refusal(alpaca().bracket, quantity="0.5", time_in_force="day")
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
    assert refusal(alpaca().bracket, **words).text == text


def test_the_stop_of_an_exit_keeps_a_cent_from_its_target():
    here = alpaca()
    here.hold()
    assert here.exit_pair(take="90.01", stop="90").status == "new"


def test_one_leg_may_be_a_target_alone():
    here = alpaca()
    leg = Leg(
        client_order_id="t", role="take_profit", side="sell", quantity=Decimal(5),
        order_type="limit", limit_price=Decimal(110),
    )  # fmt: skip
    assert here.send("buy", 5, order_class="oto", legs=(leg,)).legs[0].status == "held"


# -- What is held


def test_no_order_sells_more_than_is_held_so_none_flips_a_position():
    here = alpaca()
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
    here = alpaca()
    here.hold(10, "sell")
    assert "(requested: 11, available: 10)" in refusal(here.send, "buy", 11).text


def test_what_working_orders_will_sell_is_promised_and_a_bracket_promises_it_once():
    here = alpaca()
    here.bracket()
    here.step()
    stop, target = (leg.venue_order_id for leg in here.venue.find("o1").legs)
    refused = refusal(here.send, "sell", 1)
    assert refused.details["held_for_orders"] == "10"
    assert refused.details["available"] == "0"
    assert refused.details["related_orders"] == [stop, target]


def test_a_sleeping_leg_promises_nothing():
    here = alpaca()
    here.hold(3)
    here.bracket(limit_price=90, stop=80)
    here.send("sell", 3, limit_price=110)
    assert here.status("o3") == "new"


def test_legs_of_an_entry_that_waits_for_the_open_sleep_too():
    here = alpaca(hours=NEW_YORK, start=START + 8 * HOUR)
    assert here.bracket().status == "pending"
    assert here.send("buy", 1).status == "pending"


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
    here = alpaca()
    here.hold()
    rests = here.send("sell", 5, **resting)
    refused = refusal(here.send, "buy", 1, **coming)
    assert refused.text == "potential wash trade detected. use complex orders"
    assert refused.details["existing_order_id"] == rests.venue_order_id
    assert refused.details["reject_reason"].startswith(why)
    assert refused.status == 403


def test_limits_that_do_not_cross_brackets_and_other_symbols_are_no_wash_trades():
    here = alpaca()
    here.hold()
    here.send("sell", 5, limit_price=110)
    here.send("buy", 5, limit_price=109)
    here.send("buy", 5, symbol="BBB")
    here.bracket(limit_price=100, quantity=1)
    assert [here.status(f"o{n}") for n in (2, 3, 4, 5)] == ["new"] * 4


def test_after_a_cancel_the_other_side_may_come():
    here = alpaca()
    here.hold()
    rests = here.send("sell", 5, stop_price=90)
    here.venue.cancel(rests.venue_order_id, here.at)
    assert here.send("buy", 1).status == "new"
