"""The end of a log without its beginning: what stands there now, however long the log is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from brokers.errors import DataError

BLOCK = 1 << 18  # bytes read at once, backwards
MARK = 80  # bytes; the end of a line, its hash included
HEAD = 1 << 20  # bytes in which the first lines of a log are looked for

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A record and the bytes of the log that it takes."""

    record: Record
    start: int
    end: int


def last_records(path: Path, count: int, size: int) -> list[Placed]:
    """The last whole lines of the first `size` bytes, oldest first; what is no line is left out.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as log:
            content, start = b"", size
            while start and content.count(b"\n") <= count:
                step = min(BLOCK, start)
                start -= step
                log.seek(start)
                content = log.read(step) + content
    except OSError as error:
        raise unreadable(path, error) from error
    lines = content.split(b"\n")[:-1]  # what follows the last line end is still being written
    skipped = len(lines) - count if len(lines) > count else 1 if start else 0
    start += sum(len(line) + 1 for line in lines[:skipped])
    found = []
    for line in lines[skipped:]:
        with suppress(DataError):
            found += _placed(path, [line], start)
        start += len(line) + 1
    return found


def first_records(path: Path, kind: str) -> list[Placed]:
    """The lines of one kind that a log begins with.

    Raises:
        DataError: the file cannot be read, or its first line is none of a log's.
    """
    try:
        with path.open("rb") as log:
            lines = log.read(HEAD).split(b"\n")[:-1]
    except OSError as error:
        raise unreadable(path, error) from error
    found: list[Placed] = []
    for line in lines:
        [placed] = _placed(path, [line], found[-1].end if found else 0)
        if placed.record.get("kind") != kind:
            break
        found.append(placed)
    return found


def mark_at(path: Path, end: int) -> bytes:
    """The last bytes before `end`: as long as they are the same, so is the line that ends there.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as log:
            log.seek(max(end - MARK, 0))
            return log.read(min(MARK, end))
    except OSError as error:
        raise unreadable(path, error) from error


def lines_at(path: Path, starts: Iterable[int]) -> Iterator[bytes]:
    """The lines that begin at these bytes, with their line ends.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as log:
            for start in starts:
                log.seek(start)
                yield log.readline()
    except OSError as error:
        raise unreadable(path, error) from error


def records_at(path: Path, starts: Sequence[int]) -> list[Record]:
    """The records whose lines begin at these bytes.

    Raises:
        DataError: the file cannot be read, or there is no line of a log.
    """
    lines = zip(lines_at(path, starts), starts, strict=True)
    return [_placed(path, [line.rstrip(b"\n")], start)[0].record for line, start in lines]


def unreadable(path: Path, error: OSError) -> DataError:
    """The complaint about a file that cannot be read."""
    return DataError(f"{path}: cannot be read as a decision log: {error.strerror}")


def _placed(path: Path, lines: list[bytes], start: int) -> list[Placed]:
    found = []
    for line in lines:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataError(f"{path}: no log line at byte {start}: run verify on it") from error
        if not isinstance(record, Mapping):
            raise DataError(f"{path}: no log line at byte {start}: run verify on it")
        found.append(Placed(record, start, start + len(line) + 1))
        start += len(line) + 1
    return found
