"""The outcomes of a sweep while they come in, in any order, each at its own row."""

from collections.abc import Sequence

import numpy as np

from analyzers.overfit import BLOCKS
from backtest.outcomes import METRICS, Outcomes


class Board:
    """Rows for `size` sets; what has not come in yet is NaN."""

    def __init__(self, size: int = 0) -> None:
        self._metrics = {name: np.full(size, np.nan) for name in METRICS}
        self._moments = np.full((size, 4), np.nan)
        self._periods = np.zeros(size, dtype=np.int64)
        self._blocks = np.zeros((size, BLOCKS, 3))
        self._failures: dict[int, str] = {}
        self._done = np.zeros(size, dtype=bool)

    @property
    def missing(self) -> list[int]:
        """Rows that have not come in, in order."""
        return np.flatnonzero(~self._done).tolist()

    @property
    def done(self) -> list[int]:
        """Rows that have come in, in order."""
        return np.flatnonzero(self._done).tolist()

    def put(self, rows: Sequence[int], outcomes: Outcomes) -> None:
        """Take in finished sets; `rows` says where each of them belongs."""
        places = np.asarray(rows, dtype=np.int64)
        for name, values in outcomes.metrics.items():
            self._metrics[name][places] = values
        self._moments[places] = outcomes.moments
        self._periods[places] = outcomes.periods
        self._blocks[places] = outcomes.blocks
        self._failures |= {rows[row]: reason for row, reason in outcomes.failures.items()}
        self._done[places] = True

    def outcomes(self) -> Outcomes:
        """The rows that have come in, in order."""
        rows = np.flatnonzero(self._done)
        places = {row: place for place, row in enumerate(rows.tolist())}
        failures = {places[row]: self._failures[row] for row in sorted(self._failures)}
        if len(rows) == len(self._done):
            return Outcomes(self._metrics, self._moments, self._periods, self._blocks, failures)
        return Outcomes(
            {name: values[rows] for name, values in self._metrics.items()},
            self._moments[rows], self._periods[rows], self._blocks[rows], failures,
        )  # fmt: skip
