"""The only description of a sweep: what is tried, and how, checked before anything is started."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, get_args

from backtest.constraint import Rule, rule
from backtest.grid import Grid, contradicts, unknown
from backtest.outcomes import METRICS
from backtest.parameters import checked_params, checked_values
from backtest.spec import RunSpec
from brokers.errors import ConfigError

Search = Literal["grid", "random", "tpe"]
Engine = Literal["auto", "cerebro", "compiled"]
Backend = Literal["loky", "ray", "dask", "sequential"]

DEFAULT_LEDGER = Path("data/ledger.sqlite")
LEDGER_VARIABLE = "SEAWALL_LEDGER"
CHOICES: dict[str, tuple[str, ...]] = {
    "search": get_args(Search),
    "engine": get_args(Engine),
    "backend": get_args(Backend),
    "objective": METRICS,
}


@dataclass(frozen=True)
class SweepSpec:
    """Everything that decides a sweep, the bars' content aside.

    Args:
        run: the run that every set shares; its params stay empty.
        grid: the values to try by parameter.
        params: parameters that stay the same in every set.
        search: all sets, `trials` of them drawn at random, or chosen by a tree-structured Parzen
            estimator (tpe) that learns from the sets before.
        engine: Backtrader, the compiled kernel, or auto: compiled wherever it can be.
        backend: where sets run: worker processes here, a Ray or a Dask cluster, or this process.
        jobs: how many workers; -1 for one a core.
        objective: the metric that decides which set is best; the largest one wins.
        trials: how many sets random and tpe try; None tries all in a random order, and lets tpe
            try 100.
        seed: of the random search, the estimator, and the choice of sets to confirm.
        confirm: how many sets of a compiled sweep are replayed in Backtrader.
        resume: take what the ledger knows already; False runs every set again.
        ledger: its file; None takes the environment's SEAWALL_LEDGER, else data/ledger.sqlite;
            ":memory:" keeps nothing.
        constraint: sets that it denies are left out, such as ``"fast < slow"``, see
            `backtest.constraint.rule`.
        prune: tpe in Backtrader tries each set on the first quarter of the bars, if that is 250 or
            more, and gives up all but the best one in four; no effect elsewhere.

    Raises:
        ConfigError: a field is wrong; the text names it.
    """

    run: RunSpec
    grid: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    search: Search = "grid"
    engine: Engine = "auto"
    backend: Backend = "loky"
    jobs: int = -1
    objective: str = "sharpe"
    trials: int | None = None
    seed: int = 0
    confirm: int = 5
    resume: bool = True
    ledger: str | Path | None = None
    constraint: str | Rule | None = None
    prune: bool = True

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known)
        _whole("jobs", self.jobs, least=-1)
        _whole("seed", self.seed)
        _whole("confirm", self.confirm)
        if self.jobs == 0:
            raise ConfigError("jobs=0: give the number of workers, or -1 for one a core")
        if self.trials is not None:
            _whole("trials", self.trials, least=1)
            if self.search == "grid":
                raise ConfigError("trials: a grid tries every set: leave it out, or search=random")
        for name, value in self.params.items():
            checked_values(self.run.strategy_class, name, [value])
        if both := sorted(self.axes.axes.keys() & self.params.keys()):
            raise ConfigError(f"{both[0]} is both in grid and in params: leave it out of one")
        self.rule  # noqa: B018  reading it checks it

    @cached_property
    def axes(self) -> Grid:
        """The grid, checked."""
        return Grid.of(self.run.strategy_class, self.grid)

    @cached_property
    def fixed(self) -> dict[str, Any]:
        """Every parameter that is not swept."""
        declared = checked_params(self.run.strategy_class, {}) | dict(self.params)
        return {name: value for name, value in declared.items() if name not in self.axes.axes}

    @cached_property
    def rule(self) -> Rule | None:
        """The constraint as a function; None where there is none."""
        return rule(self.constraint, [*self.axes.axes, *self.fixed])

    @cached_property
    def workers(self) -> int:
        """How many work at once."""
        import joblib  # noqa: PLC0415  slow to import

        if self.backend == "sequential":
            return 1
        return int(self.jobs if self.jobs > 0 else joblib.cpu_count())

    @cached_property
    def ledger_path(self) -> str:
        """Where trials are kept."""
        return str(self.ledger or os.environ.get(LEDGER_VARIABLE) or DEFAULT_LEDGER)

    def allows(self, chosen: Mapping[str, Any]) -> bool:
        """Tell whether a combination of the grid makes sense to constraint and strategy.

        Raises:
            ConfigError: the constraint itself raised an error.
        """
        params = self.whole(chosen)
        if contradicts(self.run.strategy_class, params):
            return False
        if self.rule is None:
            return True
        try:
            return bool(self.rule(params))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise ConfigError(
                f"constraint: {type(error).__name__}: {error}, with {dict(chosen)}: mend it"
            ) from error

    def run_of(self, chosen: Mapping[str, Any]) -> RunSpec:
        """The run of one combination."""
        return replace(self.run, params=self.whole(chosen))

    def whole(self, chosen: Mapping[str, Any]) -> Mapping[str, Any]:
        """All parameters of a combination, the swept ones last."""
        return {**self.fixed, **chosen} if self.fixed else chosen

    def as_dict(self) -> dict[str, Any]:
        """The sweep in plain JSON values."""
        described = {
            **self.run.as_dict(),
            "params": dict(self.params),
            "grid": {name: list(values) for name, values in self.axes.axes.items()},
            "constraint": _told(self.constraint),
            "ledger": self.ledger_path,
        }
        plain = (
            "search", "engine", "backend", "jobs", "objective", "trials", "seed", "confirm",
            "prune",
        )  # fmt: skip
        return described | {name: getattr(self, name) for name in plain}


def _told(constraint: str | Rule | None) -> str | None:
    if constraint is None or isinstance(constraint, str):
        return constraint
    return str(getattr(constraint, "__name__", type(constraint).__name__))


def _whole(name: str, value: Any, least: int = 0) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ConfigError(f"{name}={value!r}: give a whole number of at least {least}")
