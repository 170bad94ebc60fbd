"""Volatility from the range of each bar: rolling, annualised, columnar.

Prices have the shape (T,) or (T, N), oldest first. A value belongs to the last bar of its window;
it is NaN where the window is not full or holds a NaN or a price that is not positive.

Source: Parkinson (1980); Garman and Klass (1980); Rogers and Satchell (1991); Yang and Zhang
(2000); the conventions are those of R's TTR::volatility.
"""

import numpy as np
import numpy.typing as npt

from analyzers.rolling import mean, variance

Floats = npt.NDArray[np.float64]

_FOUR_LN2 = 4 * np.log(2)
_GK = 2 * np.log(2) - 1


def parkinson(high: Floats, low: Floats, window: int, bars_a_year: float) -> Floats:
    """Root of the mean squared log range over 4 ln 2."""
    return _root(mean(_log(high, low) ** 2, window) / _FOUR_LN2, bars_a_year)


def garman_klass(
    open_: Floats, high: Floats, low: Floats, close: Floats, window: int, bars_a_year: float
) -> Floats:
    """Range and move from open to close, each with the weight that makes the variance least."""
    each = 0.5 * _log(high, low) ** 2 - _GK * _log(close, open_) ** 2
    return _root(mean(each, window), bars_a_year)


def rogers_satchell(
    open_: Floats, high: Floats, low: Floats, close: Floats, window: int, bars_a_year: float
) -> Floats:
    """Unbiased where the price drifts."""
    return _root(mean(_rogers_satchell(open_, high, low, close), window), bars_a_year)


def yang_zhang(
    open_: Floats, high: Floats, low: Floats, close: Floats, window: int, bars_a_year: float
) -> Floats:
    """Overnight jumps, moves from open to close, and Rogers and Satchell's range together.

    Unbiased where the price drifts and jumps. The first value needs window + 1 bars.

    Raises:
        ValueError: the window is shorter than two bars.
    """
    if window < 2:
        raise ValueError(f"a window of {window} has no variance: use two bars or more")
    overnight = np.full_like(np.asarray(close, dtype=np.float64), np.nan)
    overnight[1:] = _log(open_[1:], close[:-1])
    share = 0.34 / (1.34 + (window + 1) / (window - 1))
    daily = (
        variance(overnight, window)
        + share * variance(_log(close, open_), window)
        + (1 - share) * mean(_rogers_satchell(open_, high, low, close), window)
    )
    return _root(daily, bars_a_year)


def close_to_close(close: Floats, window: int, bars_a_year: float) -> Floats:
    """Sample deviation (ddof 1) of log returns; the first value needs window + 1 bars."""
    returns = np.full_like(np.asarray(close, dtype=np.float64), np.nan)
    returns[1:] = _log(close[1:], close[:-1])
    return _root(variance(returns, window), bars_a_year)


def _rogers_satchell(open_: Floats, high: Floats, low: Floats, close: Floats) -> Floats:
    return _log(high, close) * _log(high, open_) + _log(low, close) * _log(low, open_)


def _log(over: Floats, under: Floats) -> Floats:
    quotient = np.full(np.shape(over), np.nan)
    np.divide(over, under, out=quotient, where=(over > 0) & (under > 0))
    answer: Floats = np.log(quotient)
    return answer


def _root(variance: Floats, bars_a_year: float) -> Floats:
    answer: Floats = np.sqrt(np.maximum(variance, 0.0) * bars_a_year)
    return answer
