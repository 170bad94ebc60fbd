import backtrader as bt
import numpy as np
import pytest

from strategies import Signals, SignalStrategy, Strategy, Target
from strategies.sma_cross import SmaCross
from tests.strategies.stage import flat, play, walk

NAN = np.nan


class Given(SignalStrategy):
    """Gives the closes as targets."""

    @staticmethod
    def signals(config, bars):
        return bars.close

    @staticmethod
    def features(config, bars):
        return {"twice": 2 * bars.close}


def test_a_target_is_in_stakes_and_a_gap_leaves_the_position():
    class Steps(SignalStrategy):
        @staticmethod
        def signals(config, bars):
            return np.array([1.0, NAN, -2.0, NAN, 0.0, NAN, NAN])

    ran = play(Steps, flat([5.0] * 7), sizer=(bt.sizers.FixedSize, {"stake": 10}))
    assert [(fill[0], fill[2]) for fill in ran.fills()] == [(2, 10), (4, -30), (6, 20)]


def test_a_target_may_be_a_weight():
    class Half(Given):
        unit = "weight"

        @staticmethod
        def signals(config, bars):
            return np.full(len(bars.close), 0.5)

    assert play(Half, flat([70.0] * 4)).strategy.position.size == 714


def test_signals_may_name_prices_for_the_order_and_its_exits():
    class Bracketed(SignalStrategy):
        @staticmethod
        def signals(config, bars):
            rows = len(bars.close)
            target = np.full(rows, NAN)
            target[0] = 1.0
            return Signals(target, limit=np.full(rows, 98.0), stop_loss=np.full(rows, 95.0))

    ran = play(Bracketed, flat([100.0, 100.0, 97.0, 96.0, 94.0, 94.0]))
    assert [(fill[0], fill[2], fill[3]) for fill in ran.fills()] == [(3, 1, 97), (5, -1, 94)]


def test_a_price_that_is_not_a_number_is_no_price():
    class Open(SignalStrategy):
        @staticmethod
        def signals(config, bars):
            return Signals(np.ones_like(bars.close), limit=np.full_like(bars.close, NAN))

    ran = play(Open, flat([100.0] * 3))
    assert ran.orders[0][-1] == bt.Order.Market


def test_signals_of_the_wrong_shape_are_refused():
    class Short(SignalStrategy):
        @staticmethod
        def signals(config, bars):
            return np.ones(2)

    with pytest.raises(ValueError, match=r"Short.signals gave target of shape \(2,\) for bars"):
        play(Short, flat([100.0] * 3))


def test_a_strategy_without_signals_says_so():
    with pytest.raises(NotImplementedError):
        play(SignalStrategy, flat([1.0]))


def test_the_reason_names_the_features_unless_the_strategy_knows_better():
    reasons = []

    class Says(Given):
        def notify_order(self, order):
            reasons.append(order.info.reason)

    play(Says, flat([3.0, 3.0]))
    assert set(reasons) == {"twice 6, close 3, target 3"}


def test_a_strategy_without_features_has_an_empty_context():
    class Bare(SignalStrategy):
        @staticmethod
        def signals(config, bars):
            return bars.close

    assert play(Bare, flat([1.0, 2.0])).strategy.context() == {}


def test_the_context_is_that_of_the_feed_at_the_current_bar():
    contexts = []

    class Looks(Given):
        def next(self):
            super().next()
            contexts.append([self.context(feed) for feed in self.datas])

    frames = {"A": flat([1, 2, 3]), "B": flat([5], start="2020-01-02")}
    ran = play(Looks, frames)
    assert contexts[0] == [{"twice": 2}, {}]
    assert contexts[2] == [{"twice": 6}, {"twice": 10}]
    assert ran.strategy.context() == {"twice": 6}


def test_a_feature_may_be_one_for_all_feeds():
    class Market(Given):
        across = True

        @staticmethod
        def features(config, bars):
            return {"mean": bars.close.mean(axis=1), "own": bars.close}

    frames = {"A": flat([1, 2]), "B": flat([3, 4])}
    strategy = play(Market, frames).strategy
    assert strategy.context(strategy.datas[1]) == {"mean": 3, "own": 4}


def test_signals_are_computed_once_for_preloaded_bars_and_for_each_bar_of_growing_ones():
    calls = []

    class Counts(Given):
        @staticmethod
        def signals(config, bars):
            calls.append(len(bars.close))
            return np.zeros_like(bars.close)

    play(Counts, flat([1.0] * 5))
    assert calls == [5]
    play(Counts, flat([1.0] * 5), options={"preload": False, "runonce": False})
    assert calls == [5, 1, 2, 3, 4, 5]


def test_growing_feeds_whose_columns_are_independent_share_a_call():
    calls = []

    class Counts(Given):
        columnwise = True

        @staticmethod
        def signals(config, bars):
            calls.append(np.shape(bars.close))
            return np.full_like(bars.close, NAN)

    frames = {"A": flat([1.0] * 6), "B": flat([1.0] * 6)[2:5]}
    play(Counts, frames)
    assert calls == [(6,), (3,)]
    play(Counts, frames, options={"preload": False, "runonce": False})
    assert calls[2:] == [(1,), (2,), (3, 2), (4, 2), (5, 2), (6,)]


def test_a_feed_is_acted_upon_before_another_has_begun():
    frames = {"A": flat([1, 1, 1, 1]), "B": flat([1, 1], start="2020-01-03")}
    ran = play(Given, frames)
    assert [fill[:3] for fill in ran.fills()] == [(2, "A", 1), (4, "B", 1)]


def test_a_refused_order_is_not_repeated_at_a_bar_that_another_feed_alone_has():
    class OneUnit(Given):
        @staticmethod
        def signals(config, bars):
            return np.ones_like(bars.close)

    frames = {"A": flat([1.0] * 9), "B": flat([1e9] * 3, freq="4D")}
    ran = play(OneUnit, frames)
    assert [row[0] for row in ran.statuses("Margin")] == [2, 6]


def test_a_strategy_on_indicators_has_them_as_context():
    class Average(Strategy):
        def __init__(self):
            self.mean = bt.ind.SMA(self.data, period=2)

        def decide(self):
            yield Target(self.data, size=1)

    assert play(Average, flat([1.0, 2.0])).strategy.context() == {"SMA(2).sma": 1.5}


@pytest.mark.parametrize("preload", [True, False])
def test_feeds_with_holes_are_judged_by_their_own_bars(preload):
    whole = walk(150, seed=5)
    holes = whole.drop(whole.index[[40, 41, 90]])
    options = {"preload": preload, "runonce": preload}
    together = play(SmaCross, {"A": whole, "B": holes}, options=options, fast=3, slow=8)
    alone = play(SmaCross, {"B": holes}, options=options, fast=3, slow=8)
    of_b = [fill[2:] for fill in together.fills() if fill[1] == "B"]
    assert of_b == [fill[2:] for fill in alone.fills()]
