"""alpaca-backtrader-api's sample/strategy_multiple_datas.py (Apache-2.0), ported."""

import backtrader as bt


class SmaCross1(bt.Strategy):
    params = dict(
        pfast=10,  # period for the fast moving average
        pslow=30,  # period for the slow moving average
    )

    def __init__(self):
        sma1 = bt.ind.SMA(self.data0, period=self.p.pfast)
        sma2 = bt.ind.SMA(self.data0, period=self.p.pslow)
        self.crossover0 = bt.ind.CrossOver(sma1, sma2)

        sma1 = bt.ind.SMA(self.data1, period=self.p.pfast)
        sma2 = bt.ind.SMA(self.data1, period=self.p.pslow)
        self.crossover1 = bt.ind.CrossOver(sma1, sma2)

    def next(self):
        # if fast crosses slow to the upside
        if not self.getposition(self.data0).size and self.crossover0 > 0:
            self.buy(data=self.data0, size=5)  # enter long

        if not self.getposition(self.data1).size and self.crossover1 > 0:
            self.buy(data=self.data1, size=5)  # enter long

        # in the market & cross to the downside
        if self.getposition(self.data0).size and self.crossover0 <= 0:
            self.close(data=self.data0)  # close long position
        # in the market & cross to the downside
        if self.getposition(self.data1).size and self.crossover1 <= 0:
            self.close(data=self.data1)  # close long position
