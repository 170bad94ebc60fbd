"""The reasons of a hit, a sentence each."""

from collections.abc import Mapping

from analyzers.outliers.baseline import Baseline
from analyzers.outliers.report import Score
from analyzers.outliers.signals import (
    GAP,
    GAP_ATR,
    MODIFIED_Z,
    RANGE_ATR,
    RESIDUAL_Z,
    RVOL,
    SECTOR_Z,
    UNIVERSE_Z,
    VWAP_ATR,
    limit_of,
)

_TEXTS = {
    MODIFIED_Z: "modified z-score {:.2f} of the return to this minute over earlier sessions",
    GAP: "gap of {:+.2%} from the adjusted previous close",
    GAP_ATR: "gap of {:+.2f} ATR",
    RVOL: "relative volume {:.2f} to this minute (extreme)",
    RANGE_ATR: "range of {:.2f} ATR so far",
    RESIDUAL_Z: "residual return {:.2f} deviations from its usual",
    UNIVERSE_Z: "modified z-score {:.2f} across the universe",
    SECTOR_Z: "modified z-score {:.2f} across its sector",
    VWAP_ATR: "price {:+.2f} ATR from VWAP",
}


def reasons(
    scores: Mapping[str, Score], runs: Mapping[str, int], known: Baseline
) -> tuple[str, ...]:
    """What has lasted, in the order of the signals; volume that is active supports it."""
    told = [
        f"{text.format(scores[name].value)}, beyond {limit_of(name, known):g} "
        f"for {runs[name]} bars in a row"
        for name, text in _TEXTS.items()
        if runs.get(name, 0) >= known.limits.in_a_row
    ]
    volume = scores[RVOL].value
    limits = known.limits
    if volume is not None and volume > limits.rvol_active and runs.get(RVOL, 0) < limits.in_a_row:
        told.append(f"relative volume {volume:.2f} to this minute (active) supports it")
    return tuple(told)
