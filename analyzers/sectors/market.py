"""The market block of the sector report."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from analyzers.sectors.panel import Panel
from analyzers.sectors.parts import MarketPart
from strategies.arrays import momentum, sma

Floats = npt.NDArray[np.float64]

RISK_ON = ("XLY", "XLP")
MEAN, CHANGE = 50, 21


def market_part(panel: Panel, returns: Mapping[str, Floats], no_benchmark: str) -> MarketPart:
    """Measure the market.

    Args:
        returns: of the sectors' members by horizon, (S,).
        no_benchmark: why there is none.
    """
    own = {key: float(values[0]) for key, values in panel.market_returns.items()}
    dispersion = {key: _deviation(values) for key, values in returns.items()}
    lines = panel.lines
    above = _share(lines[-1], sma(lines, MEAN)[-1])
    ratio, why = _risk_on(panel)
    change = momentum(ratio, CHANGE)[-1]
    told: dict[str, str] = {}
    for key, value in own.items():
        if np.isnan(value):
            told[f"benchmark_returns.{key}"] = no_benchmark or "it has too few bars"
    for key, value in dispersion.items():
        if np.isnan(value):
            told[f"dispersion.{key}"] = "fewer than two sectors have a return"
    if np.isnan(above):
        told["above_50"] = f"no sector's line has {MEAN} days"
    for name, value in (("risk_on", ratio[-1]), ("risk_on_change", change)):
        if np.isnan(value):
            told[name] = why or f"the funds have fewer than {CHANGE + 1} days together"
    return MarketPart(
        benchmark_returns=own,
        dispersion=dispersion,
        above_50=above,
        risk_on=float(ratio[-1]),
        risk_on_change=float(change),
        reasons=told,
    )


def _deviation(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else np.nan


def _share(values: Floats, means: Floats) -> float:
    known = ~np.isnan(means)
    return float((values[known] > means[known]).mean()) if known.any() else np.nan


def _risk_on(panel: Panel) -> tuple[Floats, str]:
    """The ratio of the two funds by row, and why there is none."""
    numbers = [panel.bars.number(etf) for etf in RISK_ON]
    over, under = numbers
    if over is None or under is None:
        lacking = [etf for etf, number in zip(RISK_ON, numbers, strict=True) if number is None]
        return np.full(len(panel.bars.index), np.nan), f"{' and '.join(lacking)}: no bars"
    close = panel.bars.close
    ended = " or ".join(RISK_ON)
    why = "" if not np.isnan(close[-1, [over, under]]).any() else f"{ended} has no bar on the day"
    return close[:, over] / close[:, under], why
