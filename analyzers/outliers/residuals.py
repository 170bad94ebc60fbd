"""What of a return neither benchmark nor sector explains."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Exposure:
    """Least squares of daily returns on the benchmark's and on the sector's excess, (N,) each.

    Args:
        beta: NaN where there are too few days.
        beta_sector: NaN where the sector's excess is not known on enough days, or varies only
            with the benchmark: the benchmark alone explains then.
        mean, deviation: of r - beta * r_benchmark - beta_sector * excess, sample deviation.
        count: days.
    """

    beta: Floats
    beta_sector: Floats
    mean: Floats
    deviation: Floats
    count: Floats

    def explained(self, benchmark: Floats, excess: Floats) -> Floats:
        """The part of returns (T, N) that is explained, from benchmark (T,) and excess (T, N)."""
        sector = np.where(np.isnan(self.beta_sector), 0.0, self.beta_sector * excess)
        return np.asarray(self.beta * benchmark[:, None] + sector)


def exposure(returns: Floats, benchmark: Floats, excess: Floats, least: int) -> Exposure:
    """Fit each column of returns (D, N) to benchmark (D,) and excess (D, N).

    Args:
        least: days that a fit needs.
    """
    y, x = returns, np.broadcast_to(benchmark[:, None], returns.shape)
    both = ~(np.isnan(y) | np.isnan(x) | np.isnan(excess))
    has_sector = both.sum(axis=0) >= least
    used = np.where(has_sector, both, ~(np.isnan(y) | np.isnan(x)))
    count = used.sum(axis=0).astype(np.float64)
    enough = count >= least
    y0, x0, s0 = (_centred(table, used, count) for table in (y, x, excess))
    s0 = np.where(has_sector, s0, 0.0)
    xx, ss, xs = (x0 * x0).sum(axis=0), (s0 * s0).sum(axis=0), (x0 * s0).sum(axis=0)
    xy, sy = (x0 * y0).sum(axis=0), (s0 * y0).sum(axis=0)
    rest = xx * ss - xs * xs
    two = enough & has_sector & (rest > 1e-9 * xx * ss)
    blank = np.full(count.shape, np.nan)
    one = np.divide(xy, xx, out=blank.copy(), where=enough & (xx > 0.0))
    beta = np.divide(xy * ss - sy * xs, rest, out=one, where=two)
    beta_sector = np.divide(sy * xx - xy * xs, rest, out=blank.copy(), where=two)
    left = y - beta * x - np.where(two, beta_sector * excess, 0.0)
    left = np.where(used, left, 0.0)
    mean = np.divide(left.sum(axis=0), count, out=blank.copy(), where=~np.isnan(beta))
    away = np.where(used, left - mean, 0.0)
    deviation = np.sqrt((away * away).sum(axis=0) / np.maximum(count - 1.0, 1.0))
    return Exposure(beta, beta_sector, mean, deviation, count)


def _centred(table: Floats, used: npt.NDArray[np.bool_], count: Floats) -> Floats:
    mean = np.where(used, table, 0.0).sum(axis=0) / np.maximum(count, 1.0)
    return np.where(used, table - mean, 0.0)
