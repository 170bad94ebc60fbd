"""The trading of alpaca-backtrader-api's sample/strategy_sample_code.py (Apache-2.0), ported."""

import backtrader as bt


class TestStrategy(bt.Strategy):
    params = dict(
        smaperiod=5,
        stake=10,
        exectype=bt.Order.Market,
        valid=None,
        cancel=0,
        donotcounter=False,
        sell=False,
        usebracket=False,
    )

    def __init__(self):
        self.orderid = list()
        self.order = None
        self.since = 0
        self.sma = bt.indicators.MovAv.SMA(self.data, period=self.p.smaperiod)

    def notify_order(self, order):
        if order.status in [order.Completed, order.Canceled, order.Rejected]:
            self.order = None

    def next(self):
        if not self.position and len(self.orderid) < 1:
            if self.p.usebracket:
                price = self.data0.close[0] - 0.05
                self.order, _, _ = self.buy_bracket(
                    size=self.p.stake,
                    exectype=bt.Order.Market,
                    stopprice=round(price - 0.10, 2),
                    limitprice=round(price + 0.10, 2),
                    valid=self.p.valid,
                )
            elif not self.p.sell:
                price = round(self.data0.close[0] - 5, 2)
                self.order = self.buy(
                    size=self.p.stake,
                    exectype=self.p.exectype,
                    price=price,
                    valid=self.p.valid,
                )
            else:
                price = round(self.data0.close[0] - 0.05, 2)
                self.order = self.sell(
                    size=self.p.stake,
                    exectype=self.p.exectype,
                    price=price,
                    valid=self.p.valid,
                )
            self.orderid.append(self.order)
        elif self.position and not self.p.donotcounter:
            if self.order is None:
                act = self.buy if self.p.sell else self.sell
                self.order = act(size=self.p.stake // 2)
            self.orderid.append(self.order)
        elif self.order is not None and self.p.cancel:
            if self.since > self.p.cancel:
                self.cancel(self.order)
        self.since += 1
