"""What a sweep leaves behind: one row a set, the best of them, and how much chance is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from analyzers import overfit
from analyzers.plain import plain
from backtest.ledger import Tried
from backtest.outcomes import METRICS, Outcomes
from brokers.errors import DataError
from feeds.passport import Passport

if TYPE_CHECKING:
    from backtest.figures import Chart

FAILED = "failed"
COMPARED = 2_000  # sets whose blocks are compared for PBO; more are thinned evenly
HELD = 500_000  # Sharpe ratios in memory meanwhile


class Overfit(NamedTuple):
    """How much of the best set's Sharpe ratio is left when chance is counted.

    Args:
        trials: distinct sets that the ledger knows for this strategy on these bars, whenever they
            were tried and whichever metric chose among them.
        sharpe: of the best set, per period.
        chance: the Sharpe ratio per period that the best of so many without skill would show.
        psr: probability that the true Sharpe ratio is above 0, as if it had been the only trial.
        dsr: the same above `chance`: what is left of `psr` after all trials.
        min_track_record: periods that would show with 95 % confidence that it is above 0.
        pbo: probability that the best in one half of the time is below the median in the other.
    """

    trials: int
    sharpe: float
    chance: float
    psr: float
    dsr: float
    min_track_record: float
    pbo: float


@dataclass(frozen=True, repr=False, eq=False)
class SweepResult:
    """One sweep, complete, or partial when it was interrupted.

    Args:
        table: a row a set in the order of the search: the swept parameters, METRICS, and `failed`,
            the reason why a set has no numbers, be it an error or "pruned after N of M bars".
        names: the swept parameters.
        objective: the metric whose largest value is best.
        outcomes: the same rows with what the statistics need.
        config: the sweep as `SweepSpec.as_dict` tells it.
        passports: of the bars, by symbol.
        engine: cerebro or compiled.
        engine_reason: why it was not compiled; empty when it was.
        wall_s: how long it took.
        left_out: combinations that the constraint or the strategy denied.
        tried: what the ledger knows, this sweep included.
        known: how many of the rows were in the ledger already.
        confirmed: rows that were replayed in Backtrader with the same fills.
        partial: it was interrupted; the rows are those that were finished.
    """

    table: pd.DataFrame
    names: tuple[str, ...]
    objective: str
    outcomes: Outcomes
    config: Mapping[str, Any]
    passports: Mapping[str, Passport]
    engine: str
    engine_reason: str
    wall_s: float
    left_out: int
    tried: Tried
    known: int = 0
    confirmed: tuple[int, ...] = ()
    partial: bool = False

    def __len__(self) -> int:
        return len(self.table)

    @property
    def strategy(self) -> str:
        """The strategy's name."""
        return str(self.config["strategy"])

    @property
    def trials(self) -> int:
        """Distinct sets ever tried with this strategy on these bars."""
        return self.tried.trials

    @property
    def failures(self) -> int:
        """How many sets failed; the pruned ones did not."""
        return len(self.outcomes.failures) - self.outcomes.pruned

    def ranked(self) -> pd.DataFrame:
        """The sets that have an objective, the best first; of equal ones the earlier first."""
        known = self.table[self.table[self.objective].notna()]
        return known.sort_values(self.objective, ascending=False, kind="stable")

    def best(self) -> pd.Series[Any]:
        """The row of the best set; its name is its number in the table.

        Raises:
            DataError: no set has an objective, such as a Sharpe ratio without any trade.
        """
        ranked = self.ranked()
        if ranked.empty:
            raise DataError(
                f"no set has a {self.objective}: none of {len(self)} traded enough: widen the "
                "grid, or take more bars"
            )
        return ranked.iloc[0]

    @property
    def best_params(self) -> dict[str, Any]:
        """All parameters of the best set, fixed ones too, for `run`."""
        row = int(str(self.best().name))
        chosen = {name: plain(self.table[name].iloc[row]) for name in self.names}
        return {**self.config["params"], **chosen}

    @cached_property
    def overfit(self) -> Overfit:
        """What chance explains, computed on first use; NaN where the returns do not tell."""
        row = int(str(self.best().name))
        mean, deviation, skew, kurtosis = self.outcomes.moments[row].tolist()
        periods = int(self.outcomes.periods[row])
        sharpe = mean / deviation if deviation > 0 else float("nan")
        spread = (sharpe, periods, skew, kurtosis)
        variance = self.tried.variance if isfinite(self.tried.variance) else 0.0
        return Overfit(
            self.trials,
            sharpe,
            overfit.chance_sharpe(self.trials, variance),
            overfit.psr(*spread),
            overfit.deflated_sharpe(*spread, self.trials, variance),
            overfit.min_track_record(sharpe, skew, kurtosis),
            overfit.pbo(self._compared(), held=HELD).value,
        )

    def _compared(self) -> Any:
        succeeded = np.flatnonzero(self.outcomes.periods > 0)
        if len(succeeded) > COMPARED:
            places = np.linspace(0, len(succeeded) - 1, COMPARED).astype(np.int64)
            succeeded = succeeded[places]
        return self.outcomes.blocks[succeeded]

    def as_json(self) -> dict[str, Any]:
        """The sweep in one object of plain values, null for what is not determined, never NaN.

        ================  ==============================================================
        strategy          its name
        best              the best set: all its parameters and its row of the table
        objective         the metric that chose it
        sets, failed      rows of the table, and how many of them failed
        pruned            rows that were given up on a part of the bars
        left_out          combinations that constraint or strategy denied
        known             rows that the ledger had already
        trials            distinct sets ever tried with this strategy on these bars
        seconds           how long it took
        engine            cerebro or compiled, with engine_reason
        confirmed         how many sets were replayed in Backtrader with the same fills
        psr, dsr, pbo     see `Overfit`, as well as min_track_record
        ledger            where the trials are kept
        partial           true when it was interrupted
        ================  ==============================================================
        """
        facts: dict[str, Any] = self._chance() | {
            "strategy": self.strategy,
            "objective": self.objective,
            "sets": len(self),
            "failed": self.failures,
            "pruned": self.outcomes.pruned,
            "left_out": self.left_out,
            "known": self.known,
            "seconds": self.wall_s,
            "engine": self.engine,
            "engine_reason": self.engine_reason,
            "search": self.config["search"],
            "backend": self.config["backend"],
            "confirmed": len(self.confirmed),
            "ledger": self.config["ledger"],
            "partial": self.partial,
        }
        return {name: _told(value) for name, value in facts.items()}

    def _chance(self) -> dict[str, Any]:
        """The best set and what chance explains of it, null where no set has an objective."""
        names = ("psr", "dsr", "min_track_record", "pbo")
        if self.ranked().empty:
            return {"best": None, "trials": self.trials, **dict.fromkeys(names)}
        row, known = self.best(), self.overfit._asdict()
        best = self.best_params | {name: row[name] for name in METRICS}
        # The Sharpe ratios per period stay out: they are too easily taken for the annual one.
        return {"best": best, "trials": self.trials, **{name: known[name] for name in names}}

    def heatmap(self, x: str | None = None, y: str | None = None) -> Chart:
        """The objective over two parameters, the best over all others, as a matplotlib Figure.

        Args:
            x, y: the parameters; None takes the first two that were swept.

        Raises:
            ConfigError: one was not swept.
        """
        from backtest.sweep_figures import heatmap  # noqa: PLC0415  matplotlib is slow to import

        return heatmap(self, x, y)

    def parallel_coordinates(self) -> Chart:
        """Every set as a line through its parameters and its objective, as a matplotlib Figure."""
        from backtest.sweep_figures import parallel_coordinates  # noqa: PLC0415  it is slow to import

        return parallel_coordinates(self)

    def save(self, folder: str | Path) -> Path:
        """Write sweep.json and sets.parquet into `folder`. Returns the folder.

        Raises:
            ConfigError: it cannot be written there.
        """
        from backtest.sweep_archive import save  # noqa: PLC0415  it imports this module

        return save(self, Path(folder))

    @staticmethod
    def load(folder: str | Path) -> SweepResult:
        """The result that `save` wrote, equal to the last bit.

        Raises:
            DataError: nothing complete was saved there, or it was changed since.
        """
        from backtest.sweep_archive import load  # noqa: PLC0415  it imports this module

        return load(Path(folder))

    def __repr__(self) -> str:
        state = ", PARTIAL" if self.partial else ""
        failed = f", {self.failures} failed" if self.failures else ""
        pruned = f", {self.outcomes.pruned} pruned" if self.outcomes.pruned else ""
        return (
            f"SweepResult({self.strategy}: {len(self):,} sets{failed}{pruned} of {self.trials:,} "
            f"trials in all, {self.engine}{state})"
        )

    def _repr_html_(self) -> str:
        from backtest.sweep_cards import card  # noqa: PLC0415  for notebooks alone

        return card(self)


def table_of(
    sets: Sequence[Mapping[str, Any]], names: Sequence[str], outcomes: Outcomes
) -> pd.DataFrame:
    """One row a set: parameters, metrics, and the reason of those that failed."""
    reasons = np.full(len(sets), None, dtype=object)
    for row, reason in outcomes.failures.items():
        reasons[row] = reason
    return pd.DataFrame(
        {
            **{name: _column([params[name] for params in sets]) for name in names},
            **{name: outcomes.metrics[name] for name in METRICS},
            FAILED: pd.Series(reasons, dtype="str"),
        }
    )


def _column(values: list[Any]) -> Any:
    """The same column; pandas would go through a list of numbers item by item, several times."""
    kinds = set(map(type, values))
    return np.array(values) if kinds in ({int}, {float}) else values


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _told(member) for name, member in value.items()}
    return None if isinstance(value, float) and not isfinite(value) else plain(value)
