"""The signals of the screen: each a score and the inputs that it was made of.

A minute's scores depend on its own row of the tape and on the baseline, to the last bit, so that
many minutes at once and one after the other give the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyzers.outliers.baseline import Baseline
from analyzers.outliers.robust import Spread
from analyzers.outliers.tape import Tape

Floats = npt.NDArray[np.float64]

MODIFIED_Z, RESIDUAL_Z = "modified_z", "residual_z"
UNIVERSE_Z, SECTOR_Z = "universe_z", "sector_z"
GAP, GAP_ATR, RANGE_ATR, VWAP_ATR, RVOL = "gap", "gap_atr", "range_atr", "vwap_atr", "rvol"
Z_SCORES = (MODIFIED_Z, RESIDUAL_Z, UNIVERSE_Z, SECTOR_Z)


@dataclass(frozen=True, eq=False)
class Signal:
    """Scores (T, N), NaN where they are not known, and their inputs, which broadcast to (T, N)."""

    score: Floats
    inputs: Mapping[str, Floats]


def signals(tape: Tape, known: Baseline) -> dict[str, Signal]:
    """Every signal of the screen, in the order of its reports."""
    returns = tape.close / known.previous_close - 1.0
    return {
        MODIFIED_Z: _modified_z(tape, known, returns),
        GAP: _ratio(
            tape.open - known.previous_close,
            known.previous_close,
            {"open": tape.open, "previous_close": known.previous_close},
        ),
        GAP_ATR: _in_atrs(
            tape.open - known.previous_close,
            known,
            {"open": tape.open, "previous_close": known.previous_close},
        ),
        RVOL: _rvol(tape, known),
        RANGE_ATR: _in_atrs(tape.high - tape.low, known, {"high": tape.high, "low": tape.low}),
        RESIDUAL_Z: _residual_z(known, returns),
        UNIVERSE_Z: _among(returns, [np.arange(returns.shape[1])], known),
        SECTOR_Z: _among(returns, known.sectors.members(), known),
        VWAP_ATR: _vwap(tape, known),
    }


def limit_of(name: str, known: Baseline) -> float:
    """From where on the size of a score makes a hit."""
    limits = known.limits
    return {
        GAP: limits.gap,
        GAP_ATR: limits.gap_atr,
        RVOL: limits.rvol,
        RANGE_ATR: limits.range_atr,
        VWAP_ATR: limits.vwap_atr,
    }.get(name, limits.z)


def _modified_z(tape: Tape, known: Baseline, returns: Floats) -> Signal:
    """The return since the previous close among those to the same minute in the sessions before."""
    sample = np.concatenate((known.returns[tape.slots], returns[..., None]), axis=-1)
    spread = Spread.of(sample).beyond(known.limits.least_sessions + 1)
    inputs = {
        "return": returns, "median": spread.median, "mad": spread.mad,
        "sessions": spread.count - ~np.isnan(returns),
    }  # fmt: skip
    return Signal(spread.score(returns), inputs)


def _rvol(tape: Tape, known: Baseline) -> Signal:
    usual, count = known.mean_volume[tape.slots], known.sessions[tape.slots]
    traded = np.where(tape.volume > 0.0, tape.volume, np.nan)
    inputs = {"volume": tape.volume, "mean_volume": usual, "sessions": count}
    return _ratio(traded, usual, inputs)


def _residual_z(known: Baseline, returns: Floats) -> Signal:
    fit = known.exposure
    market = np.full(len(returns), np.nan)
    if known.benchmark is not None:
        market = np.ascontiguousarray(returns[:, known.benchmark])
    excess = known.sectors.excess(returns, market)
    residual = returns - fit.explained(market, excess)
    if known.benchmark is not None:
        residual[:, known.benchmark] = np.nan
    inputs = {
        "return": returns, "benchmark_return": market[:, None], "sector_excess": excess,
        "beta": fit.beta, "beta_sector": fit.beta_sector, "residual": residual,
        "mean": fit.mean, "deviation": fit.deviation, "days": fit.count,
    }  # fmt: skip
    # A fit that leaves next to nothing has no residual to speak of.
    usual = np.where(fit.deviation > 1e-9, fit.deviation, np.nan)
    return _ratio(residual - fit.mean, usual, inputs)


def _among(returns: Floats, groups: list[npt.NDArray[np.int64]], known: Baseline) -> Signal:
    """Modified z of the returns so far across each group of columns at the same minute."""
    names = ("score", "median", "mad", "members")
    tables = {name: np.full(returns.shape, np.nan) for name in names}
    for columns in groups:
        held = np.ascontiguousarray(returns[:, columns])
        spread = Spread.of(held).wide()
        tables["members"][:, columns] = spread.count
        spread = spread.beyond(known.limits.least_members)
        tables["score"][:, columns] = spread.score(held)
        tables["median"][:, columns] = spread.median
        tables["mad"][:, columns] = spread.mad
    return Signal(tables.pop("score"), {"return": returns, **tables})


def _vwap(tape: Tape, known: Baseline) -> Signal:
    vwap = np.divide(
        tape.turnover, tape.volume, out=np.full(tape.volume.shape, np.nan), where=tape.volume > 0.0
    )
    return _in_atrs(tape.close - vwap, known, {"price": tape.close, "vwap": vwap})


def _in_atrs(distance: Floats, known: Baseline, inputs: Mapping[str, Floats]) -> Signal:
    return _ratio(distance, known.atr, {**inputs, "atr": known.atr})


def _ratio(above: Floats, below: Floats, inputs: Mapping[str, Floats]) -> Signal:
    whole = np.broadcast_to(below, above.shape)
    score = np.divide(above, whole, out=np.full(above.shape, np.nan), where=whole > 0.0)
    return Signal(score, inputs)
