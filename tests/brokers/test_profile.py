"""A venue's ticks, lots and held quantity."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from brokers.errors import SchemaRefused
from brokers.orders import Leg, OrderSchema
from brokers.profile import ALPACA, BACKTRADER, Profile
from brokers.situation import Resting, Surroundings
from tests.brokers.test_risk import Account, order


@dataclass
class Whole(Account):
    """An account that also tells what else is at work."""

    at_work: tuple[Resting, ...] = ()

    @property
    def surroundings(self):
        return Surroundings(self.equity, self.equity, {}, {}, self.at_work)

    @property
    def promised(self):
        return self.surroundings.promised(self.order.symbol, self.order.side)


def resting(quantity, family="f", side="sell", symbol="AAPL"):
    return Resting("o", family, symbol, side, "limit", Decimal(quantity), Decimal(100))


@pytest.mark.parametrize(
    ("price", "fits"),
    [("290.12", True), ("290.123", False), ("1.01", True), ("0.9999", True), ("0.99999", False)],
)
def test_price_must_be_a_multiple_of_the_tick_at_its_level(price, fits):
    asked = order(limit_price=price)
    BACKTRADER.check(Account(order=asked))
    if fits:
        ALPACA.check(Account(order=asked))
    else:
        with pytest.raises(SchemaRefused, match=f"limit_price {price} is not a multiple"):
            ALPACA.check(Account(order=asked))


def test_legs_are_held_to_the_tick_too():
    stop = Leg(
        client_order_id="a-sl", role="stop_loss", side="sell", quantity=10, order_type="stop",
        stop_price="95.005",
    )  # fmt: skip
    family = OrderSchema(
        client_order_id="a", symbol="AAPL", side="buy", quantity=10, order_type="market",
        order_class="oto", legs=(stop,),
    )  # fmt: skip
    with pytest.raises(SchemaRefused, match=r"stop_price 95\.005"):
        ALPACA.check(Account(order=family))


def test_quantity_must_be_a_multiple_of_the_lot():
    whole = Profile("whole", lot=Decimal(1))
    whole.check(Account(order=order(quantity=3)))
    with pytest.raises(SchemaRefused, match=r"quantity 2\.5 is not a multiple of whole's lot 1"):
        whole.check(Account(order=order(quantity="2.5")))


@pytest.mark.parametrize(
    ("side", "account", "available"),
    [
        ("sell", Whole(position=10), None),
        ("sell", Whole(position=9), "9"),
        ("sell", Whole(position=10, at_work=(resting(4),)), "6"),
        ("sell", Whole(position=10, at_work=(resting(4), resting(3, "g"))), "3"),
        ("sell", Whole(position=10, at_work=(resting(12),)), "0"),
        ("sell", Whole(position=14, at_work=(resting(4), resting(3))), None),
        ("sell", Whole(position=10, at_work=(resting(4, side="buy"),)), None),
        ("sell", Whole(position=10, at_work=(resting(4, symbol="MSFT"),)), None),
        ("buy", Whole(position=-9), "9"),
        ("buy", Account(position=9), None),
        ("sell", Account(position=0), None),
    ],
)
def test_order_against_a_position_cannot_exceed_what_is_available(side, account, available):
    if available is None:
        ALPACA.check(account.at(order(side)))
    else:
        with pytest.raises(SchemaRefused, match=f"more than the {available} available"):
            ALPACA.check(account.at(order(side)))


def test_price_without_a_tick_table_has_no_tick():
    assert BACKTRADER.tick(Decimal(5)) is None


def test_order_that_the_venue_has_no_words_for_is_refused_in_a_backtest_too():
    linked = order(limit_price=11).model_copy(
        update={"order_class": "oco", "oco_client_order_id": "b"}
    )
    BACKTRADER.check(Account(order=linked))
    with pytest.raises(SchemaRefused, match="oco: b was placed earlier, or has a partner"):
        ALPACA.check(Account(order=linked))


def test_parts_of_a_share_are_held_to_alpacas_forms():
    part = order(quantity="2.5")
    BACKTRADER.check(Account(order=part))
    with pytest.raises(SchemaRefused, match=r"parts of a share \(2.5\)"):
        ALPACA.check(Account(order=part))


def test_what_a_venue_would_refuse_can_be_foreseen():
    def foresee(situation):
        raise SchemaRefused(f"no {situation.order.symbol} today")

    with pytest.raises(SchemaRefused, match="no AAPL today"):
        Profile("seer", foresees=foresee).check(Account(order=order()))
