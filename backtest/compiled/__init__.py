"""Parameter sets of a SignalStrategy through one numba kernel, with Backtrader's own fills.

Importing it imports no numba; the first evaluation does, and compiles or loads the kernel.
"""

from backtest.compiled.confirmation import Confirmation, Fills, confirm, fills_of
from backtest.compiled.eligibility import reason_not_compilable
from backtest.compiled.evaluation import evaluate

__all__ = ["Confirmation", "Fills", "confirm", "evaluate", "fills_of", "reason_not_compilable"]
