"""Why a score is not known, in words."""

import numpy as np

from analyzers.outliers.baseline import Baseline
from analyzers.outliers.days import NO_CLOSE
from analyzers.outliers.signals import (
    MODIFIED_Z,
    RESIDUAL_Z,
    RVOL,
    SECTOR_Z,
    UNIVERSE_Z,
    VWAP_ATR,
    Signal,
)

DOES_NOT_VARY = "the sample does not vary"


def why_null(name: str, signal: Signal, cell: tuple[int, int], known: Baseline) -> str:
    """The first thing that lacks for the score of one minute and column."""
    column = cell[1]
    values = {key: _at(table, cell, signal.score.shape) for key, table in signal.inputs.items()}
    if np.isnan(values.get("previous_close", values.get("return", 0.0))):
        return known.without_daily.get(column, NO_CLOSE)
    if np.isnan(values.get("atr", 0.0)):
        fewer = f"fewer than {known.limits.atr_days + 1} daily bars before this session"
        return known.without_daily.get(column, fewer)
    if values.get("atr") == 0.0:
        return "the average true range is 0"
    return _OWN[name](values, column, known)


def _of_modified_z(values: dict[str, float], column: int, known: Baseline) -> str:
    del column
    if values["sessions"] < known.limits.least_sessions:
        return _few_sessions(known)
    return DOES_NOT_VARY


def _of_rvol(values: dict[str, float], column: int, known: Baseline) -> str:
    if column in known.mixed:
        return known.mixed[column]
    if values["sessions"] < known.limits.least_sessions:
        return _few_sessions(known)
    return "no volume today" if values["mean_volume"] > 0.0 else "no volume in the sessions before"


def _of_residual_z(values: dict[str, float], column: int, known: Baseline) -> str:
    if known.benchmark is None:
        return f"the benchmark {known.benchmark_name} has no bars"
    if known.benchmark == column:
        return "it is the benchmark"
    if np.isnan(values["benchmark_return"]):
        return f"the benchmark {known.benchmark_name} has no bar yet, or no previous close"
    if values["days"] < known.limits.least_residual_days:
        least, window = known.limits.least_residual_days, known.limits.residual_days
        return f"fewer than {least} of {window} daily returns beside the benchmark's"
    if np.isnan(values["sector_excess"]) and not np.isnan(values["beta_sector"]):
        return "nobody else of its sector has a bar yet"
    return "the residuals do not vary"


def _of_sector_z(values: dict[str, float], column: int, known: Baseline) -> str:
    if known.sectors.names[column] is None:
        return "its sector is not known"
    return _of_universe_z(values, column, known)


def _of_universe_z(values: dict[str, float], column: int, known: Baseline) -> str:
    del column
    if values["members"] < known.limits.least_members:
        return f"fewer than {known.limits.least_members} members with a return"
    return DOES_NOT_VARY


def _of_vwap(values: dict[str, float], column: int, known: Baseline) -> str:
    del values, column, known
    return "no volume today"


_OWN = {
    MODIFIED_Z: _of_modified_z,
    RVOL: _of_rvol,
    RESIDUAL_Z: _of_residual_z,
    SECTOR_Z: _of_sector_z,
    UNIVERSE_Z: _of_universe_z,
    VWAP_ATR: _of_vwap,
}


def _few_sessions(known: Baseline) -> str:
    least, window = known.limits.least_sessions, known.limits.sessions
    return f"fewer than {least} of the {window} sessions before have this minute"


def _at(table: np.ndarray, cell: tuple[int, int], shape: tuple[int, ...]) -> float:
    return float(np.broadcast_to(table, shape)[cell])
