"""What a symbol is ranked by: columnar factors of daily bars, larger meaning better.

Each takes `Columns` whose gaps are filled (`shown_last`) and gives (T, N); NaN while its look-back
is not full.

Source: Jegadeesh and Titman (1993) for momentum and Jegadeesh (1990) for reversal; Ang, Hodrick,
Xing and Zhang (2006) for volatility; George and Hwang (2004) for the distance from the high;
Clenow, Stocks on the Move (2015) for slope times R squared; Amihud (2002) for the cost of trading.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from analyzers.columns import Columns
from analyzers.rolling import mean
from analyzers.volatility import close_to_close
from strategies.arrays import highest, momentum

Floats = npt.NDArray[np.float64]

YEAR, QUARTER, MONTH = 252, 63, 21
TREND = 90
FLAT = 1e-12  # variation of log closes that is rounding alone


def momentum_12_1(bars: Columns) -> Floats:
    """Growth over 252 bars, the last 21 left out."""
    return momentum(bars.close, YEAR, MONTH)


def reversal(bars: Columns) -> Floats:
    """The last 21 bars' return with its sign turned."""
    return -momentum(bars.close, MONTH)


def low_volatility(bars: Columns) -> Floats:
    """Annualised deviation of log returns over 63 bars with its sign turned."""
    return -close_to_close(bars.close, QUARTER, YEAR)


def near_high(bars: Columns) -> Floats:
    """Close over the highest close of 252 bars, less 1: the drawdown from the year's high."""
    distance: Floats = bars.close / highest(bars.close, YEAR) - 1.0
    return distance


def trend_quality(bars: Columns) -> Floats:
    """Slope of log closes over 90 bars, annualised, times R squared of the fit."""
    out = np.full(bars.close.shape, np.nan)
    if len(out) < TREND:
        return out
    logs = np.log(bars.close)
    known = ~np.isnan(logs)
    # Sums of what is near zero: the first close is the origin, which no later bar changes.
    first = np.take_along_axis(logs, known.argmax(axis=0)[None, :], axis=0)
    logs = np.where(known, logs - first, 0.0)
    rows = np.arange(len(logs), dtype=np.float64)[:, None]
    middle = rows[TREND - 1 :] - (TREND - 1) / 2
    total = _sums(logs)
    spread = TREND * (TREND**2 - 1) / 12
    slope = (_sums(rows * logs) - middle * total) / spread
    varied = _sums(logs**2) - total**2 / TREND
    fit = np.divide(slope**2 * spread, varied, out=np.zeros_like(slope), where=varied > FLAT)
    is_full = _sums(known.astype(np.float64)) == TREND
    out[TREND - 1 :] = np.where(is_full, slope * YEAR * np.minimum(fit, 1.0), np.nan)
    return out


def _sums(values: Floats) -> Floats:
    """Sums of TREND rows, from the first full window on."""
    running = np.cumsum(values, axis=0)
    before = np.concatenate([np.zeros((1, values.shape[1])), running[:-TREND]])
    windows: Floats = running[TREND - 1 :] - before
    return windows


def liquidity(bars: Columns) -> Floats:
    """Logarithm of the mean money traded a bar over 63 bars; NaN where nothing was traded."""
    traded = mean(bars.close * bars.volume, QUARTER)
    out = np.full(traded.shape, np.nan)
    np.log(traded, out=out, where=traded > 0)
    return out


FACTORS: Final[dict[str, Callable[[Columns], Floats]]] = {
    "momentum_12_1": momentum_12_1,
    "reversal": reversal,
    "low_volatility": low_volatility,
    "near_high": near_high,
    "trend_quality": trend_quality,
    "liquidity": liquidity,
}
"""By name, in the order in which reports show them."""

NEEDS_VOLUME: Final = frozenset({"liquidity"})


def standardised(values: Floats, groups: npt.NDArray[np.intp] | None, limit: float) -> Floats:
    """Z-scores across each row: (x - mean) / deviation (ddof 0), then cut at +-`limit`.

    NaN stays; a row or group with fewer than two values, or without variation, gives zeros.

    Args:
        groups: the sector of each column, counted from 0, to compare a symbol with its own sector
            only; None for all together.
    """
    if groups is None:
        return _z(values, limit)
    out = np.full(values.shape, np.nan)
    for group in range(int(groups.max(initial=-1)) + 1):
        members = groups == group
        out[:, members] = _z(values[:, members], limit)
    return out


def _z(values: Floats, limit: float) -> Floats:
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = np.where(known, values, 0.0).sum(axis=1, keepdims=True) / count
    away = np.where(known, values - mean, 0.0)
    deviation = np.sqrt((away**2).sum(axis=1, keepdims=True) / count)
    # A deviation of rounding alone is none.
    varies = deviation > 1e-12 * np.abs(mean)
    scores = np.divide(away, deviation, out=np.zeros_like(away), where=varies)
    return np.where(known, np.clip(scores, -limit, limit), np.nan)
