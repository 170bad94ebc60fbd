import ast
import inspect
import math

import backtrader as bt
import pytest

from brokers import fills
from brokers.fills import Bar, Commission, Position, Slippage

BUY, SELL = 1, -1
NO_FILL = math.nan
FREE = Commission()
EXACT = Slippage()
FLAT = Position(0.0, 0.0)


def same(got, expected):
    """Equal to the bit, where NaN equals NaN."""
    return got == expected or (math.isnan(got) and math.isnan(expected))


# -- Rules by hand, numbered as in performance.md, "Backtrader's fills, as tested on stock"


@pytest.mark.parametrize(
    ("side", "at_open", "price"),
    [(BUY, False, 100.0), (SELL, False, 100.0), (BUY, True, 101.0), (SELL, True, 99.0)],
)
def test_rule_1_a_market_order_fills_at_the_open(side, at_open, price):
    slippage = Slippage(fixed=1.0, at_open=at_open)
    assert fills.fill_market(side, Bar(100.0, 105.0, 95.0, 102.0), 100.0, slippage) == price


def test_rule_2_a_gap_takes_the_cash_that_submission_found():
    left, _ = fills.reserve(1000.0, FLAT, 10.0, 100.0, FREE)
    assert left == 0.0
    gapped = fills.execute(1000.0, FLAT, 10.0, 100.25, FREE)
    assert gapped == (0.0, 0.0, 0.0, 0.0, 1000.0, FLAT, True)


def test_rule_2_cash_is_reserved_in_the_order_of_submission():
    held = Position(10.0, 90.0)
    cash, after = fills.reserve(0.0, held, -10.0, 100.0, FREE)
    assert (cash, after.size) == (1000.0, 0.0)
    assert fills.reserve(cash, after, 10.0, 100.0, FREE)[0] == 0.0
    assert fills.reserve(0.0, held, 10.0, 100.0, FREE)[0] == -1000.0


def test_rule_2_both_checks_count_the_commission_and_leave_exactly_nothing():
    fee = Commission(0.01)
    assert fills.reserve(1010.0, FLAT, 10.0, 100.0, fee)[0] == 0.0
    bought = fills.execute(1010.0, FLAT, 10.0, 100.0, fee)
    assert bought[:5] == (10.0, 1000.0, 10.0, 0.0, 0.0)
    assert not bought.is_margin
    assert fills.execute(1009.5, FLAT, 10.0, 100.0, fee).is_margin


def test_rule_2_a_flip_pays_commission_for_what_it_closes_and_for_what_it_opens():
    held, fee = Position(10.0, 90.0), Commission(1.0, is_fixed=True)
    assert fills.reserve(0.0, held, -30.0, 100.0, fee)[0] == 1000.0 - 10.0 + 2000.0 - 20.0
    flip = fills.execute(0.0, held, -30.0, 100.0, fee)
    assert flip[:4] == (-30.0, 900.0 - 2000.0, 30.0, 100.0)
    assert flip.cash == 900.0 + 100.0 - 10.0 + 2000.0 - 20.0
    assert flip.position == (-20.0, 100.0, -20.0, -10.0)


def test_rule_3_a_short_needs_no_cash_and_brings_some():
    short = fills.execute(0.0, FLAT, -10.0, 100.0, FREE)
    assert (short.size, short.cash, short.position.size) == (-10.0, 1000.0, -10.0)
    assert not short.is_margin


def test_rule_3_a_short_is_closed_even_for_cash_that_is_not_there():
    cover = fills.execute(1000.0, Position(-10.0, 100.0), 10.0, 150.0, FREE)
    assert (cover.size, cover.pnl, cover.cash) == (10.0, -500.0, -500.0)
    assert not cover.is_margin


def test_rule_4_a_reversal_without_the_cash_closes_and_ends_in_margin():
    reversal = fills.execute(2000.0, Position(-10.0, 105.0), 30.0, 100.0, FREE)
    assert reversal.size == 10.0
    assert reversal.pnl == 50.0
    assert reversal.cash == 2000.0 - 1050.0 + 50.0
    assert reversal.position[:2] == (0.0, 0.0)
    assert reversal.is_margin


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (BUY, 101.0, 100.0),  # the open is better
        (BUY, 100.0, 100.0),
        (BUY, 97.0, 97.0),
        (BUY, 95.0, 95.0),  # the low touches it
        (BUY, 94.99, NO_FILL),
        (SELL, 99.0, 100.0),
        (SELL, 100.0, 100.0),
        (SELL, 103.0, 103.0),
        (SELL, 105.0, 105.0),
        (SELL, 105.01, NO_FILL),
    ],
)
def test_rule_5_a_limit_order_fills_at_a_better_open_or_at_its_limit(side, limit, price):
    bar = Bar(100.0, 105.0, 95.0, 102.0)
    assert same(fills.fill_limit(side, bar, limit, EXACT), price)


