"""Buy one stake of every feed at its first bar, and keep it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from strategies.panel import Bars
from strategies.signals import SignalStrategy


class BuyAndHold(SignalStrategy):
    """The measure that other strategies are held against.

    The wish stands at every bar, so that an entry that was refused for lack of cash is tried again.
    """

    columnwise = True

    @staticmethod
    def signals(config: Any, bars: Bars) -> np.ndarray:
        """One stake at every bar."""
        del config
        return np.where(np.isnan(bars.close), np.nan, 1.0)

    @staticmethod
    def reason(config: Any, now: Mapping[str, float]) -> str:
        """Buy and hold needs no other."""
        del config
        return f"buy and hold, at a close of {now['close']:.2f}"
