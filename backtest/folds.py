"""Parameters chosen by purged k-fold: each stretch of time judged by what the others chose.

A rule learns nothing but its parameters. What is validated is the choice: in each fold the best set
of the training bars is judged on the fold, and every set by its mean over the folds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan, sqrt
from typing import Any

import backtrader as bt
import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers import metrics
from analyzers.study.splits import PurgedKFold
from backtest import sweeps
from backtest.asked import asked
from backtest.inputs import only_frames
from backtest.outcomes import Outcomes
from backtest.sweep_spec import SweepSpec
from backtest.windows import Frames, between, every_start
from brokers.errors import ConfigError, DataError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FoldsResult:
    """What each fold says of each set.

    Args:
        table: a row a set: the swept parameters, its score in each fold (`fold_1`, ...), their
            `mean` and `deviation` (ddof 1) over the folds that have one.
        folds: a row a fold: its times, the set that the training bars chose, that set's score in
            training and in the fold, and the share of sets that did worse there (0.5 is chance).
        names: the swept parameters.
        objective: what is scored; the largest is best.
        fixed: parameters that were the same in every set.
    """

    table: pd.DataFrame
    folds: pd.DataFrame
    names: tuple[str, ...]
    objective: str
    fixed: Mapping[str, Any]

    @property
    def best_params(self) -> dict[str, Any]:
        """All parameters of the set with the largest mean over the folds, for `run`.

        Raises:
            DataError: no set has a score in every fold.
        """
        scores = [f"fold_{number}" for number in range(1, len(self.folds) + 1)]
        known = self.table.dropna(subset=scores)
        if known.empty:
            raise DataError(
                f"no set has a {self.objective} in every fold: fewer folds, or more bars"
            )
        row = int(known.index[int(known["mean"].argmax())])
        return {**self.fixed, **{name: self.table[name].tolist()[row] for name in self.names}}


def purged_folds(
    strategy: str | type[bt.Strategy] | SweepSpec,
    bars: Any,
    grid: Mapping[str, Any] | None = None,
    *,
    folds: int = 5,
    purge: int = 0,
    embargo: int = 0,
    **how: Any,
) -> FoldsResult:
    """Score every set of a sweep in each fold, and the choice that the other folds would make.

    Every stretch of bars runs by itself and begins flat, without the bars before it. A training
    set of two stretches, before and after the fold, is scored as one: the Sharpe ratio from the
    returns of both, a total return by compounding, any other metric as the mean by length.

    Args:
        strategy: as in `backtest.sweep`; or a SweepSpec. The search must be grid or random, so
            that every stretch tries the same.
        bars: a bar frame, or several in a list or a dict by symbol.
        grid: the values to try by parameter.
        folds: equal stretches of time, at least 2.
        purge: bars before a fold that are not trained on; as many as a position may last.
        embargo: bars after a fold that are not trained on.
        how: other keywords of `backtest.sweep`.

    Raises:
        ConfigError: the folds do not fit, or something about the sweep is wrong.
        DataError: the bars or the ledger cannot be used.
    """
    spec = asked(strategy, grid, how)
    if spec.search == "tpe":
        raise ConfigError("search=tpe tries other sets in every fold: use grid or random")
    frames = only_frames(bars)
    starts = every_start(frames)
    chosen = replace(spec, confirm=0)
    # A scored stretch ends `purge` bars later, as a position may that it opened.
    at = np.arange(len(starts))
    try:
        splits = list(PurgedKFold(at, at + purge, folds, embargo).split())
    except ValueError as error:
        raise ConfigError(f"folds={folds}: {error}") from error
    scored = [_fold(chosen, frames, starts, train, test) for train, test in splits]
    return _result(spec, scored)


@dataclass(frozen=True, eq=False)
class _Scored:
    sets: pd.DataFrame
    train: Floats
    test: Floats
    begins: pd.Timestamp
    ends: pd.Timestamp


def _fold(
    spec: SweepSpec,
    frames: Frames,
    starts: pd.DatetimeIndex,
    train: npt.NDArray[np.intp],
    test: npt.NDArray[np.intp],
) -> _Scored:
    if not len(train):
        raise ConfigError("purge and embargo leave nothing to train on: make them smaller")
    stretches = np.split(train, np.flatnonzero(np.diff(train) > 1) + 1)
    parts = [_evaluated(spec, frames, starts, stretch) for stretch in stretches]
    judged, names = _evaluated(spec, frames, starts, test), list(spec.axes.axes)
    sets, a_year = judged.table[names], metrics.periods_per_year(starts)
    return _Scored(
        sets,
        _pooled([part.outcomes for part in parts], spec.objective, a_year),
        judged.outcomes.metrics[spec.objective],
        starts[test[0]],
        starts[test[-1]],
    )


def _evaluated(
    spec: SweepSpec, frames: Frames, starts: pd.DatetimeIndex, rows: npt.NDArray[np.intp]
) -> Any:
    until = starts[rows[-1] + 1] if rows[-1] + 1 < len(starts) else None
    return sweeps.execute(spec, between(frames, starts[rows[0]], until))


def _pooled(parts: Sequence[Outcomes], objective: str, a_year: float) -> Floats:
    """The objective of several stretches as if they were one."""
    if len(parts) == 1:
        return parts[0].metrics[objective]
    sizes = np.stack([part.periods for part in parts]).astype(np.float64)
    if objective == "total_return":
        growth: Floats = np.prod([1.0 + part.metrics[objective] for part in parts], axis=0)
        return growth - 1.0
    if objective != "sharpe":
        values = np.stack([part.metrics[objective] for part in parts])
        mean: Floats = (values * sizes).sum(axis=0) / sizes.sum(axis=0)
        return mean
    means, deviations = (np.stack([p.moments[:, place] for p in parts]) for place in (0, 1))
    total = sizes.sum(axis=0)
    mean = (means * sizes).sum(axis=0) / total
    squares = (deviations**2 * (sizes - 1) + sizes * (means - mean) ** 2).sum(axis=0)
    deviation = np.sqrt(squares / (total - 1))
    sharpe = np.full(len(mean), nan)
    np.divide(sqrt(a_year) * mean, deviation, out=sharpe, where=deviation > metrics.ROUNDING)
    return sharpe


def _result(spec: SweepSpec, scored: Sequence[_Scored]) -> FoldsResult:
    names = tuple(spec.axes.axes)
    columns = {f"fold_{number}": fold.test for number, fold in enumerate(scored, 1)}
    table = scored[0].sets.assign(**columns)
    table["mean"] = table[list(columns)].mean(axis=1)
    table["deviation"] = table[list(columns)].std(axis=1)
    rows = [_row(fold, names) for fold in scored]
    return FoldsResult(table, pd.DataFrame(rows), names, spec.objective, dict(spec.params))


def _row(fold: _Scored, names: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"from": fold.begins, "to": fold.ends}
    if np.isnan(fold.train).all():
        return {**told, "train": nan, "test": nan, "beats": nan}
    best = int(np.nanargmax(fold.train))
    others = np.delete(fold.test, best)
    others = others[~np.isnan(others)]
    beaten = np.mean(others < fold.test[best]) if len(others) else nan
    return {
        **told,
        **{name: fold.sets[name].tolist()[best] for name in names},
        "train": fold.train[best],
        "test": fold.test[best],
        "beats": float(beaten),
    }
