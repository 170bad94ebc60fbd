"""What a line of prices has done, column by column: (T, S) in, the last row's values out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyzers.sectors.parts import Quadrant
from analyzers.sectors.settings import YEAR, SectorSettings
from strategies.arrays import momentum, shift, sma

Floats = npt.NDArray[np.float64]

HORIZONS = (1, 5, 21, 63, 126, 252)
YEAR_TO_DATE = "ytd"
STILL = 1e-20  # a variation of returns that is rounding alone


@dataclass(frozen=True, eq=False)
class Drawn:
    """The last values of S lines.

    Args:
        level, slope, percentile: of the relative strength.
        rotation, turning: relative strength over its mean less 1, and the change of that.
    """

    level: Floats
    slope: Floats
    percentile: Floats
    beta: Floats
    residual: Floats
    drawdown: Floats
    rotation: Floats
    turning: Floats


def drawn(lines: Floats, benchmark: Floats, settings: SectorSettings) -> Drawn:
    """Measure lines of any level.

    Args:
        benchmark: (T,), NaN where there is none.
    """
    relative = lines / benchmark[:, None]
    away = relative / sma(relative, settings.rotation) - 1.0
    beta, residual = _regression(momentum(lines, 1), momentum(benchmark, 1))
    return Drawn(
        level=100.0 * (1.0 + momentum(relative, YEAR)[-1]),
        slope=_slope(np.log(_last(relative, settings.slope))) * YEAR,
        percentile=_percentile(_last(relative, YEAR)),
        beta=beta,
        residual=residual,
        drawdown=lines[-1] / _last(lines, YEAR).max(axis=0) - 1.0,
        rotation=away[-1],
        turning=(away - shift(away, settings.rotation_back))[-1],
    )


def returns(close: Floats, last_year: int | None) -> dict[str, Floats]:
    """Simple returns to the last row by horizon, and the year to date.

    Args:
        last_year: the last row of the year before; None where it is not among the rows.
    """
    found = {str(bars): momentum(close, bars)[-1] for bars in HORIZONS}
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = _blank(close) if last_year is None else close[-1] / close[last_year] - 1.0
    return {**found, YEAR_TO_DATE: whole}


def less(values: Mapping[str, Floats], other: Mapping[str, Floats]) -> dict[str, Floats]:
    """The difference by key."""
    return {key: value - other[key] for key, value in values.items()}


def quadrant(strength: float, turning: float) -> Quadrant | None:
    """Where a line stands among stronger or weaker and rising or falling; None where unknown.

    >>> quadrant(0.01, -0.002)
    'weakening'
    """
    if np.isnan(strength) or np.isnan(turning):
        return None
    if strength >= 0:
        return "leading" if turning >= 0 else "weakening"
    return "improving" if turning >= 0 else "lagging"


def _blank(values: Floats) -> Floats:
    return np.full(values.shape[1:], np.nan)


def _last(values: Floats, rows: int) -> Floats:
    """The last rows; all NaN where there are fewer."""
    return values[-rows:] if len(values) >= rows else np.full_like(values[-1:], np.nan)


def _slope(values: Floats) -> Floats:
    """Of a straight line by least squares, a row."""
    x = np.arange(len(values)) - (len(values) - 1) / 2.0
    square = float(np.square(x).sum())
    found: Floats = (x[:, None] * values).sum(axis=0) / square if square else _blank(values)
    return found


def _percentile(values: Floats) -> Floats:
    share: Floats = (values <= values[-1]).mean(axis=0)
    share[np.isnan(values).any(axis=0)] = np.nan
    return share


def _regression(lines: Floats, benchmark: Floats) -> tuple[Floats, Floats]:
    """Slope of a year's returns towards the benchmark's, and the sum of what that leaves."""
    y, x = _last(lines, YEAR), _last(benchmark[:, None], YEAR)
    away = x - x.mean(axis=0)
    variation = np.square(away).sum(axis=0)
    beta = np.full(y.shape[1], np.nan)
    np.divide((away * y).sum(axis=0), variation, out=beta, where=variation > STILL)
    residual: Floats = (y - beta * x).sum(axis=0)
    return beta, residual
