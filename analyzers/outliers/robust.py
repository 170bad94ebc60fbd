"""Scores by median and MAD along the last axis, and what many of them together are worth.

NaN do not count. A row depends on itself alone, to the last bit.
"""

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_erfc = np.frompyfunc(erfc, 1, 1)


@dataclass(frozen=True, eq=False)
class Spread:
    """What is usual in a sample: (...,) each.

    Args:
        median, mad: NaN where the sample is empty.
        mean_deviation: mean absolute deviation from the median.
        count: values that are no NaN.
    """

    median: Floats
    mad: Floats
    mean_deviation: Floats
    count: Floats

    @staticmethod
    def of(sample: Floats) -> "Spread":
        """Of a sample (..., S), which must be in one piece of memory."""
        count = (~np.isnan(sample)).sum(axis=-1)
        median = _median(sample, count)
        away = np.abs(sample - median[..., None])
        mad = _median(away, count)
        total = np.where(np.isnan(away), 0.0, away).sum(axis=-1)
        mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        return Spread(median, mad, mean, count.astype(np.float64))

    def beyond(self, least: int) -> "Spread":
        """NaN for those of fewer than `least` values."""
        few = self.count < least
        return Spread(
            np.where(few, np.nan, self.median), np.where(few, np.nan, self.mad),
            np.where(few, np.nan, self.mean_deviation), self.count,
        )  # fmt: skip

    def wide(self) -> "Spread":
        """With a last axis of one, to be set against the members of the sample."""
        return Spread(
            self.median[..., None], self.mad[..., None], self.mean_deviation[..., None],
            self.count[..., None],
        )  # fmt: skip

    def score(self, values: Floats) -> Floats:
        """Modified z: 0.6745 (x - median) / MAD; NaN where the sample does not vary.

        Where the MAD is 0: (x - median) / (1.253314 mean absolute deviation).

        Source: Iglewicz and Hoaglin (1993).
        """
        scale = np.where(self.mad == 0.0, 1.253314 * self.mean_deviation, self.mad / 0.6745)
        away = values - self.median
        blank = np.full(away.shape, np.nan)
        return np.asarray(np.divide(away, scale, out=blank, where=scale > 0.0))


def _median(sample: Floats, count: npt.NDArray[np.int64]) -> Floats:
    ordered = np.sort(sample, axis=-1)  # NaN last
    low, high = (
        np.take_along_axis(ordered, place[..., None], axis=-1)[..., 0]
        for place in (np.maximum(count - 1, 0) // 2, np.minimum(count // 2, sample.shape[-1] - 1))
    )
    return np.asarray((low + high) / 2.0)


def two_sided(z: Floats) -> Floats:
    """The chance that a standard normal value is at least as far from 0; NaN stays.

    >>> two_sided(np.array([0.0, 1.959964])).round(6).tolist()
    [1.0, 0.05]
    """
    return np.asarray(_erfc(np.abs(z) / sqrt(2.0)), dtype=np.float64)


def adjusted(p: Floats) -> Floats:
    """p-values (..., N) adjusted by Benjamini and Hochberg (1995); NaN is no test and stays.

    Those at most q are discoveries at the false discovery rate q.
    """
    count = (~np.isnan(p)).sum(axis=-1, keepdims=True)
    order = np.argsort(p, axis=-1, kind="stable")
    ranks = np.arange(1.0, p.shape[-1] + 1.0)
    scaled = np.take_along_axis(p, order, axis=-1) * count / ranks
    scaled[np.isnan(scaled)] = np.inf
    least = np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    answer = np.empty_like(p)
    np.put_along_axis(answer, order, np.minimum(least, 1.0), axis=-1)
    answer[np.isnan(p)] = np.nan
    return answer
