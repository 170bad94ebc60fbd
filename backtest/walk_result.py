"""What a walk-forward leaves behind: its windows, the chained test equity, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzers.plain import plain
from backtest.windows import Window

if TYPE_CHECKING:
    from backtest.figures import Chart


@dataclass(frozen=True, eq=False)
class Walk:
    """One window.

    Args:
        params: the best set of the training window; None where no set had an objective.
        train_sharpe, train_return: of that set in training; the return is a year's.
        test_sharpe, test_return: of the test; the return is a year's. NaN where not determined.
        equity: account by end of the test bars.
        trades: as `analyzers.trades.Ledger` gives them, of the test alone.
        objective: the value for which the set was chosen.
        sets: how many were tried in training.
        why_idle: why the test was spent in cash.
    """

    window: Window
    params: Mapping[str, Any] | None
    train_sharpe: float
    train_return: float
    test_sharpe: float
    test_return: float
    equity: "pd.Series[float]"
    trades: pd.DataFrame
    objective: float
    sets: int
    why_idle: str = ""

    @property
    def final_value(self) -> float:
        """The account at the end of the test."""
        return float(self.equity.iloc[-1])


@dataclass(frozen=True, repr=False, eq=False)
class WalkForwardResult:
    """Every test chained to one account, and how stable the choices were.

    Args:
        walks: oldest first.
        equity: of all tests, each going on from the end of the one before.
        trades: of all tests.
        metrics: see `analyzers.metrics.summary`, over `equity`.
        config: the sweep of each window, and whether it was anchored.
        grid: the values tried by parameter.
        partial: it was interrupted; what is here was finished.
    """

    walks: tuple[Walk, ...]
    equity: "pd.Series[float]"
    trades: pd.DataFrame
    metrics: Mapping[str, float | int | None]
    config: Mapping[str, Any]
    grid: Mapping[str, tuple[Any, ...]]
    partial: bool = False

    @property
    def final_value(self) -> float:
        """The account at the end of the last test."""
        return float(self.equity.iloc[-1])

    @property
    def efficiency(self) -> float:
        """Mean return a year in the tests over that in training: 1 keeps all, below 0.5 little.

        NaN where training did not gain.

        Source: Pardo, The Evaluation and Optimization of Trading Strategies (2008), chapter 11.
        """
        used = [walk for walk in self.walks if walk.params is not None]
        if not used:
            return nan
        trained = float(np.mean([walk.train_return for walk in used]))
        tested = float(np.mean([walk.test_return for walk in used]))
        return tested / trained if trained > 0 else nan

    @property
    def trials(self) -> int:
        """Sets tried in all training windows together."""
        return sum(walk.sets for walk in self.walks)

    def windows(self) -> pd.DataFrame:
        """A row a window: its times, the chosen parameters, and training beside test."""
        return pd.DataFrame([_row(walk, list(self.grid)) for walk in self.walks])

    def stability(self) -> pd.DataFrame:
        """A row a swept parameter: how far the choice moved from window to window.

        `distinct` values were chosen, the `most_common` one in a `share` of the windows; `step` is
        the mean change from one window to the next in places of the grid, over the places that it
        has (0 is steady, about a third is as if drawn at random).
        """
        used = [walk.params for walk in self.walks if walk.params is not None]
        return pd.DataFrame(
            [
                _moved(name, values, [one[name] for one in used])
                for name, values in self.grid.items()
            ]
        )

    def as_json(self) -> dict[str, Any]:
        """The result in one object of plain values; null for what is not determined."""
        told: dict[str, Any] = plain(
            {
                "strategy": self.config["strategy"],
                "windows": [_told(_row(walk, list(self.grid))) for walk in self.walks],
                "idle": sum(walk.params is None for walk in self.walks),
                "final_value": self.final_value,
                "metrics": dict(self.metrics),
                "efficiency": self.efficiency if isfinite(self.efficiency) else None,
                "stability": [_told(row) for row in self.stability().to_dict("records")],
                "trials": self.trials,
                "anchored": self.config["anchored"],
                "partial": self.partial,
            }
        )
        return told

    def figure(self) -> "Chart":
        """The chained equity with its windows, and the chosen parameters below."""
        from backtest.walk_figures import figure  # noqa: PLC0415  matplotlib is slow to import

        return figure(self)

    def __repr__(self) -> str:
        state = ", PARTIAL" if self.partial else ""
        return (
            f"WalkForwardResult({self.config['strategy']}: {len(self.walks)} windows, "
            f"efficiency {self.efficiency:.2f}{state})"
        )

    def _repr_html_(self) -> str:
        from backtest.walk_cards import card  # noqa: PLC0415  for notebooks alone

        return card(self)


def _row(walk: Walk, names: list[str]) -> dict[str, Any]:
    return {
        "train_from": walk.window.train_from,
        "test_from": walk.window.test_from,
        "test_end": walk.equity.index[-1],
        **{name: None if walk.params is None else walk.params[name] for name in names},
        "objective": walk.objective,
        "train_sharpe": walk.train_sharpe,
        "test_sharpe": walk.test_sharpe,
        "train_return": walk.train_return,
        "test_return": walk.test_return,
        "trades": len(walk.trades),
        "final_value": walk.final_value,
        "idle": walk.why_idle or None,
    }


def _moved(name: str, values: tuple[Any, ...], chosen: list[Any]) -> dict[str, Any]:
    if not chosen:
        return {"parameter": name, "distinct": 0}
    places = np.array([values.index(value) for value in chosen], dtype=np.float64)
    steps = np.abs(np.diff(places)) / max(len(values) - 1, 1)
    common = max(values, key=chosen.count)
    return {
        "parameter": name,
        "distinct": len(set(chosen)),
        "most_common": common,
        "share": chosen.count(common) / len(chosen),
        "step": float(steps.mean()) if len(steps) else nan,
    }


def _told(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The row with its times in ISO 8601 and null for what is not determined."""
    return {
        name: it.isoformat()
        if isinstance(it, pd.Timestamp)
        else None
        if isinstance(it, float) and not isfinite(it)
        else it
        for name, it in row.items()
    }
