"""Means and variances of the last rows, column by column: (T,) or (T, N), oldest first.

NaN where the window is not full or holds a NaN. A value depends on its own window alone.
"""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Floats = npt.NDArray[np.float64]


def mean(values: Floats, window: int) -> Floats:
    """Arithmetic mean.

    >>> mean(np.array([1.0, 2.0, 6.0]), 2).tolist()
    [nan, 1.5, 4.0]
    """
    answer = np.full(values.shape, np.nan)
    if len(values) >= window:
        answer[window - 1 :] = sliding_window_view(values, window, axis=0).mean(axis=-1)
    return answer


def variance(values: Floats, window: int) -> Floats:
    """Sample variance (ddof 1); `window` is at least 2."""
    answer = np.full(values.shape, np.nan)
    if len(values) >= window:
        answer[window - 1 :] = sliding_window_view(values, window, axis=0).var(axis=-1, ddof=1)
    return answer