@pytest.mark.parametrize(
    ("side", "stop", "price"),
    [
        (BUY, 99.0, 100.0),  # the open gapped over it
        (BUY, 100.0, 100.0),
        (BUY, 103.0, 103.0),
        (BUY, 105.0, 105.0),
        (BUY, 105.01, NO_FILL),
        (SELL, 101.0, 100.0),
        (SELL, 100.0, 100.0),
        (SELL, 97.0, 97.0),
        (SELL, 95.0, 95.0),
        (SELL, 94.99, NO_FILL),
    ],
)
def test_rule_5_a_stop_fills_at_the_open_after_a_gap_or_at_its_price(side, stop, price):
    bar = Bar(100.0, 105.0, 95.0, 102.0)
    assert same(fills.fill_stop(side, bar, stop, EXACT), price)


@pytest.mark.parametrize(
    ("side", "bar", "stop", "limit", "price", "is_triggered"),
    [
        # The open gaps over the stop: a limit order from here on, this bar included.
        (BUY, Bar(100.0, 105.0, 95.0, 102.0), 99.0, 101.0, 100.0, True),
        (BUY, Bar(100.0, 105.0, 95.0, 102.0), 99.0, 97.0, 97.0, True),
        (BUY, Bar(100.0, 105.0, 95.0, 102.0), 99.0, 94.0, NO_FILL, True),
        (SELL, Bar(100.0, 105.0, 95.0, 98.0), 101.0, 99.0, 100.0, True),
        (SELL, Bar(100.0, 105.0, 95.0, 98.0), 101.0, 106.0, NO_FILL, True),
        # Triggered inside, the limit not before the stop: filled at the stop.
        (BUY, Bar(100.0, 105.0, 95.0, 102.0), 103.0, 104.0, 103.0, True),
        (BUY, Bar(100.0, 105.0, 95.0, 98.0), 103.0, 103.0, 103.0, True),
        (SELL, Bar(100.0, 105.0, 95.0, 98.0), 97.0, 96.0, 97.0, True),
        (SELL, Bar(100.0, 105.0, 95.0, 102.0), 97.0, 97.0, 97.0, True),
        # Triggered inside, the limit before the stop: only if the bar came back to it.
        (BUY, Bar(100.0, 105.0, 95.0, 98.0), 103.0, 99.0, 99.0, True),
        (BUY, Bar(100.0, 105.0, 95.0, 98.0), 103.0, 97.0, NO_FILL, True),
        (BUY, Bar(100.0, 105.0, 95.0, 102.0), 103.0, 102.5, NO_FILL, True),
        (BUY, Bar(100.0, 105.0, 95.0, 100.0), 103.0, 101.0, NO_FILL, True),
        (SELL, Bar(100.0, 105.0, 95.0, 102.0), 97.0, 101.0, 101.0, True),
        (SELL, Bar(100.0, 105.0, 95.0, 102.0), 97.0, 103.0, NO_FILL, True),
        (SELL, Bar(100.0, 105.0, 95.0, 98.0), 97.0, 97.5, NO_FILL, True),
        (SELL, Bar(100.0, 105.0, 95.0, 100.0), 97.0, 99.0, 99.0, True),
        # Not reached.
        (BUY, Bar(100.0, 105.0, 95.0, 102.0), 106.0, 107.0, NO_FILL, False),
        (SELL, Bar(100.0, 105.0, 95.0, 102.0), 94.0, 93.0, NO_FILL, False),
    ],
)
def test_rule_6_a_stop_limit_fills_in_its_trigger_bar_only_where_that_is_sure(
    side, bar, stop, limit, price, is_triggered
):
    got, flag = fills.fill_stop_limit(side, bar, stop, limit, EXACT)
    assert same(got, price)
    assert flag is is_triggered


def test_rule_9_cheating_on_close_fills_the_close_of_the_creation_even_outside_the_bar():
    assert fills.fill_market(BUY, Bar(100.0, 105.0, 95.0, 102.0), 90.0, EXACT) == 90.0


def test_rule_10_a_slipped_sell_limit_stops_at_its_limit_and_a_buy_at_the_high_as_well():
    slippage = Slippage(fixed=3.0, at_open=True)
    assert fills.fill_limit(SELL, Bar(100.0, 105.0, 99.5, 102.0), 98.0, slippage) == 98.0
    assert fills.fill_limit(SELL, Bar(100.0, 105.0, 95.0, 102.0), 98.0, slippage) == 98.0
    assert fills.fill_limit(BUY, Bar(100.0, 101.0, 95.0, 98.0), 102.0, slippage) == 101.0
    assert fills.fill_limit(BUY, Bar(100.0, 105.0, 95.0, 98.0), 102.0, slippage) == 102.0


