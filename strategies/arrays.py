"""Indicators as pure, causal functions of arrays.

Rows are bars in order of time; values are (T,) for one feed or (T, N) for several, and so is what
comes back, float64. A row depends on itself and on earlier rows alone, so that
``f(x[:t])[-1] == f(x)[t - 1]`` to the last bit. Rows without enough history are NaN, and so is any
row that needs a NaN.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from functools import wraps
from typing import Concatenate

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_NO_EXPONENT = 10_000  # beyond those of all floats
_OfColumn = Callable[Concatenate[np.ndarray, ...], np.ndarray]


def _by_column(function: _OfColumn) -> _OfColumn:
    """Let a function of one column work on (T, N) as well."""

    @wraps(function)
    def apply(values: np.ndarray, *args: float) -> np.ndarray:
        values = np.asarray(values, dtype=np.float64)
        if values.ndim == 1:
            return function(values, *args)
        out = np.empty(values.shape)
        for column in range(values.shape[1]):
            out[:, column] = function(np.ascontiguousarray(values[:, column]), *args)
        return out

    return apply


def _blank(values: np.ndarray) -> np.ndarray:
    return np.full(np.shape(values), np.nan)


def _windows(values: np.ndarray, period: int) -> np.ndarray:
    """Every full window, (T - period + 1, ..., period); none when there are too few rows."""
    if period < 1:
        raise ValueError(f"a period is at least 1 bar, not {period}")
    if len(values) < period:
        return np.empty((0, *np.shape(values)[1:], period))
    return sliding_window_view(values, period, axis=0)


def shift(values: np.ndarray, rows: int) -> np.ndarray:
    """The value `rows` bars ago (rows >= 1)."""
    out = _blank(values)
    out[rows:] = values[:-rows]
    return out


def sma(values: np.ndarray, period: int) -> np.ndarray:
    """Mean of the last `period` values: `bt.ind.SMA` to the last bit.

    Backtrader divides math.fsum of each window; so does this, by exact integer sums where the
    values of a column fit into 106 bits together, and by math.fsum itself where they do not.
    """
    values = np.asarray(values, dtype=np.float64)
    out = _blank(values)
    if not len(_windows(values, period)):
        return out
    table, means = values.reshape(len(values), -1), out.reshape(len(values), -1)
    missing = np.isnan(table)
    filled = np.where(missing, 0.0, table)
    sums, is_exact = _exact_sums(filled, period)
    for column in np.flatnonzero(~is_exact):
        sums[:, column] = [_sum(window) for window in _windows(filled[:, column], period).tolist()]
    means[period - 1 :] = sums / period
    if missing.any():
        means[period - 1 :][_windows(missing, period).any(axis=-1)] = np.nan
    return out


def _sum(window: list[float]) -> float:
    return math.fsum(window) if all(map(math.isfinite, window)) else sum(window)


def _exact_sums(table: np.ndarray, period: int) -> tuple[np.ndarray, np.ndarray]:
    """Correctly rounded sums of all windows, and for which columns 106 bits hold them.

    Each value is cut into two integers in units of one power of two, a column's own. Integer sums
    are exact (a running sum may wrap, its differences do not), so that putting the halves together
    rounds once.
    """
    exponents = np.frexp(table)[1]
    is_zero = table == 0.0
    lowest = np.where(is_zero, _NO_EXPONENT, exponents).min(axis=0)
    highest = np.where(is_zero, -_NO_EXPONENT, exponents).max(axis=0)
    has_any = lowest <= highest
    unit = np.where(has_any, lowest - 53, 0)
    half = np.where(has_any, (highest - unit + 1) // 2, 0)
    is_exact = np.isfinite(table).all(axis=0) & (unit > -900) & (half + period.bit_length() <= 53)
    is_exact &= ~has_any | (highest < 900)
    table = np.where(is_exact, table, 0.0)
    unit, half = np.where(is_exact, unit, 0), np.where(is_exact, half, 0)
    high = np.floor(np.ldexp(table, -(unit + half)))
    low = np.ldexp(table - np.ldexp(high, unit + half), -unit)
    sums = [_integer_sums(part.astype(np.int64), period) for part in (high, low)]
    return np.ldexp(np.ldexp(sums[0], half) + sums[1], unit), is_exact


def _integer_sums(table: np.ndarray, period: int) -> np.ndarray:
    running = np.cumsum(table, axis=0)
    sums = running[period - 1 :].copy()
    sums[1:] -= running[:-period]
    return sums.astype(np.float64)


@_by_column
def _smoothed(values: np.ndarray, period: int, alpha: float) -> np.ndarray:
    """Exponential smoothing as Backtrader does it: seeded with a mean, then recursive."""
    out = _blank(values)
    present = np.flatnonzero(~np.isnan(values))
    first = int(present[0]) + period if len(present) else len(values) + 1
    if first > len(values):
        return out
    smoothed = [_sum(values[first - period : first].tolist()) / period]
    for value in values[first:].tolist():
        smoothed.append(smoothed[-1] * (1.0 - alpha) + value * alpha)
    out[first - 1 :] = smoothed
    return out


def ema(values: np.ndarray, period: int) -> np.ndarray:
    """Exponential mean with weight 2 / (1 + period): `bt.ind.EMA`."""
    return _smoothed(values, period, 2.0 / (1.0 + period))


def wilder(values: np.ndarray, period: int) -> np.ndarray:
    """Wilder's smoothing, weight 1 / period: `bt.ind.SMMA`."""
    return _smoothed(values, period, 1.0 / period)


