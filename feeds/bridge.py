"""The minutes of one synthetic day: a path that meets the day's open, high, low and close.

The path goes from the open over the day's two extremes to the close, as Brownian bridges folded
back at high and low, on a clock that runs faster near open and close. The rule of arithmetic is
that of feeds/simulation.py, so that equal seeds give equal bytes.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from feeds.dice import Floats

Whole = npt.NDArray[np.int64]

RANGE = 1.6  # the mean range of a Brownian path in deviations: sqrt(8 / pi) (Feller 1951)


@dataclass(frozen=True)
class Day:
    """What the minutes add up to: prices in cents, volume in shares."""

    open: int
    high: int
    low: int
    close: int
    volume: int


@dataclass(frozen=True)
class Chance:
    """The random numbers of one day.

    Args:
        steps: one standard normal number a minute, the path's shocks, (minutes,).
        above: two a minute, for the minute's high, (2 * minutes,).
        below: two a minute, for its low.
        volume: one a minute, for its volume.
        extremes: two uniform numbers, for the times of high and low.
    """

    steps: Floats
    above: Floats
    below: Floats
    volume: Floats
    extremes: Floats


def minutes(day: Day, chance: Chance) -> Whole:
    """Open, high, low, close in cents and volume in shares of each minute, (5, minutes).

    The first open, the highest high, the lowest low and the last close are the day's, the volumes
    sum to the day's, and each minute opens where the one before closed.
    """
    pace = _u_shape(len(chance.steps), 1.5)
    reach = (day.high - day.low) / RANGE / np.sqrt(_running(pace * pace)[-1]) * pace
    path = _path(day, pace, _running(reach * chance.steps), chance.extremes)
    opened, closed = path[:-1], path[1:]
    high = np.minimum(whole(peak(opened, closed, reach, chance.above)), day.high)
    low = np.maximum(whole(-peak(-opened, -closed, reach, chance.below)), day.low)
    return np.stack((opened, high, low, closed, _shares(day.volume, path, reach, chance.volume)))


def peak(start: Whole, end: Whole, deviation: Floats, chance: Floats) -> Floats:
    """The highest points of Brownian bridges, with two normal numbers of `chance` for each.

    Source: Karatzas and Shreve (1991), problem 4.3.40, solved for the level; half the square sum
    of two normal numbers is an exponential one.
    """
    x, y = chance.reshape(-1, 2).T
    way = (end - start).astype(float)
    highest: Floats = start + end + np.sqrt(way * way + deviation * deviation * (x * x + y * y))
    return highest / 2.0


def skewed(z: Floats) -> Floats:
    """Positive factors near 1 with a long right tail, from standard normal numbers."""
    root = 1.0 + 0.08 * z
    return (root * root) * (root * root)


def whole(values: Floats) -> Whole:
    """The nearest whole numbers."""
    return np.rint(values).astype(np.int64)


def _u_shape(count: int, depth: float) -> Floats:
    """1 in the middle of the day, 1 + depth at its ends."""
    place = (2.0 * np.arange(count) + 1.0) / count - 1.0
    return 1.0 + depth * (place * place)


def _running(values: Floats) -> Floats:
    """Running sums, one addition after the other, from 0 on: one more than `values`."""
    return np.add.accumulate(np.concatenate(([0.0], values)))


def _path(day: Day, pace: Floats, walk: Floats, extremes: Floats) -> Whole:
    """The price before the first minute and after each, (minutes + 1,)."""
    clock, count = _running(pace * pace), len(pace)
    first, second = _turns(extremes, count)
    # On a day that rises the low comes first: that way is the shorter one.
    low_first = day.close >= day.open
    turns = (day.low, day.high) if low_first else (day.high, day.low)
    stops = ((0, day.open), (first, turns[0]), (second, turns[1]), (count, day.close))
    path = np.empty(count + 1)
    for (start, price), (stop, goal) in pairwise(stops):
        here = slice(start, stop + 1)
        done = (clock[here] - clock[start]) / (clock[stop] - clock[start])
        path[here] = price + (goal - price) * done
        path[here] += walk[here] - walk[start] - (walk[stop] - walk[start]) * done
    return whole(_folded(path, float(day.low), float(day.high)))


def _turns(extremes: Floats, count: int) -> tuple[int, int]:
    """Two different minutes within the day, in order, likelier near its ends."""
    smooth = extremes * extremes * (3.0 - 2.0 * extremes)
    first, second = sorted(1 + int(share * (count - 2)) for share in smooth.tolist())
    return first, max(second, first + 1)


def _folded(path: Floats, low: float, high: float) -> Floats:
    """The path, mirrored at low and high until it lies between them."""
    width = high - low
    if width == 0.0:
        return np.full_like(path, low)
    return high - np.abs(np.mod(path - low, 2.0 * width) - width)


def _shares(volume: int, path: Whole, reach: Floats, z: Floats) -> Whole:
    """The day's shares, dealt out to the minutes by time of day, movement and chance."""
    # One cent more keeps a day without movement finite.
    moved = np.abs(path[1:] - path[:-1]) / (reach + 1.0)
    dealt = _running(_u_shape(len(z), 2.0) * (0.5 + moved) * skewed(z))
    upto = np.floor(dealt * (volume / dealt[-1])).astype(np.int64)
    upto[-1] = volume
    dealt_out: Whole = np.diff(np.minimum(upto, volume))
    return dealt_out
