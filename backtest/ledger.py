"""Every trial ever made, in one SQLite file: nothing is repeated, and nothing is forgotten."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from analyzers.overfit import BLOCKS
from backtest.outcomes import METRICS, PRUNED, Outcomes
from brokers.errors import ConfigError, DataError

FORMAT = 1
WAIT_S = 10.0
MEMORY = ":memory:"
CHUNK = 1_000  # rows read at a time
FEW = 500  # keys that are looked up one by one
MOMENTS = ("mean", "deviation", "skew", "kurtosis")
LOST = "lost: "
"""How the reason of a set begins whose worker died; it is tried again when a sweep is resumed."""

_NUMBERS = (*METRICS, *MOMENTS)
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
    f"""CREATE TABLE trials (
    study INTEGER NOT NULL REFERENCES studies,
    params TEXT NOT NULL,
    {" REAL, ".join(_NUMBERS)} REAL,
    periods INTEGER NOT NULL,
    blocks BLOB NOT NULL,
    failure TEXT,
    UNIQUE (study, params)
)""",
    f"PRAGMA user_version = {FORMAT}",
)
_PLACES = ", ".join("?" * (len(_NUMBERS) + 5))
_ADD = f"INSERT OR IGNORE INTO trials VALUES ({_PLACES})"  # noqa: S608  constants alone
_RENEWED = ", ".join(f"{it} = excluded.{it}" for it in (*_NUMBERS, "periods", "blocks", "failure"))
# In place: REPLACE would take the row and both its index entries out first.
_PUT = f"""INSERT INTO trials VALUES ({_PLACES})
ON CONFLICT (study, params) DO UPDATE SET {_RENEWED}"""  # noqa: S608
_KNOWN = """
SELECT * FROM trials WHERE study = ?
AND (failure IS NULL OR (failure NOT LIKE ? AND failure NOT LIKE ?))
"""
_OF_ALL = """
FROM trials JOIN studies ON studies.id = trials.study
WHERE strategy = ? AND bars = ? AND (failure IS NULL OR failure LIKE ?)
"""
_TRIED = f"SELECT mean / deviation {_OF_ALL}"
_TRIED_ONCE = f"SELECT MAX(mean / deviation) {_OF_ALL} GROUP BY source, settings, params"
_HAS_TWINS = """
SELECT COUNT(*) > COUNT(DISTINCT source || ' ' || settings) FROM studies
WHERE strategy = ? AND bars = ?
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


class Ledger:
    """The trials in one file, safe with several processes at once.

    A trial is kept once its transaction is done, whatever becomes of the process.

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

    def keep(
        self, study: int, keys: Sequence[str], outcomes: Outcomes, *, replace: bool = True
    ) -> None:
        """Add finished sets in one transaction.

        Args:
            replace: put them in place of what was known of them; False leaves that as it is.
        """
        numbers = [*(outcomes.metrics[name] for name in METRICS), *outcomes.moments.T]
        blocks, size = outcomes.blocks.tobytes(), BLOCKS * 3 * 8
        rows = zip(
            repeat(study, len(keys)),
            keys,
            *(column.tolist() for column in numbers),
            outcomes.periods.tolist(),
            (blocks[at : at + size] for at in range(0, len(blocks), size)),
            map(outcomes.failures.get, range(len(keys))),
            strict=True,
        )
        with self._explained(), self._transaction():
            self._file.executemany(_PUT if replace else _ADD, rows)

    def known(self, study: int, keys: Sequence[str]) -> Iterator[tuple[list[int], Outcomes]]:
        """Which of `keys` the ledger has, by their place, with their outcomes, chunk by chunk.

        Sets whose worker died are not among them, nor those that were given up on a part of the
        bars.
        """
        places = {key: place for place, key in enumerate(keys)}
        few = keys if len(keys) <= FEW else ()
        query = _KNOWN + f" AND params IN ({', '.join('?' * len(few))})" if few else _KNOWN
        with self._explained():
            answer = self._file.execute(query, (study, f"{LOST}%", f"{PRUNED}%", *few))
            while chunk := answer.fetchmany(CHUNK):
                rows = [row for row in chunk if row[1] in places]
                yield [places[row[1]] for row in rows], _outcomes(rows)

    def tried(self, study: Study) -> Tried:
        """How much was tried with the strategy of `study` on its bars."""
        names = study.strategy, study.bars
        with self._explained():
            # Two engines alone try a set twice; to group the rows takes longer than to read them.
            [has_twins] = self._file.execute(_HAS_TWINS, names).fetchone()
            query = _TRIED_ONCE if has_twins else _TRIED
            rows = self._file.execute(query, (*names, f"{PRUNED}%")).fetchall()
        ratios = np.array([row[0] for row in rows if row[0] is not None])
        variance = float(ratios.var(ddof=1)) if len(ratios) > 1 else float("nan")
        return Tried(len(rows), variance)

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


def _outcomes(rows: Sequence[Sequence[Any]]) -> Outcomes:
    count, width = len(rows), len(_NUMBERS)
    numbers = np.array([row[2 : 2 + width] for row in rows], dtype=np.float64)
    numbers = numbers.reshape(count, width)
    metrics = {name: numbers[:, place].copy() for place, name in enumerate(METRICS)}
    blocks = np.frombuffer(b"".join(row[-2] for row in rows), dtype=np.float64)
    failures = {place: row[-1] for place, row in enumerate(rows) if row[-1]}
    return Outcomes(
        metrics,
        numbers[:, len(METRICS) :].copy(),
        np.array([row[-3] for row in rows], dtype=np.int64),
        blocks.reshape(count, BLOCKS, 3).copy(),
        failures,
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot make the folder {folder} of the ledger: {error.strerror}: name another file "
            "with ledger="
        ) from error
