"""Whether a score foretold returns: information coefficients, quantiles, turnover, decay.

Scores and prices have the shape (T, N), oldest first; NaN where a symbol has none.

Source: Grinold and Kahn, Active Portfolio Management (2000); Newey and West (1987).
"""

from math import nan, sqrt

import numpy as np
import numpy.typing as npt

from analyzers.study.ranks import mean_ranks

Floats = npt.NDArray[np.float64]

FEWEST = 3  # symbols for a correlation


def forward_returns(close: Floats, horizon: int, lag: int = 1) -> Floats:
    """Return from `lag` bars after a row to `horizon` bars later, (T, N).

    A symbol that ends on the way is sold at its last close. NaN in the last rows, whose future is
    not known, and where there is no entry.

    Args:
        close: gaps filled; NaN before a symbol's first bar and after its last.
    """
    rows = len(close) - lag - horizon
    out = np.full(close.shape, np.nan)
    if rows > 0:
        kept = _carried(close)
        out[:rows] = kept[lag + horizon :] / close[lag : lag + rows] - 1.0
    return out


def _carried(close: Floats) -> Floats:
    rows = np.arange(len(close))[:, None]
    latest = np.maximum.accumulate(np.where(np.isnan(close), 0, rows), axis=0)
    kept: Floats = np.take_along_axis(close, latest, axis=0)
    return kept


def information_coefficients(scores: Floats, returns: Floats) -> Floats:
    """Spearman's rank correlation in each row, (T,); NaN for fewer than three symbols.

    Equal values share their mean rank.
    """
    known = ~(np.isnan(scores) | np.isnan(returns))
    one, other = (mean_ranks(np.where(known, table, np.nan)) for table in (scores, returns))
    count = known.sum(axis=1)
    middle = ((count + 1) / 2)[:, None]
    one, other = (np.where(known, ranks - middle, 0.0) for ranks in (one, other))
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    out = np.full(len(scores), np.nan)
    np.divide((one * other).sum(axis=1), size, out=out, where=(size > 0) & (count >= FEWEST))
    return out


def newey_west_t(values: Floats, lags: int) -> float:
    """T statistic of the mean, with the correlation of up to `lags` neighbours counted.

    Bartlett's weights, no correction for small samples. NaN for fewer than two values and for
    values that do not vary.
    """
    known = values[~np.isnan(values)]
    size = len(known)
    if size < 2:
        return nan
    away = known - known.mean()
    long_run = float(away @ away)
    for lag in range(1, min(lags, size - 1) + 1):
        long_run += 2 * (1 - lag / (lags + 1)) * float(away[lag:] @ away[:-lag])
    error = sqrt(max(long_run, 0.0)) / size
    return float(known.mean()) / error if error > 0 else nan


def quantiles(scores: Floats, count: int) -> npt.NDArray[np.int64]:
    """Quantile of each score in its row, 0 the lowest, -1 for NaN; sizes differ by one at most.

    Ties stand in column order. Rows with fewer symbols than quantiles are all -1.
    """
    known = ~np.isnan(scores)
    number = known.sum(axis=1, keepdims=True)
    order = np.argsort(np.argsort(scores, axis=1, kind="stable"), axis=1, kind="stable")
    places = order * count // np.maximum(number, 1)
    return np.where(known & (number >= count), places, -1)


def quantile_returns(groups: npt.NDArray[np.int64], returns: Floats, count: int) -> Floats:
    """Mean return of each quantile in each row, (T, count); NaN where it has none."""
    out = np.full((len(groups), count), np.nan)
    for group in range(count):
        members = (groups == group) & ~np.isnan(returns)
        number = members.sum(axis=1)
        total = np.where(members, returns, 0.0).sum(axis=1)
        np.divide(total, number, out=out[:, group], where=number > 0)
    return out


def turnover(groups: npt.NDArray[np.int64], group: int) -> Floats:
    """Share of a quantile's members that were not in it a row before, (T,); NaN in the first."""
    members = groups == group
    fresh = (members[1:] & ~members[:-1]).sum(axis=1)
    number = members[1:].sum(axis=1)
    out = np.full(len(groups), np.nan)
    np.divide(fresh, number, out=out[1:], where=(number > 0) & members[:-1].any(axis=1))
    return out
