"""Every trial ever made, in one SQLite file: nothing is repeated, and nothing is forgotten."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from backtest.entries import (
    Entry,
    digest,
    entry,
    failures_of,
    keys_of,
    outcomes_of,
    ratios_of,
    unfinished,
)
from backtest.outcomes import PRUNED, Outcomes, concat
from brokers.errors import ConfigError, DataError

FORMAT = 2
WAIT_S = 10.0
MEMORY = ":memory:"
CHUNK = 1_000  # sets that are told at a time

_SCHEMA = (
    """CREATE TABLE studies (
    id INTEGER PRIMARY KEY,
    strategy TEXT NOT NULL,
    source TEXT NOT NULL,
    settings TEXT NOT NULL,
    bars TEXT NOT NULL,
    engine TEXT NOT NULL,
    UNIQUE (strategy, source, settings, bars, engine)
)""",
    # What is read most comes first: the numbers of a thousand sets fill many pages.
    """CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES studies,
    digest BLOB NOT NULL,
    keys TEXT NOT NULL,
    failures BLOB NOT NULL,
    numbers BLOB NOT NULL,
    blocks BLOB NOT NULL,
    UNIQUE (study, digest)
)""",
    f"PRAGMA user_version = {FORMAT}",
)
_KEEP = """
INSERT OR IGNORE INTO entries (study, digest, keys, failures, numbers, blocks)
VALUES (?, ?, ?, ?, ?, ?)
"""
_FORGET = "DELETE FROM entries WHERE id = ?"
_SINCE = "SELECT id, keys, failures FROM entries WHERE study = ? AND id > ? ORDER BY id"
_ENTRY = "SELECT keys, failures, numbers, blocks FROM entries WHERE id = ?"
_OF_ALL = """
SELECT source, settings, keys, failures, numbers
FROM entries JOIN studies ON studies.id = entries.study
WHERE strategy = ? AND bars = ? ORDER BY entries.id
"""


@dataclass(frozen=True)
class Study:
    """What trials must share to be trials of the same thing.

    Args:
        strategy: its name.
        source, settings, bars: see `backtest.identity`.
        engine: which one evaluates.
    """

    strategy: str
    source: str
    settings: str
    bars: str
    engine: str


class Tried(NamedTuple):
    """All that was ever tried with a strategy on the same bars.

    Args:
        trials: distinct evaluated sets, in any version of the source and with any settings; those
            that were given up on a part of the bars count.
        variance: of the Sharpe ratios per period on all bars (ddof 1); NaN for fewer than two.
    """

    trials: int
    variance: float


class _Places:
    """Where the finished sets of one study are: entry and row by key; of two, the later."""

    def __init__(self) -> None:
        self.last = 0  # entry that was looked through
        self.by_key: dict[str, tuple[int, int]] = {}
        self._counts: dict[int, int] = {}  # of sets that are nowhere else, by entry

    def enter(self, number: int, keys: Sequence[str], unfinished: Collection[int]) -> list[int]:
        """Take in the next entry.

        Args:
            unfinished: its rows that say nothing of their sets.

        Returns:
            Entries of which nothing is left that no later one has.
        """
        self.last, emptied = number, []
        self._counts[number] = len(keys) - len(unfinished) + bool(unfinished)
        for row, key in enumerate(keys):
            if row in unfinished:
                continue
            if (earlier := self.by_key.get(key)) is not None:
                self._counts[earlier[0]] -= 1
                if not self._counts[earlier[0]]:
                    emptied.append(earlier[0])
            self.by_key[key] = number, row
        return emptied


class Ledger:
    """The trials in one file, safe with several processes at once.

    What is entered together is one row, and is kept once `keep` has returned, whatever becomes of
    the process. Of a set that was entered twice the later entry holds.

    Args:
        path: of the file, made when it is missing; ":memory:" keeps nothing.
        wait_s: how long to wait for another process to let go of it.

    Raises:
        ConfigError: there can be no file at `path`.
        DataError: the file is locked, damaged or no ledger.
    """

    def __init__(self, path: str | Path, wait_s: float = WAIT_S) -> None:
        self.path = str(path)
        if self.path != MEMORY:
            _make_folder(Path(self.path).parent)
        with self._explained():
            self._file = sqlite3.connect(self.path, timeout=wait_s, isolation_level=None)
        self._places: defaultdict[int, _Places] = defaultdict(_Places)
        try:
            with self._explained():
                self._prepare()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        self._file.close()

    def study(self, study: Study) -> int:
        """The number of a study, a new one if need be."""
        values = (study.strategy, study.source, study.settings, study.bars, study.engine)
        names = "strategy, source, settings, bars, engine"
        places = ", ".join("?" * len(values))
        with self._explained():
            self._file.execute(
                f"INSERT OR IGNORE INTO studies ({names}) VALUES ({places})",  # noqa: S608
                values,
            )
            found = self._file.execute(
                f"SELECT id FROM studies WHERE ({names}) = ({places})",  # noqa: S608
                values,
            ).fetchone()
        return int(found[0])

    def keep(self, study: int, keys: Sequence[str], outcomes: Outcomes) -> None:
        """Enter finished sets; the very same ones with the very same outcomes once.

        Raises:
            ValueError: there are more or fewer outcomes than keys.
        """
        kept = entry(keys, outcomes)
        with self._explained():
            self._file.execute(_KEEP, (study, digest(kept), *kept))

    def known(self, study: int, keys: Sequence[str]) -> Iterator[tuple[list[int], Outcomes]]:
        """Which of `keys` the ledger has, by their place, with their outcomes, chunk by chunk.

        Sets whose worker died are not among them, nor those that were given up on a part of the
        bars.
        """
        wanted: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        by_key = self._current(study).by_key
        for place, key in enumerate(keys):
            if (found := by_key.get(key)) is not None:
                wanted[found[0]].append((place, found[1]))
        places: list[int] = []
        parts: list[Outcomes] = []
        for number, pairs in sorted(wanted.items()):
            for kept in self._rows(_ENTRY, number):
                places += [place for place, _ in pairs]
                parts.append(outcomes_of(Entry(*kept), [row for _, row in pairs]))
            if len(places) >= CHUNK:
                yield places, concat(parts)
                places, parts = [], []
        if places:
            yield places, concat(parts)

    def tried(self, study: Study) -> Tried:
        """How much was tried with the strategy of `study` on its bars."""
        ratios: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        for source, settings, kept, failures, numbers in self._rows(
            _OF_ALL, study.strategy, study.bars
        ):
            known, keys = ratios[source, settings], keys_of(kept)  # whichever engine it was
            fresh = dict(zip(keys, ratios_of(numbers).tolist(), strict=True))
            for row, reason in failures_of(failures).items():
                if keys[row] in known or not reason.startswith(PRUNED):
                    del fresh[keys[row]]
            known |= fresh
        each = np.array([ratio for known in ratios.values() for ratio in known.values()])
        told = each[~np.isnan(each)]
        return Tried(len(each), float(told.var(ddof=1)) if len(told) > 1 else float("nan"))

    def _current(self, study: int) -> _Places:
        """Where the sets are, entries of other processes included; what they replace is let go."""
        places = self._places[study]
        replaced: list[int] = []
        for number, kept, failures in self._rows(_SINCE, study, places.last):
            replaced += places.enter(number, keys_of(kept), unfinished(failures_of(failures)))
        with self._explained():
            self._file.executemany(_FORGET, [(number,) for number in replaced])
        return places

    def _rows(self, query: str, *values: str | int) -> Iterator[Any]:
        with self._explained():
            yield from self._file.execute(query, values)

    def _prepare(self) -> None:
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            version = self._file.execute("PRAGMA user_version").fetchone()[0]
            tables = self._file.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
            if version == 0 and not tables:
                for statement in _SCHEMA:
                    self._file.execute(statement)
            elif version != FORMAT:
                raise DataError(
                    f"{self.path} is no ledger of format {FORMAT}: name another file with ledger="
                )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise DataError(
                    f"ledger {self.path} is locked by another process: wait until that has ended, "
                    "or name another file with ledger="
                ) from error
            raise DataError(
                f"ledger {self.path}: {error}: name a file that you may write to with ledger="
            ) from error
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"ledger {self.path} is damaged or no ledger ({error}): move it away, or name "
                "another file with ledger="
            ) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot make the folder {folder} of the ledger: {error.strerror}: name another file "
            "with ledger="
        ) from error
