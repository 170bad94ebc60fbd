"""Sums and extremes of sliding windows as Python's own fsum, max and min give them, to the bit."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_Units = npt.NDArray[np.int64]

_MANTISSA, _EXPONENT, _BIAS = 52, 0x7FF, 1075  # a float64 is mantissa * 2**(exponent - bias)
_HALF = 32  # bits of the lower half
_WHOLE = 1 << 53  # units up to which every number of them is a float


def sums(values: Floats, period: int) -> Floats | None:
    """``math.fsum`` of each full window, or None where only fsum itself can be trusted.

    Every float is a whole number of units, the last bit of the smallest one. Counted in units, in
    two 64-bit halves, running sums are exact and so is the difference of two; the one rounding at
    the end is fsum's. Values too far apart in magnitude, infinities and NaN have no such unit.

    Args:
        values: shape (T,).
        period: bars in a window, 1 to T.

    Returns:
        Shape (T - period + 1,).
    """
    return _rounded(values, lambda units: _of_windows(units, period))


def row_sums(rows: Floats) -> Floats | None:
    """``math.fsum`` of each row of a matrix, or None as `sums` says."""
    return _rounded(rows, lambda units: units.sum(axis=1))


def _rounded(values: Floats, add: Callable[[_Units], _Units]) -> Floats | None:
    """What `add` makes of the two halves in units, put together with one rounding."""
    exponents = (values.view(np.int64) >> _MANTISSA) & _EXPONENT
    known = exponents[values != 0.0]
    least, most = (int(known.min()), int(known.max())) if known.size else (_BIAS, _BIAS)
    if least == 0 or most == _EXPONENT or most - least > _HALF or not 100 < least < 1900:
        return None  # subnormal, NaN or infinite, too far apart, or beyond any price
    unit = 2.0 ** (least - _BIAS)
    scaled = values / unit
    upper = np.floor(scaled / 2.0**_HALF)
    high, low = add(upper.astype(np.int64)), add((scaled - upper * 2.0**_HALF).astype(np.int64))
    high += low >> _HALF
    low &= (1 << _HALF) - 1
    if high.size and max(int(high.max()), -int(high.min())) >= _WHOLE:
        return None
    return np.asarray((high * 2.0**_HALF + low) * unit, dtype=np.float64)


def _of_windows(units: _Units, period: int) -> _Units:
    """Sums of windows; running sums may wrap round, their differences do not mind."""
    running = np.cumsum(units)
    window = running[period - 1 :].copy()
    window[1:] -= running[:-period]
    return window


def highest(values: Floats, period: int) -> Floats | None:
    """``max`` of each full window; None where a NaN or a negative zero makes the order count."""
    return _extreme(values, period, np.maximum)


def lowest(values: Floats, period: int) -> Floats | None:
    """``min`` of each full window; None as `highest` says."""
    return _extreme(values, period, np.minimum)


def _extreme(
    values: Floats, period: int, pick: Callable[[Floats, Floats], Floats]
) -> Floats | None:
    """A window from two of half its length, as far as that goes, then from two that overlap."""
    if np.isnan(values).any() or (np.signbit(values) & (values == 0.0)).any():
        return None
    found, width = values, 1
    while width * 2 <= period:
        found = pick(found[:-width], found[width:])
        width *= 2
    rest = period - width
    return pick(found[: len(found) - rest], found[rest:]) if rest else found
