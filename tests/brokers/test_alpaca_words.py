from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.wire import alpaca_words as words
from tests.brokers.alpaca_py import models as alpaca_py

# As paper-api.alpaca.markets answers: decimals as strings, nine digits of a second.
ORDER = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "a1",
    "created_at": "2021-03-16T18:38:01.942282123Z",
    "updated_at": "2021-03-16T14:38:02.5-04:00",
    "submitted_at": "2021-03-16T18:38:01.937734Z",
    "filled_at": None,
    "expired_at": None,
    "canceled_at": None,
    "failed_at": None,
    "replaced_at": None,
    "replaced_by": None,
    "replaces": None,
    "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415",
    "symbol": "AAPL",
    "asset_class": "us_equity",
    "notional": None,
    "qty": "15",
    "filled_qty": "5.5",
    "filled_avg_price": "105.89",
    "order_class": "bracket",
    "order_type": "limit",
    "type": "limit",
    "side": "buy",
    "time_in_force": "day",
    "limit_price": "106",
    "stop_price": None,
    "status": "partially_filled",
    "extended_hours": False,
    "legs": None,
    "trail_percent": None,
    "trail_price": None,
    "hwm": None,
}


def leg(**terms):
    return ORDER | {"side": "sell", "filled_qty": "0", "filled_avg_price": None} | terms


FAMILY = ORDER | {
    "legs": [
        leg(id="1e69015a-8549-4bfd-b9c3-01e75843f470", limit_price="110", status="new"),
        leg(
            id="2e69015a-8549-4bfd-b9c3-01e75843f470",
            type="stop",
            order_type="stop",
            limit_price=None,
            stop_price="95",
            status="held",
        ),
    ]
}


def test_order_is_read_field_by_field():
    order = words.order(ORDER)
    assert order.venue_order_id == "61e69015-8549-4bfd-b9c3-01e75843f47d"
    assert (order.client_order_id, order.symbol, order.side) == ("a1", "AAPL", "buy")
    assert (order.quantity, order.filled_quantity) == (Decimal(15), Decimal("5.5"))
    assert (order.order_type, order.status) == ("limit", "partially_filled")
    assert (order.filled_average_price, order.limit_price) == (Decimal("105.89"), Decimal(106))
    assert order.stop_price is None
    assert order.updated_at == datetime(2021, 3, 16, 18, 38, 2, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("row", [ORDER, FAMILY, *FAMILY["legs"]])
def test_order_reads_as_alpaca_py_reads_it(row):
    ours, theirs = words.order(row), alpaca_py.Order(**row)
    assert ours.venue_order_id == str(theirs.id)
    assert (ours.symbol, ours.side) == (theirs.symbol, theirs.side.value)
    assert (ours.order_type, ours.status) == (theirs.type.value, theirs.status.value)
    assert ours.updated_at == theirs.updated_at
    for mine, name in (
        (ours.quantity, "qty"),
        (ours.filled_quantity, "filled_qty"),
        (ours.filled_average_price, "filled_avg_price"),
        (ours.limit_price, "limit_price"),
        (ours.stop_price, "stop_price"),
    ):
        other = getattr(theirs, name)
        assert (None if other is None else float(other)) == (None if mine is None else float(mine))
    assert len(ours.legs) == len(theirs.legs or ())


def test_legs_have_the_role_that_their_type_says():
    order = words.order(FAMILY)
    assert [leg.role for leg in order.legs] == ["take_profit", "stop_loss"]
    assert order.role is None


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        *((word, "0", "pending") for word in ("pending_new", "accepted", "pending_review")),
        ("accepted_for_bidding", "0", "pending"),
        ("held", "0", "held"),
        *((word, "0", "new") for word in ("new", "pending_cancel", "pending_replace", "stopped")),
        *((word, "5", "partially_filled") for word in ("pending_cancel", "pending_replace")),
        ("done_for_day", "5", "partially_filled"),
        ("calculated", "0", "new"),
        ("suspended", "0", "new"),
        ("partially_filled", "5", "partially_filled"),
        *((word, "5", word) for word in ("filled", "canceled", "expired", "replaced")),
        ("rejected", "0", "rejected"),
        ("a word of next year", "0", "new"),
    ],
)
def test_every_status_is_one_of_ours(word, filled, status):
    assert words.order(ORDER | {"status": word, "filled_qty": filled}).status == status


