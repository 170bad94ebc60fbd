"""alpaca-backtrader-api's sample/strategy_resampling_example.py (Apache-2.0), ported.

Run it with `--timeframe 5m`: bars of several minutes are the feed's business.
"""

import backtrader as bt


class Resample(bt.Strategy):
    def next(self):
        print(self.data.datetime.datetime())
