"""One stored series as a Parquet file: replaced whole, never half, and checked when read."""

import fcntl
import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from brokers.errors import ConfigError, DataError
from feeds.passport import KEY, Passport, content_hash

_BODY, _DIGEST = b"seawall", b"seawall-sha256"


@dataclass(frozen=True)
class Stored:
    """Bars with their passport, and the range that was asked for to get them.

    Args:
        bars: a stamped bar frame.
        covered_from: aware UTC; None: from the beginning.
        covered_to: aware UTC, exclusive: what came later may still change or be missing.
    """

    bars: pd.DataFrame
    covered_from: datetime | None
    covered_to: datetime

    @property
    def passport(self) -> Passport:
        """The passport of the bars."""
        held: Passport = self.bars.attrs[KEY]
        return held


class Damaged(DataError):
    """The file is not what `write` left there."""


def read(path: Path) -> Stored | None:
    """Read what `write` wrote; None where there is no file.

    Raises:
        Damaged: it is torn, changed or of another format.
        ConfigError: it cannot be opened.
    """
    with _named(path):
        if not path.exists():
            return None
        content = path.read_bytes()
    try:
        return _decode(content)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path} cannot be read") from error


def write(path: Path, stored: Stored) -> None:
    """Replace the file in one step that survives a crash at any instant.

    Raises:
        ConfigError: the folder or the disk does not take it; the old file is untouched.
    """
    put(path, _encode(stored))


def put(path: Path, content: bytes) -> None:
    """Replace any file in one step that survives a crash at any instant.

    Raises:
        ConfigError: the folder or the disk does not take it; the old file is untouched.
    """
    fresh = path.with_name(f"{path.name}.new")
    with _named(path):
        try:
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        _sync_folder(path.parent)


def set_aside(path: Path) -> Path:
    """Move a damaged file out of the way, under a name of its own, and give that name."""
    with _named(path):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return path.replace(path.with_name(f"{path.name}.damaged-{digest[:8]}"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the series of `path` alone, against other processes and threads; waits for its turn.

    The lock is the kernel's (flock on a file beside it) and ends with its process.
    """
    with _named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("wb")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _encode(stored: Stored) -> bytes:
    covered_from = stored.covered_from and stored.covered_from.isoformat()
    body = json.dumps(
        {
            "passport": stored.passport.as_dict(),
            "covered": [covered_from, stored.covered_to.isoformat()],
        }
    ).encode()
    plain = pd.DataFrame(stored.bars.reset_index())
    plain.attrs = {}
    table = pa.Table.from_pandas(plain, preserve_index=False)
    digest = hashlib.sha256(body).hexdigest().encode()
    table = table.replace_schema_metadata({_BODY: body, _DIGEST: digest})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _decode(content: bytes) -> Stored:
    table = pq.read_table(io.BytesIO(content))
    metadata = table.schema.metadata
    body = metadata[_BODY]
    if hashlib.sha256(body).hexdigest().encode() != metadata[_DIGEST]:
        raise ValueError("the description was changed")
    told = json.loads(body)
    passport = Passport.from_dict(told["passport"])
    bars = table.replace_schema_metadata().to_pandas().set_index("time").tz_convert("UTC")
    if content_hash(bars) != passport.sha256:
        raise ValueError("the bars were changed")
    bars.attrs[KEY] = passport
    first, after = told["covered"]
    return Stored(bars, first and datetime.fromisoformat(first), datetime.fromisoformat(after))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"the cache file {path} cannot be used ({error.strerror}): make room or rights there, "
            "or name another folder with cache="
        ) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
