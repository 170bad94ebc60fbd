import backtrader as bt
import pandas as pd
import pytest

from strategies.sma_cross import SmaCross
from tests.strategies.stage import flat, play, walk


class Plain(bt.Strategy):
    """The script that everybody begins with."""

    params = (("fast", 10), ("slow", 30))

    def __init__(self):
        fast = bt.ind.SMA(period=self.p.fast)
        slow = bt.ind.SMA(period=self.p.slow)
        self.cross = bt.ind.CrossOver(fast, slow)

    def next(self):
        if not self.position:
            if self.cross > 0:
                self.buy()
        elif self.cross < 0:
            self.close()


@pytest.mark.parametrize("name", ["nvda-1999-2014.txt", "orcl-1995-2014.txt"])
def test_real_prices_give_every_order_and_the_value_of_the_plain_script(market, name):
    frame = pd.read_csv(market / name, index_col=0, parse_dates=True)
    terms = {"commission": 0.001, "sizer": (bt.sizers.FixedSize, {"stake": 100})}
    plain, ours = (play(cls, frame, **terms) for cls in (Plain, SmaCross))
    assert len(plain.fills()) > 100
    assert ours.orders == plain.orders
    assert ours.value == plain.value


@pytest.mark.parametrize("seed", [2, 5, 8])
def test_short_of_cash_it_is_refused_as_the_plain_script_is(seed):
    frame = walk(300, seed)
    terms = {"cash": frame["close"].quantile(0.3), "fast": 2, "slow": 5}
    plain, ours = (play(cls, frame, **terms) for cls in (Plain, SmaCross))
    assert plain.statuses("Margin")
    assert ours.orders == plain.orders


def test_the_reason_carries_the_numbers():
    reasons = []

    class Says(SmaCross):
        def notify_order(self, order):
            if order.status == order.Submitted:
                reasons.append(order.info.reason)

    # means of 2 and 3 bars from the third bar on: 9 < 9.33, 10 = 10, 12 > 10.67, 11.5 < 11.67
    play(Says, flat([10, 10, 8, 12, 12, 11, 11]), fast=2, slow=3)
    assert reasons == [
        "fast 2-bar mean 12.00 crossed above slow 3-bar mean 10.67",
        "fast 2-bar mean 11.50 crossed below slow 3-bar mean 11.67",
    ]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"fast": 0}, r"fast \(0\) must be at least 1 bar"),
        ({"fast": 30, "slow": 30}, r"fast \(30\) must be below slow \(30\)"),
    ],
)
def test_contradictory_parameters_are_refused(words, problem):
    with pytest.raises(ValueError, match=problem):
        SmaCross.Config(**words)
