"""The numbers that Backtrader's own tests publish, reached by `run` with strategies written anew.

backtrader_expectations.json says where each number comes from.
"""

import json
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd
import pytest

from backtest import RunResult, run
from feeds import history

PUBLISHED = json.loads(Path(__file__).with_name("backtrader_expectations.json").read_text())
A_DAY = pd.Timedelta(days=1)


class PriceOverSma(bt.Strategy):
    """In the market while the price is above its mean; after `limit` trades, never again."""

    params = {"period": 15, "limit": None}

    def __init__(self):
        self.cross = bt.ind.CrossOver(self.data.close, bt.ind.SMA(period=self.p.period))
        self.working = None
        self.closed = 0

    def notify_order(self, order):
        if not order.alive():
            self.working = None

    def notify_trade(self, trade):
        self.closed += trade.isclosed

    def next(self):
        if self.working:
            return
        if self.position:
            if self.cross[0] < 0:
                self.working = self.close()
        elif self.cross[0] > 0 and self.closed != self.p.limit:
            self.working = self.buy()


class BoughtOnce(PriceOverSma):
    """Buys at the first cross and holds."""

    def notify_order(self, order):
        """Stay out of the market's way for good."""


class Values(bt.Analyzer):
    """A moving average at each bar on which the strategy is called."""

    def start(self):
        self.seen = {}

    def next(self):
        if len(self.data) >= self.strategy.mean.p.period:
            self.seen[len(self.data)] = self.strategy.mean[0]

    def get_analysis(self):
        return self.seen


class OnlyAMean(bt.Strategy):
    params = {"period": 30}

    def __init__(self):
        self.mean = bt.ind.SMA(period=self.p.period)


@pytest.fixture
def bars(market) -> dict[str, pd.DataFrame]:
    return history("files", (), path=market / "2006-day-001.txt")


def futures(setting: dict[str, Any]) -> bt.CommInfoBase:
    return bt.CommissionInfo(**{name: setting[name] for name in ("commission", "mult", "margin")})


def cents(values: pd.Series) -> list[float]:
    return [round(value, 2) for value in values]


def closes_at(result: RunResult, side: str) -> list[float]:
    [bars] = result.bars.values()
    orders = result.orders[result.orders["side"] == side]
    return cents(bars["close"].loc[orders["created_at"] - A_DAY])


def fills_of(result: RunResult, side: str) -> list[float]:
    fills = result.orders[result.orders["side"] == side]
    return cents(fills["filled_price"].dropna())


@pytest.mark.parametrize("likeness", ["stock_like", "futures_like"])
def test_price_over_sma_trades_where_published(bars, likeness):
    published = PUBLISHED["price_over_sma"]
    expected = published[likeness]
    commission = futures(expected) if "margin" in expected else 0.0
    result = run(PriceOverSma, bars, cash=10_000, commission=commission)
    assert round(result.final_value, 2) == expected["value"]
    assert round(result.final_cash, 2) == expected["cash"]
    assert closes_at(result, "buy") == published["close_at_buy"]
    assert closes_at(result, "sell") == published["close_at_sell"]
    assert fills_of(result, "buy") == published["bought_at"]
    assert fills_of(result, "sell") == published["sold_at"]


def test_forty_periods_end_with_the_published_values(bars):
    published = PUBLISHED["price_over_sma_by_period"]
    periods = range(5, 45)
    commission = futures(published["setting"])
    results = [
        run(BoughtOnce, bars, params={"period": period}, cash=10_000, commission=commission)
        for period in periods
    ]
    assert [round(result.final_value, 2) for result in results] == published["value"]
    assert [round(result.final_cash, 2) for result in results] == published["cash"]


@pytest.mark.parametrize(
    ("case", "limit"), [("unlimited", None), ("none_allowed", 0), ("one_allowed", 1)]
)
def test_system_quality_number_is_the_published_one(bars, case, limit):
    published = PUBLISHED["sqn"]
    result = run(
        PriceOverSma,
        bars,
        params={"limit": limit},
        cash=10_000,
        commission=futures(published["setting"]),
        analyzers=[bt.analyzers.SQN],
    )
    found = result.analyses["sqn"]
    assert str(found["sqn"]).startswith(published[case]["sqn_begins"])
    assert found["trades"] == published[case]["trades"]


def test_yearly_return_is_the_published_one(bars):
    published = PUBLISHED["yearly_return"]
    result = run(
        PriceOverSma,
        bars,
        cash=10_000,
        commission=futures(published["setting"]),
        analyzers=[(bt.analyzers.TimeReturn, {"timeframe": bt.TimeFrame.Years})],
    )
    assert [str(value) for value in result.analyses["timereturn"].values()] == [published["text"]]


def test_moving_average_passes_through_the_published_points(bars):
    published = PUBLISHED["sma_30"]
    seen = run(OnlyAMean, bars, analyzers=[Values]).analyses["values"]
    assert min(seen) == published["setting"]["first_bar"]
    points = {ago: round(seen[max(seen) - int(ago)], 6) for ago in published["bars_ago"]}
    assert points == published["bars_ago"]
