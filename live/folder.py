"""A session's folder: its log, the bars it was warmed up on, its kill file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analyzers.chain import tail, verify
from brokers.errors import ConfigError, DataError
from feeds import parquet
from feeds.parquet import Stored
from feeds.passport import Passport, passport_of

LOG = "decisions.jsonl"
WARM_UP = "warmup"
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Folder:
    """Where one session keeps what it must have again after a crash."""

    path: Path

    @property
    def log(self) -> Path:
        """The decision log."""
        return self.path / LOG

    def make(self) -> None:
        """Make it.

        Raises:
            ConfigError: it cannot be made.
        """
        try:
            (self.path / WARM_UP).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be made: {error.strerror}") from error

    def records(self) -> tuple[Record, ...]:
        """What the log holds; nothing where there is none.

        Raises:
            DataError: it is damaged.
        """
        if not self.log.exists():
            return ()
        verdict = verify(self.log)
        if verdict.state == "damaged":
            raise DataError(
                f"{self.log}: damaged at line {verdict.line}: {verdict.text}; restore it and its "
                "head file from a copy, or begin anew with --fresh once the account is in order"
            )
        return tuple(record for record, _ in tail(self.log))

    def keep(self, frames: Mapping[str, pd.DataFrame]) -> None:
        """Write the warm-up."""
        for symbol, frame in frames.items():
            covered_to = frame.index[-1].to_pydatetime()
            parquet.write(self._warm_up(symbol), Stored(frame, None, covered_to))

    def warm_up(self, passports: Iterable[Passport]) -> dict[str, pd.DataFrame]:
        """Read the warm-up that a log began with.

        Raises:
            DataError: it is gone, or not what the log says.
        """
        frames = {}
        for known in passports:
            path = self._warm_up(known.symbol)
            stored = parquet.read(path)
            if stored is None or passport_of(stored.bars, known.symbol).sha256 != known.sha256:
                raise DataError(
                    f"{path}: the warm-up that {self.log} began with is gone or changed: restore "
                    "it from a copy, or begin anew with --fresh once the account is in order"
                )
            frames[known.symbol] = stored.bars
        return frames

    def _warm_up(self, symbol: str) -> Path:
        return self.path / WARM_UP / f"{symbol}.parquet"


def passports_in(records: Sequence[Record]) -> list[Passport]:
    """The passports of the feeds, from a log's first line."""
    return [Passport.from_dict(passport) for passport in records[0]["passports"]]
