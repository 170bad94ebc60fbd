import backtrader as bt
import pandas as pd
import pytest

from backtest.compiled import reason_not_compilable
from backtest.spec import RunSpec
from strategies import SignalStrategy
from strategies.sma_cross import SmaCross
from tests.backtest.test_compiled_evaluation import bars

FRAMES = {"X": bars(5)}


class OwnNext(SmaCross):
    def next(self):
        super().next()


class OwnInit(SmaCross):
    def __init__(self):
        self.mean = bt.ind.SMA()


class OwnFunction(SignalStrategy):
    def signals(self, config, bars):
        return bars.close


class OwnSteps(SmaCross):
    through_zero = False

    def helper(self):
        """Of no consequence."""


@pytest.mark.parametrize("name", ["buy_and_hold", "rsi_reversion", "donchian_bracket", OwnSteps])
def test_a_strategy_of_signals_alone_is_compilable(name):
    assert reason_not_compilable(RunSpec(name), FRAMES) is None


REASONS = [
    (RunSpec("outlier_fade"), "OutlierFade decides bar by bar"),
    (RunSpec(OwnNext), r"a next\(\) of its own"),
    (RunSpec(OwnInit), r"a __init__\(\) of its own"),
    (RunSpec(OwnFunction), r"signals\(\) that is no static method"),
    (RunSpec("sma_cross", commission=bt.CommissionInfo(commission=1.0)), "scheme of Backtrader's"),
    (RunSpec("sma_cross", risk={"max_order_notional": 1e4}), "risk limits"),
]


@pytest.mark.parametrize(("spec", "words"), REASONS, ids=[words for _, words in REASONS])
def test_what_acts_otherwise_says_why_it_is_not(spec, words):
    with pytest.raises(ValueError, match=words):
        raise ValueError(reason_not_compilable(spec, FRAMES))


@pytest.mark.parametrize(
    "given", [FRAMES["X"], {}, {"X": bt.feeds.PandasData(dataname=FRAMES["X"])}]
)
def test_only_frames_by_symbol_are_compilable(given):
    assert "compiled" in reason_not_compilable(RunSpec("sma_cross"), given)


def test_a_wrong_index_is_left_to_whoever_reads_the_bars():
    frame = pd.DataFrame({"open": [1.0]})
    assert reason_not_compilable(RunSpec("sma_cross"), {"X": frame}) is None
