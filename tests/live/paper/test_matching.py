from datetime import time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

from brokers.errors import VenueRefused
from brokers.fills import Bar, Commission
from brokers.wire.transport import ENDED, Replacement
from live.paper.account import AlpacaRules, BacktraderRules
from live.paper.hours import Hours
from tests.live.paper.against_stock import check, drawing, stages
from tests.live.paper.stage import HOUR, START, Desk, short

NEW_YORK = Hours("XNYS")
RISE, FALL = Bar(100.0, 112.0, 99.0, 111.0), Bar(100.0, 101.0, 85.0, 86.0)


@settings(max_examples=75)
@drawing
def test_random_strategies_are_matched_as_backbroker_matches_them_to_the_bit(stage):
    check(stage)


@settings(max_examples=25)
@given(stages)
def test_an_order_ends_once_and_fills_add_up_to_what_it_says(stage):
    desk = Desk(commission=stage.commission, slippage=stage.slippage)
    desk.bracket()
    desk.send("sell", 3, limit_price=101)
    updates = [u for tape in stage.tapes for bar in tape.bars for u in desk.step(bar)]
    ended = [u.order.venue_order_id for u in updates if u.order.status in ENDED]
    assert len(ended) == len(set(ended))
    for order in desk.venue.orders():
        for part in (order, *order.legs):
            fills = [f for f in desk.venue.fills() if f.venue_order_id == part.venue_order_id]
            assert sum((f.quantity for f in fills), Decimal(0)) == part.filled_quantity


def test_a_market_order_is_pending_until_the_next_step_fills_it_at_the_open():
    desk = Desk(commission=Commission(1.0, is_fixed=True))
    assert desk.send().status == "pending"
    accepted, filled = desk.step(Bar(101.5, 105.0, 95.0, 102.0))
    assert (accepted.order.status, filled.order.status) == ("new", "filled")
    assert filled.order.filled_average_price == Decimal("101.5")
    assert filled.fill.commission == 10
    account = desk.venue.account()
    assert (account.cash, account.equity) == (Decimal("98975.0"), Decimal("99995.0"))
    (held,) = desk.venue.positions()
    assert (held.symbol, held.quantity, held.average_price) == ("AAA", 10, Decimal("101.5"))


def test_the_legs_of_a_bracket_sleep_on_their_entrys_bar_and_the_stop_comes_first():
    desk = Desk()
    desk.bracket()
    assert short(desk.step(Bar(100.0, 120.0, 80.0, 100.0)))[-3:] == [
        "o1 filled",
        "o1-sl new",
        "o1-tp new",
    ]
    assert short(desk.step(Bar(100.0, 120.0, 80.0, 100.0))) == ["o1-sl filled", "o1-tp canceled"]


def test_orders_that_cash_does_not_reach_for_are_rejected_with_margin_and_take_their_legs():
    desk = Desk(cash=500.0)
    desk.bracket()
    said = desk.step()
    assert short(said) == ["o1 rejected", "o1-sl rejected", "o1-tp rejected"]
    assert [u.order.reason for u in said] == ["margin", *["its family was refused"] * 2]


def test_a_gap_over_the_cash_is_a_margin_rejection_at_the_open():
    desk = Desk(cash=1000.0)
    desk.send()
    assert short(desk.step(Bar(101.0, 105.0, 95.0, 100.0))) == ["o1 new", "o1 rejected"]
    assert desk.venue.find("o1").reason == "margin"


def test_a_reversal_without_the_cash_fills_its_closing_part_and_is_rejected():
    desk = Desk(cash=1000.0)
    desk.hold(10, "sell")
    desk.send("buy", 15)
    desk.step(Bar(140.0, 141.0, 99.0, 100.0))
    order = desk.venue.find("o2")
    assert (order.status, order.reason, order.filled_quantity) == ("rejected", "margin", 10)


def test_of_two_that_cancel_each_other_the_first_submitted_is_tried_first():
    desk = Desk()
    desk.send("sell", 5, limit_price=104)
    desk.send("sell", 5, stop_price=96, order_class="oco", oco_client_order_id="o1")
    assert short(desk.step())[2:] == ["o1 filled", "o2 canceled"]


def test_a_leg_that_was_cancelled_in_its_sleep_does_not_wake():
    desk = Desk()
    desk.bracket(limit_price=98, order_type="limit")
    desk.send("sell", 5, limit_price=104, order_class="oco", oco_client_order_id="o1-tp")
    said = desk.step(Bar(100.0, 104.0, 99.0, 100.0))
    assert short(said)[-2:] == ["o2 filled", "o1-tp canceled"]
    assert short(desk.step()) == ["o1 filled", "o1-sl new"]