def rsi(close: np.ndarray, period: int) -> np.ndarray:
    """Wilder's relative strength index, 0..100: `bt.ind.RSI_Safe`.

    100 where nothing fell, 50 where nothing moved at all.
    """
    before = shift(close, 1)
    up = wilder(np.maximum(close - before, 0.0), period)
    down = wilder(np.maximum(before - close, 0.0), period)
    with np.errstate(divide="ignore", invalid="ignore"):
        strength = np.where((up == 0.0) & (down == 0.0), 1.0, up / down)
    return 100.0 - 100.0 / (1.0 + strength)


def atr(high: np.ndarray, low: np.ndarray, close: np.ndarray, period: int) -> np.ndarray:
    """Average true range in price units: `bt.ind.ATR`."""
    before = shift(close, 1)
    return wilder(np.maximum(high, before) - np.minimum(low, before), period)


def highest(values: np.ndarray, period: int) -> np.ndarray:
    """Largest of the last `period` values: `bt.ind.Highest`."""
    out = _blank(values)
    out[period - 1 :] = _windows(values, period).max(axis=-1)
    return out


def lowest(values: np.ndarray, period: int) -> np.ndarray:
    """Smallest of the last `period` values: `bt.ind.Lowest`."""
    return -highest(-values, period)


def crossover(fast: np.ndarray, slow: np.ndarray) -> np.ndarray:
    """1 where `fast` crosses above `slow`, -1 where below, else 0: `bt.ind.CrossOver`.

    As there, what counts as "before" is the last difference that was not zero, and a series that
    begins with a difference of zero has not been on either side yet. The first row at which both
    are known is NaN, as are those before it.
    """
    difference = np.asarray(fast - slow)
    rows = np.arange(len(difference)).reshape(-1, *[1] * (difference.ndim - 1))
    known = np.logical_or.accumulate(~np.isnan(difference), axis=0)
    last = np.maximum.accumulate(np.where(difference != 0.0, rows, 0), axis=0)
    before = shift(np.take_along_axis(difference, last, axis=0), 1) if len(rows) else difference
    crosses = 1.0 * ((before < 0) & (difference > 0)) - 1.0 * ((before > 0) & (difference < 0))
    crosses[~known] = np.nan
    crosses[1:][~known[:-1]] = np.nan
    crosses[:1] = np.nan
    return crosses


