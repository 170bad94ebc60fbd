"""Cross-validation in which no training label overlaps the test: scikit-learn's splitter protocol.

A label stands at a time and is known only at its end: a forward return of ten days at day 3 ends at
day 13. Ordinary k-fold trains on labels that overlap the test set and so knows its answers.

Source: Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.intp]
Split = tuple[Positions, Positions]
Times = npt.NDArray[Any]
"""Instants as datetime64, as pandas' Timestamps or as numbers; all of one split of one kind."""


def purged(starts: Times, ends: Times, test: Positions, embargo: Any) -> Positions:
    """Positions that may be trained on when `test` is held out.

    The test interval runs from the first start in the test to the latest end in it. No training
    label intersects it, nor starts within `embargo` after it.

    Args:
        starts: when each label begins, shape (T,).
        ends: when each label is known, shape (T,), none before its start.
        test: positions of the test labels; not empty.
        embargo: a duration in the unit of the times: a number, or a timedelta64.
    """
    opens, closes = starts[test].min(), ends[test].max()
    before = ends < opens
    after = starts > closes + embargo
    answer: Positions = np.flatnonzero(before | after)
    return answer


@dataclass(frozen=True)
class PurgedKFold:
    """K consecutive folds of labels in order of time, each tested once by the others.

    Args:
        starts: when each label begins, not decreasing, shape (T,).
        ends: when each label is known, shape (T,).
        folds: at least 2.
        embargo: see `purged`; None for none.

    Raises:
        ValueError: the times contradict each other, or there are fewer labels than folds.
    """

    starts: Times
    ends: Times
    folds: int = 5
    embargo: Any = None

    def __post_init__(self) -> None:
        _check(self.starts, self.ends)
        if not 2 <= self.folds <= len(self.starts):
            raise ValueError(
                f"{self.folds} folds of {len(self.starts)} labels: choose 2 to {len(self.starts)}"
            )

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002, N803  scikit-learn's words
        """How many splits there are."""
        return self.folds

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[Split]:  # noqa: ARG002, N803  scikit-learn's words
        """Positions to train on and to test on, a pair for each fold in order of time.

        Raises:
            ValueError: `X` has another number of rows than there are labels.
        """
        _fits(X, self.starts)
        embargo = _span(self.starts, self.embargo)
        for test in np.array_split(np.arange(len(self.starts)), self.folds):
            yield purged(self.starts, self.ends, test, embargo), test


@dataclass(frozen=True)
class WalkForward:
    """Windows in order of time, each tested by what came before it.

    Args:
        starts: when each label begins, not decreasing, shape (T,).
        ends: when each label is known, shape (T,).
        train: labels of a training window; of the first one if `anchored`.
        test: labels of a test window; the last may be shorter.
        anchored: every training window begins with the first label.

    Raises:
        ValueError: the times contradict each other, or no window fits.
    """

    starts: Times
    ends: Times
    train: int
    test: int
    anchored: bool = False

    def __post_init__(self) -> None:
        _check(self.starts, self.ends)
        if self.train < 1 or self.test < 1 or self.train >= len(self.starts):
            raise ValueError(
                f"windows of {self.train} and {self.test} labels do not fit into "
                f"{len(self.starts)}: both must be positive and the first one shorter than that"
            )

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002, N803  scikit-learn's words
        """How many splits there are."""
        return -(-(len(self.starts) - self.train) // self.test)

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[Split]:  # noqa: ARG002, N803  scikit-learn's words
        """Positions to train on and to test on; training labels end before the test begins.

        Raises:
            ValueError: `X` has another number of rows than there are labels.
        """
        _fits(X, self.starts)
        for opens in range(self.train, len(self.starts), self.test):
            test = np.arange(opens, min(opens + self.test, len(self.starts)))
            train = np.arange(0 if self.anchored else opens - self.train, opens)
            yield train[self.ends[train] < self.starts[opens]], test


def _span(starts: Times, embargo: Any) -> Any:
    """The embargo; without one no time at all, of the kind that the times have."""
    return starts[0] - starts[0] if embargo is None else embargo


def _check(starts: Times, ends: Times) -> None:
    if len(starts) != len(ends):
        raise ValueError(f"{len(starts)} starts and {len(ends)} ends: give one of each a label")
    if (starts[1:] < starts[:-1]).any():
        raise ValueError("labels are not in order of time: sort them by their start")
    if (ends < starts).any():
        raise ValueError("a label ends before it starts")


def _fits(table: Any, starts: Times) -> None:
    if table is not None and len(table) != len(starts):
        raise ValueError(f"{len(table)} rows for {len(starts)} labels: give the labels of these")
