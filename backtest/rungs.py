"""Sets that climb from a part of the bars to all of them, unless they are given up on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from backtest.board import Board
from backtest.books import Books
from backtest.outcomes import PRUNED, Outcomes, concat, failed
from backtest.search import Params, Search
from backtest.windows import Frames, between, every_start

PARTS = (1 / 4,)  # of the bars, by time, the shortest first
LEAST = 250  # bars of a part; fewer tell nothing


@dataclass(frozen=True)
class Rung:
    """The first `bars` of the sweep's bars, counted over all feeds together, or all of them."""

    bars: int
    books: Books


def parts(frames: Frames) -> dict[int, dict[str, pd.DataFrame]]:
    """The first PARTS of the bars, by how many they are.

    All feeds are cut at the same time. A part is left out that is shorter than LEAST bars or in
    which a feed has no bar yet.
    """
    starts = every_start(frames)
    counts = [int(len(starts) * part) for part in PARTS]
    cut = {bars: between(frames, None, starts[bars]) for bars in counts if bars >= LEAST}
    return {bars: part for bars, part in cut.items() if len(part) == len(frames)}


class Climb:
    """All sets of a search, from the first rung to the last.

    Sets wait at a rung until as many are there as are evaluated at once, so that no worker idles
    because others were given up, and so that the order does not depend on who is quick.

    Args:
        search: what proposes the sets.
        rungs: fewer bars first; the last has all of them.
        objective: the metric by which sets are judged.
    """

    def __init__(self, search: Search, rungs: Sequence[Rung], objective: str) -> None:
        self._search, self._rungs, self._objective = search, rungs, objective
        self._waiting: list[list[int]] = [[] for _ in rungs]
        self._sets: list[Params] = []
        self._evaluated: set[int] = set()
        self._board = Board(search.total)

    @property
    def sets(self) -> list[Params]:
        """The sets that are done, in the order of the search."""
        return [self._sets[row] for row in self._board.done]

    @property
    def outcomes(self) -> Outcomes:
        """What came of them."""
        return self._board.outcomes()

    @property
    def known(self) -> int:
        """For how many of them nothing had to be evaluated."""
        return len(set(self._board.done) - self._evaluated)

    def run(self) -> bool:
        """Go to the end; False where Ctrl-C ends it early and some sets are done."""
        try:
            while (at := self._next()) is not None:
                self._evaluate(at)
        except KeyboardInterrupt:
            if not self._board.done:
                raise
            return False
        return True

    def _next(self) -> int | None:
        """The rung to evaluate at: the highest with sets enough, at the end the lowest with any."""
        while True:
            occupied = [at for at, rows in enumerate(self._waiting) if rows]
            if full := [at for at in occupied if len(self._waiting[at]) >= self._search.width]:
                return full[-1]
            proposed = self._search.propose()
            if not proposed:
                return occupied[0] if occupied else None
            self._waiting[0] += range(len(self._sets), len(self._sets) + len(proposed))
            self._sets += proposed

    def _evaluate(self, at: int) -> None:
        width, books = self._search.width, self._rungs[at].books
        rows, self._waiting[at] = self._waiting[at][:width], self._waiting[at][width:]
        sets, wave = [self._sets[row] for row in rows], Board(len(rows))
        is_last = at == len(self._rungs) - 1
        try:
            books.recall(wave, sets)
            self._evaluated |= {rows[place] for place in wave.missing}
            books.evaluate(wave, sets)
        finally:
            if is_last:
                self._board.put([rows[place] for place in wave.done], wave.outcomes())
        scores = wave.outcomes().metrics[self._objective].tolist()
        if is_last:
            self._search.tell(sets, scores)
        else:
            self._select(at, rows, scores)

    def _select(self, at: int, rows: list[int], scores: list[float]) -> None:
        """Let the sets of a rung go on to the next one, or give them up."""
        bars, last = self._rungs[at].bars, self._rungs[-1]
        verdicts = self._search.given_up([self._sets[row] for row in rows], at, scores)
        pruned = [row for row, is_pruned in zip(rows, verdicts, strict=True) if is_pruned]
        self._waiting[at + 1] += [row for row in rows if row not in pruned]
        if pruned:
            reason = failed(f"{PRUNED}{bars:,} of {last.bars:,} bars")
            outcomes = concat([reason] * len(pruned))
            last.books.give_up([self._sets[row] for row in pruned], outcomes)
            self._board.put(pruned, outcomes)
