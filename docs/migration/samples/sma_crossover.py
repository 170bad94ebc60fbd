"""alpaca-backtrader-api's sample/strategy_sma_crossover.py (Apache-2.0), ported."""

import backtrader as bt


class SmaCross1(bt.Strategy):
    params = dict(
        pfast=10,  # period for the fast moving average
        pslow=30,  # period for the slow moving average
    )

    def log(self, txt, dt=None):
        dt = dt or self.data.datetime[0]
        dt = bt.num2date(dt)
        print("%s, %s" % (dt.isoformat(), txt))

    def notify_trade(self, trade):
        self.log("placing trade for {}. target size: {}".format(trade.getdataname(), trade.size))

    def notify_order(self, order):
        print(f"Order notification. status{order.getstatusname()}.")

    def __init__(self):
        sma1 = bt.ind.SMA(self.data0, period=self.p.pfast)
        sma2 = bt.ind.SMA(self.data0, period=self.p.pslow)
        self.crossover0 = bt.ind.CrossOver(sma1, sma2)

    def next(self):
        # if fast crosses slow to the upside
        if not self.getposition(self.data0).size and self.crossover0 > 0:
            self.buy(data=self.data0, size=5)  # enter long

        # in the market & cross to the downside
        if self.getposition(self.data0).size and self.crossover0 <= 0:
            self.close(data=self.data0)  # close long position