def test_an_unknown_partner_is_refused():
    desk = Desk()
    with pytest.raises(VenueRefused, match="oco partner nobody not found"):
        desk.send("sell", 5, stop_price=96, order_class="oco", oco_client_order_id="nobody")


def test_an_exit_of_two_works_at_once_stop_first_and_either_cancels_the_other():
    desk = Desk()
    desk.hold()
    pair = desk.exit_pair()
    assert [leg.role for leg in pair.legs] == ["stop_loss"]
    assert short(desk.step()) == ["o2-sl new", "o2 new"]
    assert short(desk.step(RISE)) == ["o2 filled", "o2-sl canceled"]


@pytest.mark.parametrize("name", ["o1", "o1-sl", "o1-tp"])
def test_cancelling_any_member_of_a_bracket_cancels_the_rest(name):
    desk = Desk()
    desk.bracket(limit_price=99, order_type="limit")
    desk.step(Bar(100.0, 101.0, 99.5, 100.0))
    desk.venue.cancel(desk.venue.find(name).venue_order_id, desk.at)
    assert sorted(short(list(desk.venue.drain()))) == [
        "o1 canceled",
        "o1-sl canceled",
        "o1-tp canceled",
    ]
    desk.venue.cancel(desk.venue.find(name).venue_order_id, desk.at)
    assert desk.venue.drain() == ()


def test_backtraders_rules_do_not_cancel_what_has_not_been_accepted():
    desk = Desk()
    order = desk.send()
    with pytest.raises(VenueRefused, match="not cancelable before it is accepted"):
        desk.venue.cancel(order.venue_order_id, desk.at)
    assert short(desk.step()) == ["o1 new", "o1 filled"]


def test_alpacas_rules_cancel_an_order_that_waits_for_the_open():
    desk = Desk(AlpacaRules(hours=NEW_YORK), start=START + 8 * HOUR)
    order = desk.bracket()
    assert order.status == "pending"
    desk.venue.cancel(order.venue_order_id, desk.at)
    assert short(desk.step()) == ["o1 canceled", "o1-sl canceled", "o1-tp canceled"]


def test_an_unknown_order_cannot_be_cancelled():
    with pytest.raises(VenueRefused, match="order not found for 7") as refused:
        Desk().venue.cancel("7", START)
    assert refused.value.status == 404


@pytest.mark.parametrize("words", [{"symbol": "ZZZ"}, {"client_order_id": "o1"}])
def test_unknown_symbols_and_ids_used_before_are_refused(words):
    desk = Desk()
    desk.send(limit_price=50)
    with pytest.raises(VenueRefused) as refused:
        desk.send(**words)
    assert refused.value.status == 422
    assert refused.value.text in ("asset ZZZ not found", "client_order_id must be unique")


def test_a_symbol_without_a_bar_yet_takes_no_order():
    desk = Desk()
    desk.venue = type(desk.venue)(["AAA"])
    with pytest.raises(VenueRefused, match="asset AAA not found"):
        desk.send()


def test_an_order_that_was_refused_leaves_no_trace():
    desk = Desk()
    with pytest.raises(VenueRefused, match="no time_in_force ioc"):
        desk.send(time_in_force="ioc")
    assert (desk.venue.orders(), desk.venue.find("o1"), desk.step()) == ((), None, [])


# -- Replacement


def test_a_replacement_has_its_own_ids_keeps_its_place_and_names_its_forerunner():
    desk = Desk()
    old = desk.send(limit_price=90)
    desk.step()
    new = desk.venue.replace(
        old.venue_order_id, "o1-r1", Replacement(Decimal(5), Decimal(97)), desk.at
    )
    assert (new.quantity, new.limit_price, new.replaces) == (5, 97, old.venue_order_id)
    assert desk.venue.order(old.venue_order_id).replaced_by == new.venue_order_id
    assert short(desk.step()) == ["o1 replaced", "o1-r1 new", "o1-r1 filled"]


@pytest.mark.parametrize("rules", [BacktraderRules(), AlpacaRules()], ids=lambda x: str(x)[:9])
def test_a_replaced_leg_stays_in_its_family(rules):
    desk = Desk(rules)
    desk.bracket()
    desk.step()
    stop = desk.venue.find("o1-sl")
    desk.venue.replace(stop.venue_order_id, "s2", Replacement(stop_price=Decimal(97)), desk.at)
    assert [leg.client_order_id for leg in desk.venue.find("o1").legs] == ["o1-sl", "o1-tp", "s2"]
    assert short(desk.step())[-2:] == ["s2 filled", "o1-tp canceled"]