def test_rule_14_the_executed_price_can_be_one_ulp_off_the_fill():
    assert fills.average_price(0.0, 0.0, 10.0, 25.61) == 25.610000000000003
    assert fills.average_price(0.0, 0.0, -10.0, 100.1) == 100.1


def test_rule_14_cash_takes_the_value_and_the_profit_then_the_commission():
    sale = fills.execute(0.1, Position(3.0, 0.1), -3.0, 0.3, Commission(0.001))
    assert sale.cash == (0.1 + (3.0 * 0.1 + 3.0 * (0.3 - 0.1))) - 3.0 * 0.001 * 0.3
    assert sale.cash != 0.1 + 3.0 * 0.3 - 3.0 * 0.001 * 0.3


# -- What the rules are made of


@pytest.mark.parametrize(
    ("side", "slippage", "is_limit", "price"),
    [
        (BUY, EXACT, False, 100.0),
        (BUY, Slippage(frac=0.01), False, 101.0),
        (SELL, Slippage(frac=0.01), False, 99.0),
        (BUY, Slippage(fixed=1.5), False, 101.5),
        (SELL, Slippage(fixed=1.5), False, 98.5),
        (BUY, Slippage(frac=0.01, fixed=1.5), False, 101.0),
        (BUY, Slippage(fixed=2.0), False, 102.0),
        (BUY, Slippage(fixed=3.0), False, 102.0),
        (SELL, Slippage(fixed=3.0), False, 98.0),
        (BUY, Slippage(fixed=3.0, match=False), False, NO_FILL),
        (SELL, Slippage(fixed=3.0, match=False), False, NO_FILL),
        (BUY, Slippage(fixed=3.0, match=False), True, 102.0),
        (BUY, Slippage(fixed=3.0, match=False, match_limit=False), True, NO_FILL),
        (BUY, Slippage(fixed=3.0, beyond=True), False, 103.0),
        (SELL, Slippage(fixed=3.0, beyond=True), False, 97.0),
        (SELL, Slippage(fixed=3.0, match=False, beyond=True), False, NO_FILL),
    ],
)
def test_slippage_makes_100_worse_up_to_two_away(side, slippage, is_limit, price):
    edge = 100.0 + 2.0 * side
    assert same(fills.slip(side, 100.0, edge, slippage, is_limit), price)


BAR = Bar(100.0, 105.0, 95.0, 98.0)


@pytest.mark.parametrize(
    ("slippage", "market", "limit_102", "stop_99", "stop_103", "stop_limit_103"),
    [
        (Slippage(fixed=3.0), 100.0, 100.0, 100.0, 105.0, 105.0),
        (Slippage(fixed=3.0, at_open=True), 103.0, 102.0, 103.0, 105.0, 105.0),
        (Slippage(fixed=6.0, at_open=True, match=False), NO_FILL, 102.0, NO_FILL, NO_FILL, 105.0),
    ],
)
def test_each_order_type_slips_in_its_own_way(
    slippage, market, limit_102, stop_99, stop_103, stop_limit_103
):
    assert same(fills.fill_market(BUY, BAR, 100.0, slippage), market)
    assert same(fills.fill_limit(BUY, BAR, 102.0, slippage), limit_102)
    assert same(fills.fill_stop(BUY, BAR, 99.0, slippage), stop_99)
    assert same(fills.fill_stop(BUY, BAR, 103.0, slippage), stop_103)
    assert fills.fill_stop_limit(BUY, BAR, 103.0, 104.0, slippage) == (stop_limit_103, True)


@pytest.mark.parametrize(
    ("side", "stop", "price", "amount", "frac", "followed"),
    [
        (SELL, -math.inf, 100.0, 5.0, 0.0, 95.0),
        (SELL, 95.0, 104.0, 5.0, 0.0, 99.0),
        (SELL, 99.0, 101.0, 5.0, 0.0, 99.0),
        (SELL, 95.0, 110.0, 0.0, 0.1, 99.0),
        (SELL, 95.0, 110.0, 5.0, 0.1, 105.0),
        (BUY, math.inf, 100.0, 5.0, 0.0, 105.0),
        (BUY, 105.0, 96.0, 5.0, 0.0, 101.0),
        (BUY, 101.0, 99.0, 5.0, 0.0, 101.0),
        (BUY, 105.0, 80.0, 0.0, 0.25, 100.0),
        (BUY, 105.0, 96.0, 0.0, 0.0, 96.0),
    ],
)
def test_a_trailing_stop_follows_and_never_goes_back(side, stop, price, amount, frac, followed):
    assert fills.trail_stop(side, stop, price, amount, frac) == followed


