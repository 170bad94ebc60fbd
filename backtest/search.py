"""Which parameter sets a sweep tries, and in which order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

from backtest.grid import Grid
from brokers.errors import ConfigError

if TYPE_CHECKING:
    import optuna

Params = dict[str, Any]
Allows = Callable[[Mapping[str, Any]], bool]

MOST = 5_000_000  # sets of one sweep
TPE_TRIALS = 100
REDUCTION = 4  # one in so many sets goes on from a part of the bars
STARTUP = 10  # sets drawn at random before the estimator has something to learn from
STUBBORN = 20  # proposals in a row without a new set, after which the estimator has no more


class Search(Protocol):
    """A way through a grid.

    Args:
        left_out: how many combinations the constraint or the strategy has denied so far.
    """

    left_out: int

    @property
    def width(self) -> int:
        """How many sets are evaluated at once."""

    @property
    def total(self) -> int:
        """How many sets it will propose at most."""

    def propose(self) -> list[Params]:
        """The next sets to evaluate, none when it is done."""

    def given_up(self, sets: Sequence[Params], part: int, scores: Sequence[float]) -> list[bool]:
        """Tell which of the sets to give up, by their objectives on a part of the bars.

        Args:
            part: which one, counted from 0, the shortest.
        """

    def tell(self, sets: Sequence[Params], scores: Sequence[float]) -> None:
        """What came of them: the objective, NaN for a set that failed or has none."""


@dataclass
class Listed:
    """Sets that do not depend on what came of others: all of them at once."""

    sets: list[Params]
    left_out: int = 0

    def __post_init__(self) -> None:
        self.width = self.total = len(self.sets)

    def propose(self) -> list[Params]:
        """All of them, once."""
        proposed, self.sets = self.sets, []
        return proposed

    def given_up(
        self,
        sets: Sequence[Params],
        part: int,  # noqa: ARG002  every set was asked for
        scores: Sequence[float],  # noqa: ARG002
    ) -> list[bool]:
        """None of them."""
        return [False] * len(sets)

    def tell(self, sets: Sequence[Params], scores: Sequence[float]) -> None:
        """Nothing to be learnt."""


def every(grid: Grid, allows: Allows) -> Listed:
    """Every combination that makes sense, in the grid's order."""
    if grid.size > MOST:
        raise ConfigError(
            f"grid: {grid.size:,} sets are more than can be tried ({MOST:,}): make its steps "
            "wider, or search at random or with tpe"
        )
    return _listed([params for params in grid.all() if allows(params)], grid.size)


def drawn(grid: Grid, allows: Allows, trials: int | None, seed: int) -> Listed:
    """Combinations that make sense, drawn without repetition, `trials` of them or all."""
    wanted, seen, sets = min(trials or grid.size, MOST), 0, []
    for number in _shuffled(grid.size, random.Random(seed)):  # noqa: S311  reproducible, not secret
        seen += 1
        if allows(params := grid.at(number)):
            sets.append(params)
        if len(sets) == wanted:
            break
    return _listed(sets, seen)


def _listed(sets: list[Params], seen: int) -> Listed:
    if not sets:
        raise ConfigError(
            f"grid: every one of its {seen:,} sets violates the constraint or the strategy's own "
            "rules: widen it"
        )
    return Listed(sets, seen - len(sets))


def _shuffled(size: int, source: random.Random) -> Iterator[int]:
    """The numbers below `size` in a random order; a huge grid is never held as a whole."""
    moved: dict[int, int] = {}
    for at in range(size):
        other = source.randrange(at, size)
        yield moved.get(other, other)
        moved[other] = moved.pop(at, at)


@dataclass
class Estimated:
    """Sets that a tree-structured Parzen estimator proposes from what came of the earlier ones.

    Sets are proposed `width` at a time; the same grid, seed, width and scores give the same sets,
    so that a sweep taken up again goes through the same ones and finds them in the ledger. A set
    that makes no sense is told to the estimator as a pruned trial.

    A set goes on from a part of the bars when its objective there is among the best one in
    REDUCTION of those judged so far, as optuna's SuccessiveHalvingPruner has it; the first set
    always does.

    Args:
        grid, allows: the combinations.
        trials: how many different sets to try.
        seed: of the estimator.
        width: sets evaluated at once.
    """

    grid: Grid
    allows: Allows
    trials: int
    seed: int
    width: int
    left_out: int = 0
    _seen: dict[tuple[Any, ...], float | None] = field(default_factory=dict)
    _asked: dict[tuple[Any, ...], optuna.Trial] = field(default_factory=dict)
    _proposed: int = 0

    def __post_init__(self) -> None:
        import optuna  # noqa: PLC0415  slow to import

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._pruned = optuna.trial.TrialState.PRUNED
        sampler = optuna.samplers.TPESampler(
            seed=self.seed, n_startup_trials=STARTUP, constant_liar=self.width > 1
        )
        pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION)
        self._study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)

    @property
    def total(self) -> int:
        """How many sets it will propose at most."""
        return min(self.trials, self.grid.size)

    def propose(self) -> list[Params]:
        """The next generation."""
        sets: list[Params] = []
        idle = 0
        while len(sets) < min(self.width, self.trials - self._proposed) and idle < STUBBORN:
            idle += 1
            trial = self._study.ask()
            params = self._params(trial)
            key = tuple(params.values())
            if key in self._seen:
                self._repeat(trial, self._seen[key])
            elif not self.allows(params):
                self.left_out += 1
                self._seen[key] = None
                self._study.tell(trial, state=self._pruned)
            else:
                idle = 0
                self._seen[key] = None
                self._asked[key] = trial
                sets.append(params)
        self._proposed += len(sets)
        if not self._proposed:
            raise ConfigError(
                "grid: no set was found that violates neither the constraint nor the strategy's "
                "own rules: widen it"
            )
        return sets

    def given_up(self, sets: Sequence[Params], part: int, scores: Sequence[float]) -> list[bool]:
        """Tell which of the sets to give up; one without an objective on the part goes on."""
        return [
            isfinite(score) and self._is_given_up(tuple(params.values()), part, float(score))
            for params, score in zip(sets, scores, strict=True)
        ]

    def tell(self, sets: Sequence[Params], scores: Sequence[float]) -> None:
        """Let the estimator learn; a set without a score counts as a bad one."""
        for params, score in zip(sets, scores, strict=True):
            key = tuple(params.values())
            self._seen[key] = float(score) if isfinite(score) else None
            self._repeat(self._asked.pop(key), self._seen[key])

    def _is_given_up(self, key: tuple[Any, ...], part: int, score: float) -> bool:
        trial = self._asked[key]
        trial.report(score, REDUCTION**part)
        if not trial.should_prune():
            return False
        self._study.tell(self._asked.pop(key), state=self._pruned)
        return True

    def _repeat(self, trial: optuna.Trial, known: float | None) -> None:
        if known is None:
            self._study.tell(trial, state=self._pruned)
        else:
            self._study.tell(trial, known)

    def _params(self, trial: optuna.Trial) -> Params:
        return {
            name: values[trial.suggest_int(name, 0, len(values) - 1)]
            if _is_ordered(values)
            else values[trial.suggest_categorical(name, list(range(len(values))))]
            for name, values in self.grid.axes.items()
        }


def _is_ordered(values: Sequence[Any]) -> bool:
    """Tell whether the places of the values are a scale: numbers that rise."""
    numbers = [it for it in values if isinstance(it, int | float) and not isinstance(it, bool)]
    return len(numbers) == len(values) and numbers == sorted(numbers)