def test_a_replaced_entry_takes_its_sleeping_legs_along_and_their_quantity():
    desk = Desk()
    entry = desk.bracket(limit_price=98, order_type="limit")
    desk.step(Bar(100.0, 101.0, 99.5, 100.0))
    new = desk.venue.replace(entry.venue_order_id, "e2", Replacement(Decimal(4)), desk.at)
    assert [leg.quantity for leg in new.legs] == [4, 4]
    assert desk.venue.order(entry.venue_order_id).legs == ()
    desk.step()
    assert short(desk.step(RISE)) == ["o1-tp filled", "o1-sl canceled"]
    assert desk.venue.positions() == ()


def test_a_replaced_partner_still_cancels_and_is_cancelled():
    desk = Desk()
    first = desk.send("sell", 5, limit_price=110)
    desk.send("sell", 5, stop_price=90, order_class="oco", oco_client_order_id="o1")
    desk.step()
    desk.venue.replace(first.venue_order_id, "r", Replacement(limit_price=Decimal(120)), desk.at)
    assert short(desk.step(FALL))[2:] == ["o2 filled", "r canceled"]
    desk.send("sell", 5, limit_price=110, order_class="oco", oco_client_order_id="o1")
    late = desk.venue.find("o3")
    desk.step()
    desk.venue.replace(late.venue_order_id, "r3", Replacement(limit_price=Decimal(104)), desk.at)
    assert short(desk.step())[2:] == ["r3 filled"]


def test_a_trailing_stop_can_be_given_another_trail():
    desk = Desk()
    old = desk.send("sell", 5, trail_amount=50)
    desk.step()
    desk.venue.replace(old.venue_order_id, "r", Replacement(trail=Decimal(2)), desk.at)
    assert short(desk.step(Bar(100.0, 101.0, 97.0, 100.0)))[2:] == ["r filled"]
    assert desk.venue.fills()[0].price == 98


@pytest.mark.parametrize(
    ("words", "change", "text"),
    [
        ({"limit_price": 90}, Replacement(stop_price=Decimal(1)), "takes no stop_price"),
        ({}, Replacement(Decimal(3)), 'already in "filled" state'),
    ],
)
def test_what_cannot_be_replaced_is_refused(words, change, text):
    desk = Desk()
    order = desk.send(**words)
    desk.step()
    with pytest.raises(VenueRefused, match=text):
        desk.venue.replace(order.venue_order_id, "r", change, desk.at)


@pytest.mark.parametrize(
    ("rules", "quantity"), [(BacktraderRules(), 6), (AlpacaRules(), 10)], ids=lambda x: str(x)[:9]
)
def test_a_partly_filled_order_is_replaced_by_its_rest_or_by_alpaca_whole(rules, quantity):
    desk = Desk(rules, portion=lambda order: Decimal(4))
    order = desk.send(limit_price=100, quantity=10)
    desk.step()
    new = desk.venue.replace(
        order.venue_order_id, "r", Replacement(limit_price=Decimal(99)), desk.at
    )
    assert (new.quantity, new.filled_quantity) == (quantity, 0)


# -- Parts


def test_a_portion_fills_part_of_an_order_and_the_rest_at_the_next_steps_price():
    desk = Desk(portion=lambda order: Decimal(4))
    desk.send()
    said = [*desk.step(), *desk.step(Bar(101.0, 105.0, 95.0, 100.0)), *desk.step()]
    fills = [(u.fill.quantity, u.fill.price, u.order.filled_quantity) for u in said if u.fill]
    assert fills == [(4, 100, 4), (4, 101, 8), (2, 100, 10)]
    assert desk.venue.find("o1").filled_average_price == Decimal("100.4")


def test_a_portion_of_nothing_leaves_the_order_at_work():
    desk = Desk(portion=lambda order: Decimal(0))
    desk.send()
    assert short(desk.step()) == ["o1 new"]
    assert desk.step() == []


@pytest.mark.parametrize(
    ("rules", "left"), [(AlpacaRules(), 6), (BacktraderRules(), 10)], ids=lambda x: str(x)[:9]
)
def test_what_a_target_fills_in_part_is_taken_off_the_stop_under_alpacas_rules(rules, left):
    parts = iter([Decimal(10), Decimal(4), Decimal(10)])
    desk = Desk(rules, portion=lambda order: next(parts))
    desk.bracket()
    desk.step()
    desk.step(RISE)
    assert desk.venue.find("o1-tp").filled_quantity == 4
    assert desk.venue.find("o1-sl").quantity == left
    assert short(desk.step(FALL))[0] == "o1-sl filled"