@pytest.mark.parametrize(
    ("at", "noted", "price", "is_previous"),
    [
        (10.2, NO_FILL, NO_FILL, False),  # the bar of its creation
        (10.5, NO_FILL, NO_FILL, False),  # the session lasts
        (10.9, 41.0, 42.0, False),  # a bar that ends with the session
        (11.2, 41.0, 41.0, True),  # past the end: the last bar was the one
        (11.2, NO_FILL, 42.0, False),  # past the end, and none was tried before
        (11.2, 0.0, 42.0, False),  # stock takes a close of zero for none
    ],
)
def test_a_market_on_close_order_fills_at_the_last_close_of_its_session(
    at, noted, price, is_previous
):
    got = fills.fill_close(42.0, noted, at, created_at=10.2, session_end=10.9)
    assert same(got[0], price)
    assert got[1] is is_previous


def test_a_market_on_close_order_made_on_the_last_bar_does_not_fill_there():
    price, _ = fills.fill_close(42.0, math.nan, 10.9, created_at=10.9, session_end=10.9)
    assert math.isnan(price)


@pytest.mark.parametrize(
    ("order_type", "valid_until", "is_expired"),
    [
        (fills.LIMIT, 4.0, True),
        (fills.LIMIT, 5.0, False),
        (fills.LIMIT, math.nan, False),
        (fills.MARKET_ON_CLOSE, 4.0, True),
        (fills.MARKET, 4.0, False),
    ],
)
def test_an_order_lapses_on_the_first_bar_past_its_date_unless_it_is_a_market_order(
    order_type, valid_until, is_expired
):
    assert fills.is_expired(order_type, valid_until, 5.0) is is_expired


@pytest.mark.parametrize(
    ("commission", "size", "cost"),
    [(FREE, 10.0, 0.0), (Commission(0.001), -10.0, 0.5), (Commission(1.5, True), -10.0, 15.0)],
)
def test_commission_is_a_share_of_the_value_or_cash_a_unit(commission, size, cost):
    assert fills.commission_of(size, 50.0, commission) == cost


@pytest.mark.parametrize(
    ("held", "size", "after"),
    [
        ((0.0, 0.0), 10.0, (10.0, 50.0, 10.0, 0.0)),
        ((10.0, 40.0), 10.0, (20.0, 45.0, 10.0, 0.0)),
        ((10.0, 40.0), -4.0, (6.0, 40.0, 0.0, -4.0)),
        ((10.0, 40.0), -10.0, (0.0, 0.0, 0.0, -10.0)),
        ((10.0, 40.0), -15.0, (-5.0, 50.0, -5.0, -10.0)),
        ((-10.0, 40.0), -10.0, (-20.0, 45.0, -10.0, 0.0)),
        ((-10.0, 40.0), 4.0, (-6.0, 40.0, 0.0, 4.0)),
        ((-10.0, 40.0), 15.0, (5.0, 50.0, 5.0, 10.0)),
    ],
)
def test_a_position_averages_growth_keeps_its_price_when_reduced_and_turns(held, size, after):
    assert fills.update_position(Position(*held), size, 50.0) == after


def test_orders_are_tried_by_the_rules_of_their_type():
    bar = Bar(100.0, 105.0, 95.0, 102.0)

    def tried(order_type, is_triggered=False):
        return fills.fill_order(order_type, BUY, bar, 103.0, 97.0, is_triggered, EXACT)

    assert tried(fills.MARKET) == (100.0, False)
    assert tried(fills.LIMIT) == (97.0, False)
    assert tried(fills.STOP) == (103.0, False)
    assert tried(fills.TRAILING_STOP) == (103.0, False)
    assert same(tried(fills.STOP_LIMIT)[0], NO_FILL)
    assert tried(fills.STOP_LIMIT)[1]
    assert tried(fills.STOP_LIMIT, is_triggered=True) == (97.0, True)
    assert tried(fills.TRAILING_STOP_LIMIT, is_triggered=True) == (97.0, True)


def test_order_types_are_numbered_as_backtrader_numbers_them():
    order = bt.Order
    assert (order.Market, order.Close) == (fills.MARKET, fills.MARKET_ON_CLOSE)
    assert (order.Limit, order.Stop, order.StopLimit) == (fills.LIMIT, fills.STOP, fills.STOP_LIMIT)
    assert order.StopTrail == fills.TRAILING_STOP
    assert order.StopTrailLimit == fills.TRAILING_STOP_LIMIT


def test_nothing_is_used_that_numba_could_not_compile():
    tree = ast.parse(inspect.getsource(fills))
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            assert not isinstance(
                node,
                ast.Dict
                | ast.Try
                | ast.Raise
                | ast.With
                | ast.JoinedStr
                | ast.Lambda
                | ast.Starred
                | ast.ListComp
                | ast.GeneratorExp
                | ast.Yield
                | ast.Global
                | ast.Assert
                | ast.Set,
            ), f"{function.name}, line {node.lineno}"
