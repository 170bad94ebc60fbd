"""Writing a decision log: an append-only chain of JSON lines that we never leave torn."""

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import orjson

from analyzers.chain import (
    LINE_LIMIT,
    SESSION_END,
    VERSION,
    End,
    Verdict,
    examine,
    head_path,
    sealed,
    tail,
    verify,
)
from brokers.errors import ConfigError, DataError

__all__ = ["Journal", "Verdict", "recover", "tail", "verify"]

_OWN = frozenset(("v", "seq", "at", "run_id", "hash"))
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY
_SYNC = getattr(os, "fdatasync", os.fsync)  # macOS has fsync alone
_NEXT_STEP = "restore log and head file from a copy, or log to another file"


class Now(Protocol):
    """The part of a Clock that a journal needs."""

    def now(self) -> datetime:
        """The instant, aware UTC."""


class Journal:
    """The one writer of a decision log; a line is in the file when `append` returns.

    An existing log is verified and continued, its torn bytes are set aside in `<log>.torn`.

    Args:
        path: the log; its head file lies beside it.
        run_id: stands in every line.
        clock: says when; a backtest passes bar time, so that the same run gives the same bytes.
        fresh: begin a new log; an existing one is kept as `<log>.1`, `<log>.2` and so on.

    Raises:
        ConfigError: another writer has the file, or it cannot be written.
        DataError: the existing log is damaged.
    """

    def __init__(self, path: str | Path, run_id: str, clock: Now, *, fresh: bool = False) -> None:
        self.path = Path(path)
        self._run_id = run_id
        self._clock = clock
        self._unsettled = False  # whether bytes after `_end`, left by a failed write, may stand
        with _writable(self.path), ExitStack() as undo:
            if fresh:
                set_aside(self.path)
            self._fd = _open_alone(self.path)
            undo.callback(os.close, self._fd)
            self._end = _whole_end(self.path, self._fd)
            self._head_fd = os.open(head_path(self.path), os.O_WRONLY | os.O_CREAT, 0o644)
            undo.callback(os.close, self._head_fd)
            self._settle()
            undo.pop_all()

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record as a line.

        Args:
            record: `kind` and what belongs to it; NaN and infinity become null.

        Raises:
            OSError: nothing was written; when there is space again, the next call works.
            DataError: the record cannot be a line; nothing was written.
        """
        line, end = sealed(self._end, self._body(record))
        if len(line) > LINE_LIMIT:
            raise DataError(f"a {record['kind']} line of {len(line)} bytes is too long to log")
        if self._unsettled:
            self._settle()
        self._unsettled = True
        try:
            _write(self._fd, line)
            _write_head(self._head_fd, end)
            self._end = end
            self._unsettled = False
        except BaseException:
            with suppress(OSError):
                self._settle()
            raise

    def sync(self) -> None:
        """Wait until every line so far is on the disk itself.

        Raises:
            OSError: it is not, or nobody could find it there.
        """
        _SYNC(self._fd)
        self.require()

    def require(self) -> None:
        """Look whether the file is still in a folder; what is written to a removed one is lost.

        Raises:
            FileNotFoundError: it was removed.
        """
        if os.fstat(self._fd).st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, "the log was removed", str(self.path))

    def close(self, complete: bool = True) -> None:
        """Close the log, with a session end if the run is complete; closing twice is harmless.

        Raises:
            OSError: the session end could not be written; the log stays unfinished.
        """
        if self._fd < 0:
            return
        try:
            if complete:
                self.append({"kind": SESSION_END, "lines": self._end.seq + 1})
            elif self._unsettled:
                self._settle()
        finally:
            os.close(self._head_fd)
            os.close(self._fd)
            self._fd = self._head_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(complete=error_type is None)

    def _body(self, record: Mapping[str, Any]) -> bytes:
        if not _OWN.isdisjoint(record):
            raise DataError(f"{sorted(_OWN & record.keys())} are the journal's own fields")
        fields = {
            "v": VERSION,
            "seq": self._end.seq + 1,
            "at": self._clock.now(),
            "run_id": self._run_id,
            "kind": record["kind"],
            **record,
        }
        try:
            return orjson.dumps(fields, _plain, _OPTIONS)
        except TypeError as error:
            raise DataError(f"a {record['kind']} record cannot be logged: {error}") from error

    def _settle(self) -> None:
        """Cut off what a failed or interrupted write left, and let the head file say so."""
        os.ftruncate(self._fd, self._end.size)
        _write_head(self._head_fd, self._end)
        self._unsettled = False


def recover(path: str | Path) -> Verdict:
    """Set the bytes of a torn last line aside in `<log>.torn`; any other log stays as it is.

    A line that lacks nothing but its line end is given one.

    Returns:
        The verdict on the log as it now is.

    Raises:
        ConfigError: another writer has the file.
        DataError: the file cannot be read.
    """
    log = Path(path)
    if verify(log).state == "torn":
        with _writable(log):
            fd = _open_alone(log)
            try:
                _mend(log, fd, examine(log)[1])
            finally:
                os.close(fd)
    return verify(log)


def set_aside(log: Path) -> None:
    """Rename a log and its head file to the first free number, so that nothing is lost.

    Raises:
        ConfigError: another writer has the file, or it cannot be renamed.
    """
    if not log.exists():
        return
    with _writable(log), _alone(log):
        numbered = (log.with_name(f"{log.name}.{number}") for number in count(1))
        kept = next(free for free in numbered if not (free.exists() or head_path(free).exists()))
        log.rename(kept)
        if head_path(log).exists():
            head_path(log).rename(head_path(kept))


@contextmanager
def _writable(log: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{log}: cannot be written: {error.strerror}; choose another place for the log"
        ) from error


def _open_alone(log: Path) -> int:
    """A descriptor that appends, and that no other writer has until it is closed."""
    if head_path(log).exists() and not log.exists():
        raise DataError(f"{log}: is gone, but its head file is here; {_NEXT_STEP}")
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine = os.path.samestat(os.fstat(fd), log.stat())
    except (BlockingIOError, FileNotFoundError):
        mine = False
    if not mine:
        os.close(fd)
        raise ConfigError(f"{log}: another run is writing it; wait for its end or log elsewhere")
    return fd


@contextmanager
def _alone(log: Path) -> Iterator[None]:
    fd = _open_alone(log)
    try:
        yield
    finally:
        os.close(fd)


def _whole_end(log: Path, fd: int) -> End:
    """Where to go on, torn bytes set aside."""
    head = head_path(log)
    if os.fstat(fd).st_size == 0 and not (head.exists() and head.stat().st_size):
        return End()
    if not head.exists():
        raise DataError(f"{log}: its head file {head.name} is missing; {_NEXT_STEP}")
    verdict, end = examine(log)
    if verdict.state == "damaged":
        raise DataError(f"{log}: damaged at line {verdict.line}: {verdict.text}; {_NEXT_STEP}")
    _mend(log, fd, end)
    return end


def _mend(log: Path, fd: int, end: End) -> None:
    """Complete a line that lacks its line end; move what is less than a line to `<log>.torn`."""
    size = os.fstat(fd).st_size
    if size < end.size:
        _write(fd, b"\n")
    elif size > end.size:
        with log.open("rb") as whole, log.with_name(log.name + ".torn").open("ab") as torn:
            whole.seek(end.size)
            torn.write(whole.read())
            torn.flush()
            os.fsync(torn.fileno())
        os.ftruncate(fd, end.size)


def _write(fd: int, content: bytes) -> None:
    """Write all of it; after a short write the next one tells the cause."""
    written = os.write(fd, content)
    while written < len(content):
        written += os.write(fd, content[written:])


def _write_head(fd: int, end: End) -> None:
    head = end.head()
    if os.pwrite(fd, head, 0) != len(head):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _plain(value: object) -> object:
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, date):  # subclasses, such as pandas' Timestamp
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError
