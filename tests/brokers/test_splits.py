"""A split restates what is held, once, and its worth never jumps."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import backtrader as bt
import pytest

from brokers.facts import Restated, Split
from brokers.holdings import Holdings
from brokers.splits import Splits

EVE = datetime(2025, 6, 3, 20, tzinfo=UTC)
EX = datetime(2025, 6, 4, 13, 30, tzinfo=UTC)
TWO_FOR_ONE = Split("SPY", Decimal(2), Decimal(1), EVE, EX)


class _Feed:
    """A feed whose newest bar is what a test says."""

    def __init__(self, at: datetime, close: float) -> None:
        self.datetime, self.close = [0.0], [0.0]
        self.show(at, close)

    def show(self, at: datetime, close: float) -> None:
        self.datetime[0], self.close[0] = bt.date2num(at.replace(tzinfo=None)), close

    def __len__(self) -> int:
        return 1


def held(quantity: int = 10) -> SimpleNamespace:
    """Ten units bought at 90, worth 100 each on the eve."""
    holdings = Holdings(1000.0, lambda _: bt.CommissionInfo())
    feed = _Feed(EVE, 100.0)
    holdings.take_in(feed, Decimal(quantity), 90.0)
    trade = SimpleNamespace(size=float(quantity), price=90.0)
    splits = Splits(holdings, lambda _: [trade])
    splits.expect(TWO_FOR_ONE)
    return SimpleNamespace(holdings=holdings, feed=feed, trade=trade, splits=splits)


def position(case: Any) -> tuple[float, float]:
    now = case.holdings.positions[case.feed]
    return now.size, now.price


def test_the_first_bar_at_the_new_price_restates_position_and_trade() -> None:
    case = held()
    case.splits.after_bars({"SPY": case.feed})
    assert position(case) == (10.0, 90.0)  # on the eve nothing has changed
    case.feed.show(EX + timedelta(minutes=1), 50.0)
    case.splits.after_bars({"SPY": case.feed})
    case.splits.after_bars({"SPY": case.feed})
    assert position(case) == (20.0, 45.0)
    assert (case.trade.size, case.trade.price) == (20.0, 45.0)
    assert case.holdings.equity() == 2000.0


def test_a_fill_before_the_first_bar_restates_the_last_close_too() -> None:
    case = held()
    case.splits.before_fill("SPY", case.feed, EVE)
    assert position(case) == (10.0, 90.0)
    at = EX + timedelta(seconds=1)
    case.splits.before_fill("SPY", case.feed, at)
    case.holdings.fill(case.feed, Decimal(-5), 50.0, at.replace(tzinfo=None))
    assert position(case) == (15.0, 45.0)
    assert case.holdings.equity() == 2000.0
    case.feed.show(EX + timedelta(minutes=1), 51.0)
    assert case.holdings.equity() == 2015.0


@pytest.mark.parametrize(("told", "size"), [(20, 20.0), (19, 19.0)])
def test_what_the_venue_holds_counts_where_it_paid_a_fraction_out(told: int, size: float) -> None:
    case = held()
    case.splits.settle(Restated("SPY", Decimal(told)), case.feed)
    assert position(case) == (size, 45.0)
    case.splits.settle(Restated("SPY", Decimal(told)), case.feed)
    assert position(case) == (size, 45.0)


def test_other_symbols_are_left_alone() -> None:
    case = held()
    case.feed.show(EX + timedelta(minutes=1), 50.0)
    case.splits.after_bars({"XLK": case.feed})
    case.splits.before_fill("XLK", case.feed, EX + timedelta(minutes=1))
    assert position(case) == (10.0, 90.0)
