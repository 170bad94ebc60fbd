"""A run's numbers from its equity curve, for numba: analyzers.metrics within rounding.

numba may sum in another order here (reassociation), which vectorises the loops; NaN stays NaN.
"""

import math

import numpy as np

from analyzers.metrics import ROUNDING
from backtest.compiled import columns as col
from backtest.compiled.desk import Desk, Floats
from backtest.outcomes import BLOCKS

STRETCH = 32  # values at a time that are first looked at for a new peak


def score(
    desk: Desk,
    equity: Floats,
    year: float,
    metrics: Floats,
    moments: Floats,
    blocks: Floats,
) -> None:
    """Fill one row of `Outcomes`.

    Args:
        equity: value at the end of each step; the starting cash stands before it. Returns take
            the place of all but the last.
        year: periods a year; NaN where unknown.
    """
    count = equity.size - 1
    end, start, depth = equity[count], equity[0], max_depth(equity)
    to_returns(equity)
    each = equity[:count]
    sum_blocks(each, blocks)
    mean, downside = fill_moments(each, moments)
    metrics[0] = end
    metrics[1] = end / start - 1.0
    metrics[2] = ratio(math.sqrt(year) * mean, moments[1])
    metrics[3] = ratio(math.sqrt(year) * mean, downside)
    metrics[4] = depth
    growth = math.nan if end < 0.0 else (end / start) ** (year / count) - 1.0
    metrics[5] = growth / abs(depth) if abs(depth) > 0.0 else math.nan
    score_trips(desk, count, metrics)
    for place in range(metrics.size):
        if not math.isfinite(metrics[place]):
            metrics[place] = math.nan


def ratio(a: float, b: float) -> float:
    """A quotient; NaN where the deviation `b` is none."""
    return a / b if b > ROUNDING else math.nan


def to_returns(equity: Floats) -> None:
    """Simple returns in place of all but the last; NaN after a value that is not above zero."""
    for i in range(equity.size - 1):
        before = equity[i]
        equity[i] = equity[i + 1] / before - 1.0 if before > 0.0 else np.nan


def sum_blocks(each: Floats, blocks: Floats) -> None:
    """Count, sum and sum of squares of equal blocks."""
    size = each.size // BLOCKS
    for block in range(BLOCKS):
        total, squares = 0.0, 0.0
        for i in range(block * size, (block + 1) * size):
            total += each[i]
            squares += each[i] * each[i]
        blocks[block, 0], blocks[block, 1], blocks[block, 2] = size, total, squares


def fill_moments(each: Floats, moments: Floats) -> tuple[float, float]:
    """Mean, deviation, skew, raw kurtosis; returns the mean and the downside deviation."""
    count = each.size
    total, squares = 0.0, 0.0
    for i in range(count):
        total += each[i]
        loss = min(each[i], 0.0)
        squares += loss * loss
    mean = total / count
    second, third, fourth = 0.0, 0.0, 0.0
    for i in range(count):
        away = each[i] - mean
        square = away * away
        second += square
        third += square * away
        fourth += square * square
    deviation = math.sqrt(second / (count - 1)) if count > 1 else math.nan
    moments[0], moments[1], moments[2], moments[3] = mean, deviation, math.nan, math.nan
    if deviation > ROUNDING:
        variance = second / count
        moments[2] = third / count / variance**1.5
        moments[3] = fourth / count / (variance * variance)
    downside = math.nan if math.isnan(mean) else math.sqrt(squares / count)
    return mean, downside


def max_depth(equity: Floats) -> float:
    """The deepest drawdown, <= 0; the first value is the first peak."""
    peak, depth, first = equity[0], 0.0, 1
    while first < equity.size:
        last = min(first + STRETCH, equity.size)
        low, high = equity[first], equity[first]
        for i in range(first, last):
            low, high = min(low, equity[i]), max(high, equity[i])
        if high > peak:
            for i in range(first, last):
                peak = max(peak, equity[i])
                if equity[i] < peak:
                    depth = min(depth, equity[i] / peak - 1.0)
        else:
            depth = min(depth, low / peak - 1.0)
        first = last
    return depth


def score_trips(desk: Desk, count: int, metrics: Floats) -> None:
    """Round trips, the share of the closed ones that won, and the share of periods with one."""
    trips, closed = desk.counts[col.TRIPS], desk.counts[col.CLOSED]
    metrics[6] = trips
    metrics[7] = desk.counts[col.WINS] / closed if closed > 0 else math.nan
    running, exposed = 0, 0
    for i in range(count):
        running += desk.held_changes[i]
        exposed += 1 if running > 0 else 0
    metrics[8] = exposed / count
