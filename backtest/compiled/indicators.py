"""Indicators of strategies.arrays that Python itself is slow at, for numba; the same to the bit."""

import numpy as np

from backtest.compiled.desk import Floats, Ints


def window_means(high: Ints, low: Ints, period: int, half: float, unit: float, out: Floats) -> None:
    """Means of all windows from running sums of exact integers; see strategies.arrays.sma.

    Args:
        high, low: running sums of the values' halves, a zero before the first.
        half, unit: powers of two: a value is (high * half + low) * unit.
    """
    out[: period - 1] = np.nan
    for i in range(period - 1, out.size):
        above = float(high[i + 1] - high[i + 1 - period])
        below = float(low[i + 1] - low[i + 1 - period])
        out[i] = (above * half + below) * unit / period


def smooth(values: Floats, first: int, alpha: float, out: Floats) -> None:
    """Exponential smoothing from row `first` on, whose value is set; see strategies.arrays."""
    last = out[first]
    for i in range(first + 1, values.size):
        last = last * (1.0 - alpha) + values[i] * alpha
        out[i] = last
