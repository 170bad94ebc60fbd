"""Where the sets of a sweep are evaluated: in the kernel, in this process, or by a crew."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import pandas as pd

from backtest.one_set import Bench
from backtest.outcomes import Outcomes
from backtest.parcel import Engine, Workload
from backtest.sweep_spec import SweepSpec
from brokers.errors import ConfigError

Sets = Mapping[int, Mapping[str, Any]]
Finished = Iterator[tuple[Sequence[int], Outcomes]]


def chosen_engine(spec: SweepSpec, frames: Mapping[str, pd.DataFrame]) -> tuple[Engine, str]:
    """The engine, and why it is not the compiled one; an empty text when it is.

    Raises:
        ConfigError: the compiled engine was asked for and cannot do it.
    """
    if spec.engine == "cerebro":
        return "cerebro", "engine='cerebro' was asked for"
    from backtest import compiled  # noqa: PLC0415  only a sweep needs it

    reason = compiled.reason_not_compilable(spec.run, frames)
    if reason is None:
        return "compiled", ""
    if spec.engine == "compiled":
        raise ConfigError(f"engine='compiled': {reason}: use engine='auto' or 'cerebro'")
    return "cerebro", reason


class Evaluation:
    """Evaluates sets of one workload; workers start with the first set and end with the block."""

    def __init__(self, spec: SweepSpec, load: Workload) -> None:
        self._spec, self._load = spec, load
        self._until_done = ExitStack()
        self._evaluate: Callable[[Sets], Finished] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        self._until_done.close()
        self._evaluate = None  # it may know this one, and so keep the bars

    def on(self, load: Workload) -> "Evaluation":
        """The same for another workload; its workers end with this block too."""
        other = Evaluation(self._spec, load)
        other._until_done = self._until_done
        return other

    def outcomes(self, sets: Sets) -> Finished:
        """Numbers and outcomes of the sets as they are finished.

        Args:
            sets: all parameters of each, by number.
        """
        if self._evaluate is None:
            self._evaluate = self._begun()
        return self._evaluate(sets)

    def _begun(self) -> Callable[[Sets], Finished]:
        is_here = self._spec.backend in ("sequential", "loky")
        if self._load.engine == "compiled" and is_here:
            return self._compiled
        if self._spec.backend == "sequential":
            bench = Bench(self._load.run, self._load.frames)
            return lambda sets: (([row], bench.evaluate(params)) for row, params in sets.items())
        from backtest.batches import Batches  # noqa: PLC0415  they import joblib
        from backtest.crew import crew  # noqa: PLC0415

        workers = crew(self._spec.backend, self._spec.workers, self._load)
        hands = self._until_done.enter_context(workers)
        return lambda sets: Batches(hands, sets).outcomes()

    def _compiled(self, sets: Sets) -> Finished:
        from backtest import compiled  # noqa: PLC0415  only a sweep needs it

        rows = list(sets)
        finished = compiled.evaluate(
            self._load.run, dict(self._load.frames), list(sets.values()), jobs=self._spec.workers
        )
        for places, outcomes in finished:
            yield rows[places.start : places.stop], outcomes
