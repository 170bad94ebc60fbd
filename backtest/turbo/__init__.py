"""Fast paths for Backtrader with stock results: `from backtest.turbo import Cerebro`."""

from backtest.turbo.cerebro import Cerebro

__all__ = ["Cerebro"]
