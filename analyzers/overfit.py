"""How much of a Sharpe ratio is left when chance and the number of trials are counted.

All Sharpe ratios here are per period, not annualised; skew is that of the returns, and kurtosis is
RAW: 3 for the normal distribution. Scipy and pandas give the excess, which is smaller by 3.

Source: Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier (2012) for PSR and MinTRL,
The Deflated Sharpe Ratio (JPM 2014) for DSR; Bailey, Borwein, Lopez de Prado and Zhu, The
Probability of Backtest Overfitting (2015) for PBO by CSCV.
"""

from dataclasses import dataclass
from itertools import combinations
from math import e, inf, nan, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NORMAL = NormalDist()
EULER = 0.5772156649015329
BLOCKS = 16
COUNT, SUM, SQUARES = range(3)
# Of the mean square of the returns: a variance below it is rounding.
ROUNDING = 1e-12
HELD = 4_000_000


@dataclass(frozen=True, eq=False)
class Pbo:
    """The probability of backtest overfitting.

    Args:
        value: share of splits in which the best in sample is not above the median out of sample;
            about one half for noise, NaN for fewer than two usable sets.
        logits: of the relative rank out of sample, one a split, in the order of
            `itertools.combinations` of the blocks in sample.
        sets: how many sets were compared.
    """

    value: float
    logits: Floats
    sets: int


def psr(
    sharpe: float, periods: int, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above `benchmark`.

    NaN for fewer than two periods and where the numbers allow no standard error.

    >>> round(psr(1.585 / sqrt(12), 24, -2.448, 10.164), 6)
    0.913234
    """
    scale = _scale(sharpe, skew, kurtosis)
    if periods < 2 or not scale > 0:
        return nan
    return NORMAL.cdf((sharpe - benchmark) * sqrt((periods - 1) / scale))


def expected_max(trials: int) -> float:
    """Expected largest of `trials` independent standard normal values; 0.0 for one.

    >>> round(expected_max(10), 6)
    1.574598
    """
    if trials < 2:
        return 0.0
    return (1 - EULER) * NORMAL.inv_cdf(1 - 1 / trials) + EULER * NORMAL.inv_cdf(
        1 - 1 / (trials * e)
    )


def chance_sharpe(trials: int, variance: float) -> float:
    """The Sharpe ratio that the best of `trials` without any skill is expected to show.

    Args:
        trials: how many were tried, the forgotten ones too.
        variance: of the trials' Sharpe ratios.
    """
    return sqrt(variance) * expected_max(trials)


def deflated_sharpe(
    sharpe: float, periods: int, skew: float, kurtosis: float, trials: int, variance: float
) -> float:
    """DSR: probability that the true Sharpe ratio is above what chance gives the best of `trials`.

    >>> day = sqrt(250)
    >>> round(deflated_sharpe(2.5 / day, 1250, -3.0, 10.0, 100, 0.5 / 250), 6)
    0.900397
    """
    return psr(sharpe, periods, skew, kurtosis, chance_sharpe(trials, variance))


def min_track_record(
    sharpe: float,
    skew: float = 0.0,
    kurtosis: float = 3.0,
    benchmark: float = 0.0,
    confidence: float = 0.95,
) -> float:
    """MinTRL: periods needed to say with `confidence` that the Sharpe ratio is above `benchmark`.

    Infinite when it is not above it, NaN when it is not known.
    """
    scale = _scale(sharpe, skew, kurtosis)
    if not scale > 0:
        return nan
    if sharpe <= benchmark:
        return inf
    return 1 + scale * (NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def _scale(sharpe: float, skew: float, kurtosis: float) -> float:
    return 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2


def block_sums(returns: Floats, blocks: int = BLOCKS) -> Floats:
    """Count, sum and sum of squares of the returns in equal blocks of time.

    Args:
        returns: shape (T,) or (T, N), oldest first. The last T % blocks are left out.

    Returns:
        Shape (blocks, 3) or (N, blocks, 3); all counts are zero for fewer returns than blocks.
    """
    length = len(returns) // blocks
    kept = returns[: length * blocks].reshape(blocks, length, *returns.shape[1:])
    sums, squares = kept.sum(axis=1), np.square(kept).sum(axis=1)
    table = np.stack([np.full_like(sums, length), sums, squares], axis=-1)
    return np.moveaxis(table, 0, -2)


def pbo_of_returns(returns: Floats, blocks: int = BLOCKS) -> Pbo:
    """See `pbo`; `returns` has the shape (T, N): periods by sets."""
    return pbo(block_sums(returns, blocks))


def pbo(blocks: Floats, held: int = HELD) -> Pbo:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    Every choice of half of the blocks is in sample once. The best there has rank r of N by its
    Sharpe ratio out of sample (equal ones share the mean rank), and the logit of r / (N + 1). A
    set whose returns do not vary has the Sharpe ratio 0; one with a NaN is left out.

    Args:
        blocks: shape (N, S, 3), S even: `block_sums` of N sets.
        held: how many Sharpe ratios may be in memory at once; the answer does not depend on it.
    """
    usable = blocks[np.isfinite(blocks).all(axis=(1, 2)) & (blocks[:, :, COUNT] > 0).all(axis=1)]
    sets, size = usable.shape[:2]
    if sets < 2:
        return Pbo(nan, np.empty(0), sets)
    choices = _halves(size)
    first = len(choices) // 2  # the complement of choice i is choice -1 - i
    logits = np.empty(len(choices))
    rows = max(1, held // sets)
    for start in range(0, first, rows):
        chunk = np.arange(start, min(start + rows, first))
        one, other = (_sharpes(half, usable) for half in (choices[chunk], 1 - choices[chunk]))
        logits[chunk] = _logits(one, other)
        logits[-1 - chunk] = _logits(other, one)
    return Pbo(float(np.mean(logits <= 0)), logits, sets)


def _halves(size: int) -> Floats:
    """One row a choice of half of the blocks: 1 where the block is chosen."""
    chosen = np.array(list(combinations(range(size), size // 2)))
    choices = np.zeros((len(chosen), size))
    np.put_along_axis(choices, chosen, 1.0, axis=1)
    return choices


def _sharpes(choices: Floats, blocks: Floats) -> Floats:
    """Shape (choices, sets)."""
    count, total, squares = (choices @ blocks[:, :, field].T for field in (COUNT, SUM, SQUARES))
    mean = total / count
    variance = np.maximum(squares - mean * total, 0.0)
    variance[variance <= ROUNDING * squares] = 0.0
    variance /= np.maximum(count - 1, 1)
    answer = np.zeros_like(mean)
    np.divide(mean, np.sqrt(variance), out=answer, where=variance > 0)
    return answer


def _logits(inside: Floats, outside: Floats) -> Floats:
    """Logit of the rank out of sample of each row's best in sample."""
    best = np.take_along_axis(outside, np.argmax(inside, axis=1)[:, None], axis=1)
    below, equal = (outside < best).sum(axis=1), (outside == best).sum(axis=1)
    share = (below + (equal + 1) / 2) / (outside.shape[1] + 1)
    answer: Floats = np.log(share / (1 - share))
    return answer
