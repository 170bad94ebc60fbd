"""From scores to hits: limits, persistence, ranks and false discoveries, minute after minute."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers.outliers.absent import why_null
from analyzers.outliers.baseline import Baseline
from analyzers.outliers.oddities import Oddities
from analyzers.outliers.report import Chance, Hit, Null, Score, ScreenedDay
from analyzers.outliers.robust import adjusted, two_sided
from analyzers.outliers.signals import Z_SCORES, Signal, limit_of, signals
from analyzers.outliers.tape import Tape
from analyzers.outliers.words import reasons
from strategies.arrays import rank

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NOTE = (
    "the tests depend on each other, and returns have fatter tails than the normal distribution: "
    "take q_value as a rank, not as a probability"
)
_SHOWN = 5  # symbols that a null names


class Screen:
    """One session's screen, which is given its minutes in order.

    Args:
        known: what was known before the session.
    """

    def __init__(self, known: Baseline) -> None:
        self._known = known
        self._odd = Oddities(known)
        count = len(known.symbols)
        self._runs: dict[str, npt.NDArray[np.int64]] = {}
        self._told: dict[str, Mask] = {}
        self._hits: list[Hit] = []
        self._tests = self._beyond = 0
        self._last = Tape.blank(count)

    def add(self, tape: Tape) -> tuple[Hit, ...]:
        """The new hits of further minutes."""
        known = self._known
        found = signals(tape, known)
        has_bar = tape.has_bar > 0.0
        verdicts = _Verdicts.of(found, known, has_bar)
        self._tests += verdicts.tests
        self._beyond += verdicts.beyond
        fresh: list[Hit] = []
        for row in np.flatnonzero(has_bar.any(axis=1)).tolist():
            self._last = tape.rows(row, row + 1)
            columns = self._confirmed(verdicts, row, has_bar[row])
            if len(columns):
                hits = [self._hit(tape, found, verdicts, row, one) for one in columns.tolist()]
                fresh += sorted(hits, key=lambda hit: hit.rank)
        self._hits += fresh
        return tuple(fresh)

    def day(self, missing: Mapping[str, str]) -> ScreenedDay:
        """What there was so far.

        Args:
            missing: symbols that were asked for and have no bars at all, and why.
        """
        known = self._known
        seen = (self._last.bars[0] > 0).tolist()
        silent = {
            symbol: f"no bar on {known.day}"
            for symbol, is_seen in zip(known.symbols, seen, strict=True)
            if not is_seen
        }
        least = float(two_sided(np.array([known.limits.z]))[0])
        return ScreenedDay(
            date=known.day,
            bars=int(self._last.slots[0]) + 1,
            symbols=sum(seen),
            hits=tuple(self._hits),
            chance=Chance(
                tests=self._tests, beyond=self._beyond, expected=self._tests * least, note=NOTE
            ),
            nulls=tuple(self._nulls(seen)),
            missing=dict(sorted({**silent, **missing}.items())),
        )

    def _confirmed(self, verdicts: "_Verdicts", row: int, has_bar: Mask) -> npt.NDArray[np.int64]:
        """The columns in which a signal that makes hits has lasted, and had not been told."""
        new = np.zeros(len(has_bar), dtype=np.bool_)
        for name, over in verdicts.over.items():
            runs = self._runs.setdefault(name, np.zeros(len(has_bar), dtype=np.int64))
            runs[has_bar] = np.where(over[row][has_bar], runs[has_bar] + 1, 0)
            told = self._told.setdefault(name, np.zeros(len(has_bar), dtype=np.bool_))
            lasting = has_bar & (runs >= self._known.limits.in_a_row)
            new |= lasting & ~told
            told |= lasting
        return np.flatnonzero(new)

    def _hit(
        self,
        tape: Tape,
        found: Mapping[str, Signal],
        verdicts: "_Verdicts",
        row: int,
        column: int,
    ) -> Hit:
        known, cell = self._known, (row, column)
        slot = int(tape.slots[row])
        runs = {name: int(held[column]) for name, held in self._runs.items() if held[column]}
        scores = {name: _score(name, signal, cell, known) for name, signal in found.items()}
        q_value = float(verdicts.q[cell])
        return Hit(
            symbol=known.symbols[column],
            at=(known.opens_at + pd.Timedelta(minutes=(slot + 1) * known.step)).to_pydatetime(),
            minute=(slot + 1) * known.step,
            sector=known.sectors.names[column],
            price=float(tape.close[cell]),
            rank=int(verdicts.rank[cell]),
            strength=float(verdicts.strength[cell]),
            reasons=reasons(scores, runs, known),
            bars_in_a_row=runs,
            q_value=q_value,
            is_discovery=q_value <= known.limits.fdr,
            flags=self._odd.of(tape, cell),
            scores=scores,
        )

    def _nulls(self, seen: list[bool]) -> Iterator[Null]:
        """Why scores are not known after the last minute that had a bar."""
        for name, signal in signals(self._last, self._known).items() if any(seen) else ():
            lacking: dict[str, list[str]] = {}
            for column in np.flatnonzero(np.isnan(signal.score[0]) & seen).tolist():
                reason = why_null(name, signal, (0, column), self._known)
                lacking.setdefault(reason, []).append(self._known.symbols[column])
            for reason, symbols in sorted(lacking.items()):
                shown = tuple(symbols[:_SHOWN])
                yield Null(signal=name, reason=reason, count=len(symbols), symbols=shown)


@dataclass(frozen=True, eq=False)
class _Verdicts:
    """What the scores of some minutes come to; (T, N) each, NaN where there is no bar."""

    over: Mapping[str, Mask]
    strength: Floats
    rank: Floats
    q: Floats
    tests: int
    beyond: int

    @staticmethod
    def of(found: Mapping[str, Signal], known: Baseline, has_bar: Mask) -> "_Verdicts":
        sizes = {name: np.abs(signal.score) for name, signal in found.items()}
        limits = {name: limit_of(name, known) for name in found}
        over = {name: (size > limits[name]) & has_bar for name, size in sizes.items()}
        strength = np.fmax.reduce([sizes[name] / limits[name] for name in found])
        strength[~has_bar] = np.nan
        z = np.stack([sizes[name] for name in Z_SCORES])
        z[:, ~has_bar] = np.nan
        tested = (~np.isnan(z)).sum(axis=0)
        # Bonferroni over a symbol's z-scores, then Benjamini and Hochberg over the symbols.
        p = np.minimum(two_sided(np.fmax.reduce(z)) * tested, 1.0)
        beyond = int((z > known.limits.z).sum())
        return _Verdicts(over, strength, rank(strength), adjusted(p), int(tested.sum()), beyond)


def _score(name: str, signal: Signal, cell: tuple[int, int], known: Baseline) -> Score:
    shape = signal.score.shape
    inputs = {
        key: float(np.broadcast_to(table, shape)[cell]) for key, table in signal.inputs.items()
    }
    value = float(signal.score[cell])
    reason = why_null(name, signal, cell, known) if np.isnan(value) else None
    return Score(value=value, inputs=inputs, reason=reason)