def latch(on: np.ndarray, off: np.ndarray) -> np.ndarray:
    """1 from a row where `on` holds until one where `off` holds, 0 before, between and after.

    Where both hold, `off` wins.
    """
    rows = np.arange(1, len(on) + 1).reshape(-1, *[1] * (on.ndim - 1))
    last_on = np.maximum.accumulate(np.where(on & ~off, rows, 0), axis=0)
    last_off = np.maximum.accumulate(np.where(off, rows, 0), axis=0)
    return (last_on > last_off).astype(np.float64)


def changes(state: np.ndarray) -> np.ndarray:
    """The state where it has just changed, NaN where it has not; it was 0 before the first row."""
    before = np.zeros_like(state)
    before[1:] = state[:-1]
    return np.where(state != before, state, np.nan)


def momentum(values: np.ndarray, period: int, skip: int = 0) -> np.ndarray:
    """Growth from `period` bars ago to `skip` bars ago, 0.1 for ten per cent.

    With skip=0 it is `bt.ind.ROC`; (252, 21) is the "12-1" momentum of daily bars.
    """
    if not 0 <= skip < period:
        raise ValueError(f"momentum needs 0 <= skip < period, not skip {skip}, period {period}")
    then = shift(values, period)
    now = shift(values, skip) if skip else values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((now - then) / then)


@_by_column
def zscore(values: np.ndarray, period: int) -> np.ndarray:
    """Distance from the mean of the last `period` values, in their standard deviations (ddof 1).

    0 where the values do not vary.
    """
    out = _blank(values)
    away = _windows(values, period) - sma(values, period)[period - 1 :, None]
    deviation = np.sqrt(np.square(away).sum(axis=-1) / max(period - 1, 1))
    out[period - 1 :] = np.divide(
        away[:, -1], deviation, out=0.0 * deviation, where=deviation != 0.0
    )
    return out


@_by_column
def modified_zscore(values: np.ndarray, period: int) -> np.ndarray:
    """Distance from the median of the last `period` values, in robust standard deviations.

    0.6745 (x - median) / MAD; where the MAD is 0, (x - median) / (1.253314 mean absolute
    deviation); 0 where the values do not vary.

    Source: Iglewicz and Hoaglin (1993), who flag what lies beyond 3.5.
    """
    out = _blank(values)
    windows = _windows(values, period)
    away = windows - np.median(windows, axis=-1)[:, None]
    mad = np.median(np.abs(away), axis=-1) / 0.6745
    mean = np.abs(away).mean(axis=-1) * 1.253314
    scale = np.where(mad == 0.0, mean, mad)
    out[period - 1 :] = np.divide(away[:, -1], scale, out=0.0 * scale, where=scale != 0.0)
    return out


def rank(values: np.ndarray) -> np.ndarray:
    """Place of each column within its row, 1 for the largest; ties in column order; NaN stays."""
    table = np.reshape(values, (len(values), -1))
    order = np.argsort(-table, axis=1, kind="stable")
    places = np.empty(table.shape)
    np.put_along_axis(places, order, np.arange(1.0, table.shape[1] + 1.0)[None, :], axis=1)
    places[np.isnan(table)] = np.nan
    return places.reshape(np.shape(values))


def sector_scores(values: np.ndarray, sectors: Sequence[Hashable]) -> np.ndarray:
    """Mean of each sector's members, equally weighted, over the members that have a value.

    Args:
        values: (T, N), such as momentum.
        sectors: the sector of each column.

    Returns:
        (T, S), sectors in order of first appearance; NaN in rows where a sector has no value.
    """
    names = list(dict.fromkeys(sectors))
    out = np.full((len(values), len(names)), np.nan)
    for place, name in enumerate(names):
        members = values[:, [sector == name for sector in sectors]]
        present = ~np.isnan(members)
        count = present.sum(axis=1)
        total = np.where(present, members, 0.0).sum(axis=1)
        np.divide(total, count, out=out[:, place], where=count > 0)
    return out
