import math

import backtrader as bt

from strategies import indicator_values
from tests.strategies.stage import flat, play


def test_indicators_are_named_by_class_numbers_and_line():
    class Averages(bt.Strategy):
        def __init__(self):
            self.fast = bt.ind.SMA(self.data, period=2)
            self.again = bt.ind.SMA(self.data.high, period=2)
            self.slow = bt.ind.SMA(self.data, period=4)
            self.bands = bt.ind.BollingerBands(self.data, period=2, devfactor=1.5)

        def prenext(self):
            self.early = indicator_values(self) if len(self) == 3 else None

        def next(self):
            self.late = indicator_values(self)

    strategy = play(Averages, flat([1, 2, 3, 5])).strategy
    assert strategy.early["SMA(2).sma"] == 2.5
    assert math.isnan(strategy.early["SMA(4).sma"])
    assert strategy.late["SMA(2).sma"] == strategy.late["SMA(2).sma#2"] == 4
    assert strategy.late["SMA(4).sma"] == 2.75
    assert strategy.late["BollingerBands(2,1.5).top"] == 5.5
    assert len(strategy.late) == 6


def test_a_strategy_without_indicators_shows_none():
    assert indicator_values(play(bt.Strategy, flat([1, 2])).strategy) == {}