# -- Times in force, hours


@pytest.mark.parametrize(
    ("tif", "words", "portion", "status", "filled"),
    [
        ("ioc", {"limit_price": 90}, 10, "canceled", 0),
        ("ioc", {"limit_price": 99}, 4, "canceled", 4),
        ("fok", {"limit_price": 99}, 4, "filled", 10),
        ("opg", {"limit_price": 99}, 10, "canceled", 0),
        ("opg", {}, 10, "filled", 10),
    ],
)
def test_orders_of_one_chance_end_with_it(tif, words, portion, status, filled):
    desk = Desk(AlpacaRules(), portion=lambda order: Decimal(portion))
    desk.send(time_in_force=tif, **words)
    desk.step()
    order = desk.venue.find("o1")
    assert (order.status, order.filled_quantity) == (status, filled)


@pytest.mark.parametrize(("words", "status"), [({}, "filled"), ({"limit_price": 101}, "canceled")])
def test_orders_for_the_close_wait_for_the_sessions_last_bar(words, status):
    desk = Desk(AlpacaRules(hours=NEW_YORK))
    desk.send(time_in_force="cls", **words)
    close = START.replace(hour=21)
    last = Bar(100.0, 105.0, 95.0, 102.0)
    assert short(desk.step(last)) == ["o1 new"]
    assert short(desk.step(last, at=close)) == [f"o1 {status}"]
    assert [fill.price for fill in desk.venue.fills()] == ([102] if status == "filled" else [])


def test_a_market_order_for_the_close_is_backtraders_close_under_its_rules():
    desk = Desk(BacktraderRules(session_end_at=time(21)), portion=lambda order: Decimal(6))
    desk.send(time_in_force="cls")
    assert short(desk.step(Bar(100.0, 105.0, 95.0, 101.0))) == ["o1 new"]
    desk.step(Bar(100.0, 105.0, 95.0, 102.0), at=START.replace(hour=21))
    desk.step(Bar(100.0, 105.0, 95.0, 103.0), at=START.replace(hour=22))
    assert [(f.quantity, f.price) for f in desk.venue.fills()] == [(6, 102), (4, 101)]


def test_an_order_for_a_close_that_is_past_waits_for_the_next_days():
    desk = Desk(BacktraderRules(session_end_at=time(14)))
    desk.send(time_in_force="cls")
    assert short(desk.step()) == ["o1 new"]
    assert short(desk.step(at=START.replace(hour=14) + timedelta(days=1))) == ["o1 filled"]


def test_a_day_order_lapses_after_the_close_whatever_bars_come():
    desk = Desk(AlpacaRules(hours=NEW_YORK))
    desk.send(limit_price=50, time_in_force="day")
    desk.step(at=START.replace(hour=21))
    assert desk.status("o1") == "new"
    assert short(desk.step(None, at=START.replace(hour=22))) == ["o1 expired"]


def test_backtraders_day_ends_with_the_utc_day_of_the_bar():
    desk = Desk()
    desk.send(limit_price=50, time_in_force="day")
    desk.step(at=START.replace(hour=23, minute=59))
    assert desk.status("o1") == "new"
    assert short(desk.step(at=START + timedelta(days=1))) == ["o1 expired"]


def test_alpacas_orders_are_matched_in_hours_and_on_new_bars_only():
    desk = Desk(AlpacaRules(hours=NEW_YORK), start=START + 8 * HOUR)
    desk.send(limit_price=99)
    desk.send(limit_price=99, time_in_force="day", extended_hours=True)
    assert desk.status("o1") == "pending"
    assert short(desk.step()) == ["o2 new", "o2 filled"]
    assert short(desk.step(None, at=START + timedelta(days=1))) == ["o1 new"]
    assert short(desk.step()) == ["o1 filled"]


def test_the_same_seed_gives_the_same_ids_and_another_one_others():
    def ids(seed):
        desk = Desk(seed=seed)
        order = desk.bracket()
        desk.step()
        legs = [leg.venue_order_id for leg in order.legs]
        fills = [fill.execution_id for fill in desk.venue.fills()]
        return [order.venue_order_id, *legs, *fills, desk.venue.account().account_id]

    assert ids(1) == ids(1)
    assert len({*ids(1), *ids(2)}) == 10
