"""A run's numbers from its equity curve, for numba: analyzers.metrics within rounding.

numba may sum in another order here (reassociation), which vectorises the loops; NaN stays NaN.
"""

import math

import numpy as np

from analyzers.metrics import ROUNDING
from analyzers.overfit import BLOCKS
from backtest.compiled import columns as col
from backtest.compiled.desk import Desk, Floats

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
    total, squares = fill_blocks(equity, blocks)
    mean, downside = total / count, math.sqrt(squares / count)
    fill_moments(equity[:count], mean, moments)
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


def fill_blocks(equity: Floats, blocks: Floats) -> tuple[float, float]:
    """Returns in place of all values but the last, and their blocks.

    Returns:
        The sum of all returns, and that of the squares of the losses.
    """
    count = equity.size - 1
    size = count // BLOCKS
    for i in range(count):  # alone: what divides is not mixed with what sums up
        before = equity[i]
        equity[i] = equity[i + 1] / before - 1.0 if before > 0.0 else np.nan
    all_total, all_losses = 0.0, 0.0
    for block in range(BLOCKS + 1):  # the last one is what the blocks leave out
        last = (block + 1) * size if block < BLOCKS else count
        total, squares, losses = 0.0, 0.0, 0.0
        for i in range(block * size, last):
            each = equity[i]
            total += each
            squares += each * each
            loss = min(each, 0.0)
            losses += loss * loss
        all_total += total
        all_losses += losses
        if block < BLOCKS:
            blocks[block, 0], blocks[block, 1], blocks[block, 2] = size, total, squares
    return all_total, all_losses


def fill_moments(each: Floats, mean: float, moments: Floats) -> None:
    """Mean, deviation, skew and raw kurtosis of returns."""
    count = each.size
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
