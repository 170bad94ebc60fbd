"""Sizers: how many units make one stake."""

from typing import Any

import backtrader as bt


class PercentOfEquity(bt.Sizer):
    """A stake worth `percent` (0..100) of the account's equity at the last close.

    Whole units: ``floor(equity * (percent / 100) / close)``; 0 while equity or close is not
    positive.
    """

    params = (("percent", 95.0),)

    def _getsizing(self, comminfo: Any, cash: float, data: bt.DataBase, isbuy: bool) -> int:
        del comminfo, cash, isbuy
        equity, close = self.broker.getvalue(), data.lines.close[0]
        if not (equity > 0 and close > 0):
            return 0
        return int(equity * (self.p.percent / 100.0) / close)