def test_no_status_of_alpaca_py_is_taken_for_an_end_that_it_is_not():
    ended = {"filled", "canceled", "expired", "rejected", "replaced"}
    for status in alpaca_py.OrderStatus:
        ours = words.order(ORDER | {"status": status.value}).status
        assert (ours in ended) == (status.value in ended)


def test_market_order_for_the_close_is_a_market_on_close_order():
    row = ORDER | {"type": "market", "limit_price": None}
    assert words.order(row | {"time_in_force": "cls"}).order_type == "market_on_close"
    assert words.order(row).order_type == "market"


def test_order_of_somebody_else_by_amount_has_what_it_has_filled():
    row = ORDER | {"qty": None, "notional": "500", "filled_qty": "0"}
    assert words.order(row).quantity == 0


def test_reason_is_the_venue_s_own_word():
    row = ORDER | {"status": "rejected", "reject_reason": "margin"}
    assert words.order(row).reason == "margin"


def test_fill_update_carries_the_execution():
    data = {
        "event": "partial_fill",
        "execution_id": "e1",
        "order": ORDER,
        "timestamp": "2021-03-16T18:38:02Z",
        "price": "105.89",
        "qty": "5.5",
        "position_qty": "5.5",
    }
    fill = words.update(data).fill
    theirs = alpaca_py.TradeUpdate(**data | {"execution_id": ORDER["id"]})
    assert (fill.execution_id, fill.venue_order_id) == (f"{ORDER['id']}:5.5", ORDER["id"])
    assert (float(fill.quantity), float(fill.price)) == (theirs.qty, theirs.price)
    assert (fill.filled_at, fill.side) == (theirs.timestamp, "buy")


def test_update_of_another_kind_has_no_fill_and_may_say_why():
    update = words.update({"event": "rejected", "order": ORDER, "reason": "halted"})
    assert (update.fill, update.order.reason) == (None, "halted")


def test_activity_is_the_fill_that_the_stream_told():
    row = {
        "id": "20210316183802000::e1",
        "activity_type": "FILL",
        "transaction_time": "2021-03-16T18:38:02.000000001Z",
        "type": "fill",
        "price": "105.89",
        "qty": "5",
        "cum_qty": "5.50",
        "side": "sell_short",
        "symbol": "AAPL",
        "order_id": ORDER["id"],
    }
    fill = words.activity(row)
    assert (fill.execution_id, fill.side) == (f"{ORDER['id']}:5.5", "sell")
    assert fill.quantity == 5
    assert fill.filled_at == datetime(2021, 3, 16, 18, 38, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("quantity", "side", "held"),
    [("10", "long", 10), ("-10", "short", -10), ("10", "short", -10)],
)
def test_position_is_signed_by_its_side(quantity, side, held):
    row = {"symbol": "AAPL", "qty": quantity, "side": side, "avg_entry_price": "100.1"}
    position = words.position(row)
    assert (position.quantity, position.average_price) == (held, Decimal("100.1"))


ACCOUNT = {
    "id": "a",
    "status": "ACTIVE",
    "currency": "USD",
    "cash": "-1.5",
    "equity": "100",
    "buying_power": "200",
}


@pytest.mark.parametrize(
    ("more", "blocked"),
    [
        ({}, ""),
        ({"trading_blocked": True}, "trading_blocked"),
        (
            {"account_blocked": True, "trade_suspended_by_user": True},
            "account_blocked, trade_suspended_by_user",
        ),
        ({"status": "ONBOARDING"}, "status ONBOARDING"),
    ],
)
def test_account_says_why_it_cannot_trade(more, blocked):
    account = words.account(ACCOUNT | more)
    assert (account.cash, account.equity, account.blocked) == (Decimal("-1.5"), 100, blocked)


@pytest.mark.parametrize("digits", range(1, 10))
def test_instants_of_any_precision_are_cut_to_microseconds(digits):
    at = words.instant("2021-03-16T18:38:01." + "123456789"[:digits] + "Z")
    assert at.microsecond == int("123456789"[: min(digits, 6)].ljust(6, "0"))


@pytest.mark.parametrize(
    "row",
    [
        {},
        ORDER | {"qty": "NaN"},
        ORDER | {"qty": "ten"},
        ORDER | {"id": 5},
        ORDER | {"updated_at": "2021-03-16T18:38:01"},
        ORDER | {"updated_at": None},
        ORDER | {"side": None},
        [],
    ],
)
def test_json_of_another_form_is_an_unreadable_one(row):
    with pytest.raises(words.UNREADABLE):
        words.order(row)
