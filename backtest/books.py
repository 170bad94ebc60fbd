"""What the ledger knows of a sweep's sets is looked up; the others are evaluated and entered."""

from collections.abc import Callable, Sequence
from functools import cached_property

from backtest.board import Board
from backtest.evaluation import Evaluation
from backtest.identity import set_key
from backtest.ledger import Ledger, Study
from backtest.outcomes import Outcomes
from backtest.search import Params
from backtest.sweep_spec import SweepSpec

Count = Callable[[int], None]


class Books:
    """Sets of one sweep on the same bars.

    Args:
        spec: the sweep.
        ledger, study: where they are entered; which study it is is asked when that is needed, for
            the compiled engine can be at work meanwhile.
        evaluation: what evaluates them.
        count: told how many more sets are finished.
    """

    def __init__(
        self,
        spec: SweepSpec,
        ledger: Ledger,
        study: Callable[[], Study],
        evaluation: Evaluation,
        count: Count | None = None,
    ) -> None:
        self._spec, self._ledger, self._evaluation = spec, ledger, evaluation
        self._identified = study
        self._told = count

    @cached_property
    def _study(self) -> int:
        return self._ledger.study(self._identified())

    def on(self, study: Callable[[], Study], evaluation: Evaluation) -> "Books":
        """The same sets on other bars, whose progress is not told."""
        return Books(self._spec, self._ledger, study, evaluation)

    def recall(self, board: Board, sets: Sequence[Params]) -> None:
        """Put on the board what the ledger knows, each in its row; nothing in a sweep afresh."""
        if not self._spec.resume:
            return
        for rows, outcomes in self._ledger.known(self._study, self._keys(sets)):
            board.put(rows, outcomes)
            self._count(len(rows))

    def evaluate(self, board: Board, sets: Sequence[Params]) -> None:
        """Evaluate what the board still misses, and enter each set as it is finished."""
        missing = {row: self._spec.whole(sets[row]) for row in board.missing}
        if not missing:
            return
        for finished, outcomes in self._evaluation.outcomes(missing):
            keys = [set_key(missing[row]) for row in finished]
            self._ledger.keep(self._study, keys, outcomes)
            board.put(finished, outcomes)
            self._count(len(finished))

    def give_up(self, sets: Sequence[Params], outcomes: Outcomes) -> None:
        """Enter sets that are not evaluated; what the ledger knows of them stays."""
        self._ledger.keep(self._study, self._keys(sets), outcomes)
        self._count(len(sets))

    def _keys(self, sets: Sequence[Params]) -> list[str]:
        return [set_key(self._spec.whole(params)) for params in sets]

    def _count(self, more: int) -> None:
        if self._told is not None:
            self._told(more)
