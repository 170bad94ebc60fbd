import backtrader as bt
import numpy as np
import pytest

from strategies.donchian_bracket import DonchianBracket
from strategies.panel import Bars
from tests.strategies.stage import flat, play

QUICK = {"channel": 3, "exit_channel": 2, "distance": "frac", "take_profit": 0.1, "stop_loss": 0.05}


def test_a_breakout_is_bought_in_a_bracket_and_its_profit_taken():
    prices = [100, 100, 100, 102, 102, 108, 113, 113]
    ran = play(DonchianBracket, flat(prices), **QUICK)
    # bought at the open after the close of 102; profit at 112.2, reached by a gap to 113
    assert ran.fills() == [(5, "X", 1, 102.0), (7, "X", -1, 113.0)]
    assert ran.statuses("Canceled")[0][3] == pytest.approx(102 * 0.95)


def test_a_trend_that_has_stopped_out_is_not_bought_again_until_it_has_ended():
    prices = [100, 100, 100, 102, 102, 104, 100.5, 110, 111, 112, 90, 90, 90, 90, 95, 95]
    words = {**QUICK, "exit_channel": 6, "take_profit": 0, "stop_loss": 0.01}
    ran = play(DonchianBracket, flat(prices), **words)
    assert [(fill[0], fill[2]) for fill in ran.fills()] == [(5, 1), (7, -1), (16, 1)]


def test_the_end_of_a_trend_sells_what_the_bracket_has_not():
    prices = [100, 100, 100, 102, 102, 102, 99, 99, 99]
    ran = play(DonchianBracket, flat(prices), **QUICK)
    assert ran.fills()[-1] == (8, "X", -1, 99.0)
    assert len(ran.statuses("Canceled")) == 2


def test_a_limit_entry_waits_at_the_channel():
    prices = [100, 100, 100, 102, 103, 101, 99.5, 99.5, 99.5]
    ran = play(DonchianBracket, flat(prices), **{**QUICK, "entry": "limit", "exit_channel": 5})
    assert ran.statuses("Submitted")[0][3] == 100
    assert ran.fills()[0] == (7, "X", 1, 99.5)


def test_a_limit_entry_goes_when_its_trend_does():
    prices = [100, 100, 100, 104, 103, 102, 101, 101]
    ran = play(DonchianBracket, flat(prices), **{**QUICK, "entry": "limit"})
    assert ran.fills() == []
    assert len(ran.statuses("Canceled")) == 3


def test_distances_may_be_multiples_of_the_true_range():
    close = np.array([100.0, 100.0, 100.0, 100.0, 103.0])
    bars = Bars(close, close + 1.0, close - 1.0, close, close)
    config = DonchianBracket.Config(channel=3, exit_channel=2, atr_period=3)
    signals = DonchianBracket.signals(config, bars)
    # ranges of 2, 2, 2, then 4: Wilder's mean of 3 is 2 * 2/3 + 4/3
    true_range = 2.0 * 2 / 3 + 4.0 / 3
    assert signals.take_profit[-1] == pytest.approx(103 + 4 * true_range)
    assert signals.stop_loss[-1] == pytest.approx(103 - 2 * true_range)
    assert signals.limit is None


def test_no_distance_means_no_exit():
    prices = [100, 100, 100, 102, 102]
    ran = play(DonchianBracket, flat(prices), **{**QUICK, "take_profit": 0, "stop_loss": 0})
    assert [row[-1] for row in ran.orders if row[2] == "Submitted"] == [bt.Order.Market]


def test_the_reason_names_the_channel():
    reasons = []

    class Says(DonchianBracket):
        def notify_order(self, order):
            if order.status == order.Submitted and order.exectype == order.Market:
                reasons.append(order.info.reason)

    play(Says, flat([100, 100, 100, 102, 102, 102, 99, 99, 99]), **QUICK)
    assert reasons == [
        "close 102.00 above the 3-bar channel at 100.00",
        "close 99.00 below the 2-bar channel at 102.00",
    ]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"channel": 0}, r"channel \(0\) must be at least 1 bar"),
        ({"entry": "stop"}, r"entry \(stop\) must be market or limit"),
        ({"distance": "points"}, r"distance \(points\) must be atr or frac"),
        ({"stop_loss": -1}, "must not be negative"),
        ({"distance": "frac", "stop_loss": 1.5}, r"stop_loss \(1.5\) must be below 1"),
    ],
)
def test_contradictory_parameters_are_refused(words, problem):
    with pytest.raises(ValueError, match=problem):
        DonchianBracket.Config(**words)
