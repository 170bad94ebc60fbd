"""Backtrader's words become the venues' words, digit for digit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import backtrader as bt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.errors import SchemaRefused
from brokers.translate import NO_NOTIONAL, Family, Request, exact, seconds, symbol, to_schema
from tests.brokers.stage import perform

O = bt.Order  # noqa: E741  the examples below are a table


def schema_of(side="buy", **how):
    """The schema of one order asked for on the first flat bar (close 10, 2020-01-01)."""
    script = {0: lambda s: getattr(s, side)(size=how.pop("size", 3), **how)}
    (decision,) = perform(script, guard={}).decisions
    if decision.order is None:
        raise SchemaRefused(decision.refusal.text)
    return decision.order


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, {"order_type": "market"}),
        ({"price": 12.0}, {"order_type": "market", "limit_price": None}),
        ({"exectype": O.Close}, {"order_type": "market_on_close"}),
        ({"exectype": O.Limit, "price": 9.5}, {"order_type": "limit", "limit_price": "9.5"}),
        ({"exectype": O.Limit}, {"limit_price": "10.0"}),
        ({"exectype": O.Limit, "plimit": 8.5}, {"limit_price": "8.5"}),
        ({"exectype": O.Stop, "price": 11.5}, {"order_type": "stop", "stop_price": "11.5"}),
        (
            {"exectype": O.StopLimit, "price": 11.0, "plimit": 11.5},
            {"order_type": "stop_limit", "stop_price": "11.0", "limit_price": "11.5"},
        ),
        ({"exectype": O.StopLimit, "price": 11.0}, {"stop_price": "11.0", "limit_price": "11.0"}),
        (
            {"exectype": O.StopTrail, "trailamount": 0.5},
            {"order_type": "trailing_stop", "trail_amount": "0.5", "stop_price": None},
        ),
        ({"exectype": O.StopTrail, "trailpercent": 0.02, "price": 9.0}, {"stop_price": "9.0"}),
        (
            {"exectype": O.StopTrailLimit, "trailpercent": 0.02, "price": 9.0, "plimit": 8.0},
            {"order_type": "trailing_stop_limit", "trail_frac": "0.02", "limit_price": "8.0"},
        ),
    ],
)
def test_type_and_prices_are_those_that_backtrader_would_use(how, expected):
    order = schema_of(**how)
    for name, value in expected.items():
        found = getattr(order, name)
        assert (None if found is None else str(found)) == value


@pytest.mark.parametrize(
    ("valid", "time_in_force", "expires_at"),
    [
        (None, "gtc", None),
        (0, "gtc", None),
        (timedelta(), "day", None),
        (timedelta(days=2), "gtd", datetime(2020, 1, 3, tzinfo=UTC)),
        (datetime(2020, 1, 5, 12), "gtd", datetime(2020, 1, 5, 12, tzinfo=UTC)),
        (date(2020, 1, 6), "gtd", datetime(2020, 1, 6, tzinfo=UTC)),
        (bt.date2num(datetime(2020, 1, 7)), "gtd", datetime(2020, 1, 7, tzinfo=UTC)),
    ],
)
def test_validity_becomes_time_in_force(valid, time_in_force, expires_at):
    order = schema_of(exectype=O.Limit, price=9.0, valid=valid)
    assert (order.time_in_force, order.expires_at) == (time_in_force, expires_at)


def test_historical_order_cannot_be_sent():
    with pytest.raises(SchemaRefused, match="execution type 7 cannot be sent"):
        schema_of(exectype=O.Historical, price=9.0)


@pytest.mark.parametrize("size", [float("nan"), float("inf")])
def test_size_that_is_no_number_is_refused_by_name(size):
    with pytest.raises(SchemaRefused, match="quantity: Input should be a finite number"):
        schema_of(size=size)


def test_extended_hours_are_asked_for_by_the_strategy():
    assert schema_of(exectype=O.Limit, price=9.5, valid=O.DAY, extended_hours=True).extended_hours
    assert not schema_of().extended_hours
    with pytest.raises(SchemaRefused, match="extended_hours"):
        schema_of(extended_hours="perhaps")


def test_single_leg_makes_an_oto():
    def enter(s):
        s.buy_bracket(size=1, price=10, stopprice=9, limitexec=None)

    (decision,) = perform({0: enter}, guard={}).decisions
    assert decision.order.order_class == "oto"
    assert [leg.role for leg in decision.order.legs] == ["stop_loss"]


def test_feed_without_a_name_still_has_a_symbol():
    assert symbol(bt.feed.DataBase()) == "unnamed"


def test_family_knows_no_partner_and_no_kin_by_itself():
    family = Family("id", (Request("buy", None, None, 1.0, {}),))
    assert (family.oco_partner, family.kin) == (None, set())


def test_schema_needs_an_entry_that_stands_alone():
    data = perform({}).broker.cerebro.datas[0]
    alone = Family("id", (Request("sell", None, data, 2.5, {}),))
    assert to_schema(alone).quantity == Decimal("2.5")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_exact_decimal_gives_the_float_back(number):
    assert float(exact(number)) == number


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))
def test_seconds_are_those_of_the_unix_epoch(instant):
    found = seconds(bt.date2num(instant))
    assert found == pytest.approx(instant.replace(tzinfo=UTC).timestamp(), abs=1e-4)


def test_an_order_in_money_is_refused_with_what_would_do():
    play = perform({0: lambda s: s.buy(notional=500.0)}, guard={})
    assert play.refusals == [NO_NOTIONAL]
    assert play.left == []
