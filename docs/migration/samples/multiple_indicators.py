"""alpaca-backtrader-api's sample/strategy_multiple_indicators.py (Apache-2.0), ported."""

import backtrader as bt


class SmaCross1(bt.Strategy):
    params = dict(
        pfast=10,  # period for the fast moving average
        pslow=30,  # period for the slow moving average
        rsi_per=14,
        rsi_upper=65.0,
        rsi_lower=35.0,
        rsi_out=50.0,
        warmup=35,
    )

    def __init__(self):
        sma1 = bt.ind.SMA(self.data0, period=self.p.pfast)
        sma2 = bt.ind.SMA(self.data0, period=self.p.pslow)
        self.crossover = bt.ind.CrossOver(sma1, sma2)

        rsi = bt.indicators.RSI(
            period=self.p.rsi_per, upperband=self.p.rsi_upper, lowerband=self.p.rsi_lower
        )

        self.crossdown = bt.ind.CrossDown(rsi, self.p.rsi_upper)
        self.crossup = bt.ind.CrossUp(rsi, self.p.rsi_lower)

    def next(self):
        # if fast crosses slow to the upside
        if not self.getposition(self.data0).size:
            if self.crossover > 0 or self.crossup > 0:
                self.buy(data=self.data0, size=5)  # enter long

        # in the market & cross to the downside
        if self.getposition(self.data0).size:
            if self.crossover <= 0 or self.crossdown < 0:
                self.close(data=self.data0)  # close long position
