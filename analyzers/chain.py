"""Reading a decision log: what its hash chain still vouches for, and what is new in it.

Each line ends with its hash: SHA-256 over the previous line's hash (64 zeros before the first) and
the line's own bytes without that member. `<log>.head` holds number and hash of the last line, so
that a line missing at the end is noticed too. Accidents and partial edits are found; a forger who
rewrites the whole file and its head is not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import orjson

from brokers.errors import DataError

VERSION = 1
GENESIS = b"0" * 64
SESSION_END = "session_end"
LINE_LIMIT = 1 << 24  # bytes; a longer line is none of ours
_SEAL_BYTES = len(b',"hash":""}\n') + 64
_HEAD_BYTES = 20 + 1 + 64 + 1
_NO_HEAD_TEXT = "; its head file is not here, which would miss lines gone from the end"
_PROGRESS_EVERY = 1 << 14  # lines

State = Literal["complete", "unfinished", "torn", "damaged"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found.

    Args:
        state: complete (closed by its session end), unfinished (whole, but not closed), torn (the
            last write was cut short) or damaged.
        line: the line that `text` speaks of, from 1; the last one when nothing is wrong.
        text: one sentence for a person.
        lines: whole lines that hold, counted from the first.
    """

    state: State
    line: int
    text: str
    lines: int


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain ends: number and hash of its last line, and the byte after it."""

    seq: int = 0
    hash: bytes = GENESIS
    size: int = 0

    def head(self) -> bytes:
        """The content of the head file."""
        return b"%020d %s\n" % (self.seq, self.hash)


_NO_HEAD = End(seq=-1)


@dataclass(frozen=True, slots=True)
class _Walk:
    """A log read up to its end or its first fault."""

    end: End
    last: bytes  # the last line that holds
    rest: bytes  # bytes after it that no line end closes
    fault: str | None  # of line end.seq + 1
    at_head: bytes | None  # hash of the line that the head file names

    @property
    def unclosed(self) -> End | None:
        """The end if `rest` is a whole line that lacks nothing but its line end."""
        line = self.rest + b"\n"
        link = _link(self.end.hash, line)
        return _after(self.end, line, link) if line.endswith(_seal(link)) else None


def head_path(log: Path) -> Path:
    """The head file that belongs to a log."""
    return log.with_name(log.name + ".head")


def sealed(end: End, body: bytes) -> tuple[bytes, End]:
    """A JSON object as the line after `end`, and the chain's new end."""
    link = sha256(end.hash + body).hexdigest().encode()
    line = body[:-1] + _seal(link)
    return line, _after(end, line, link)


def verify(path: str | Path, progress: Callable[[int], None] | None = None) -> Verdict:
    """Hold a log against its hash chain and its head file, in constant memory.

    A log that is being written may be verified; it is unfinished.

    Args:
        progress: told now and then how many bytes have been read.

    Raises:
        DataError: the file cannot be read.
    """
    return examine(Path(path), progress)[0]


def examine(log: Path, progress: Callable[[int], None] | None = None) -> tuple[Verdict, End]:
    """The verdict, and where the chain ends once a torn line is recovered."""
    head = _read_head(log) if head_path(log).exists() else None
    try:
        walk = _walk(log, head.seq if head else 0, progress)
    except OSError as error:
        raise _unreadable(log, error) from error
    verdict = _judge(walk, _head_fault(log, head, walk))
    if head is None and verdict.state in ("complete", "unfinished"):
        verdict = replace(verdict, text=verdict.text + _NO_HEAD_TEXT)
    return verdict, walk.unclosed or walk.end


def tail(path: str | Path, offset: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """The records after a byte offset, each with the offset that follows it.

    A line that is still being written is left for the next call; hashes are not checked.

    Args:
        offset: 0, or an offset that came with an earlier record.

    Raises:
        DataError: the file cannot be read, or has no line at `offset`: begin again at 0.
    """
    try:
        with Path(path).open("rb") as log:
            if log.seek(0, 2) < offset:
                raise DataError(f"{path}: ends before byte {offset}: replaced? read it from 0")
            log.seek(offset)
            for line in log:
                if not line.endswith(b"\n"):
                    return
                record = orjson.loads(line)
                offset += len(line)
                yield record, offset
    except OSError as error:
        raise _unreadable(Path(path), error) from error
    except orjson.JSONDecodeError as error:
        raise DataError(f"{path}: no log line at byte {offset}: run verify on it") from error


def _unreadable(log: Path, error: OSError) -> DataError:
    return DataError(
        f"{log}: cannot be read as a decision log: {error.strerror}: name the decisions.jsonl in "
        "the folder of a run or of a session"
    )


def _seal(link: bytes) -> bytes:
    return b',"hash":"' + link + b'"}\n'


def _link(previous: bytes, line: bytes) -> bytes:
    return sha256(previous + line[:-_SEAL_BYTES] + b"}").hexdigest().encode()


def _after(end: End, line: bytes, link: bytes) -> End:
    return End(end.seq + 1, link, end.size + len(line))


def _walk(log: Path, head_seq: int, progress: Callable[[int], None] | None) -> _Walk:
    seq, link, size, last, fault = 0, GENESIS, 0, b"", None
    at_head = GENESIS if head_seq == 0 else None
    with log.open("rb", buffering=1 << 20) as file:
        while line := file.readline(LINE_LIMIT):
            if not line.endswith(b"\n") and len(line) < LINE_LIMIT:
                break
            following = _link(link, line)
            known = line.startswith(b'{"v":%d,"seq":%d,' % (VERSION, seq + 1))
            if not known or line[-_SEAL_BYTES:] != _seal(following):
                fault = _fault(line, seq + 1)
                break
            seq, link, size, last = seq + 1, following, size + len(line), line
            if seq == head_seq:
                at_head = link
            if progress and seq % _PROGRESS_EVERY == 0:
                progress(size)
    rest = b"" if fault else line
    return _Walk(End(seq, link, size), last, rest, fault, at_head)


def _fault(line: bytes, seq: int) -> str:
    """Why a line does not follow the one before it."""
    try:
        record = orjson.loads(line)
        version, number = record["v"], record["seq"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"line {seq} is not a line of a decision log"
    if version != VERSION:
        return f"line {seq} is of version {version}, this Seawall reads version {VERSION}"
    if number != seq:
        return f"line {number} stands where line {seq} belongs: missing, doubled or out of order"
    return f"line {seq} or the hash of the line before it was changed after it was written"


def _read_head(log: Path) -> End:
    """The head file's content; a number that no log reaches when it is no head file."""
    with head_path(log).open("rb") as file:
        content = file.read(_HEAD_BYTES + 1)
    number, _, link = content[:-1].partition(b" ")
    end = End(int(number), link) if number.isdigit() else _NO_HEAD
    return end if content == end.head() else _NO_HEAD


def _head_fault(log: Path, head: End | None, walk: _Walk) -> tuple[int, str] | None:
    """The line and the reason why the head file does not vouch for the log's end."""
    end = walk.unclosed or walk.end
    reach = end.seq
    if head is None:
        return (1, "line 1 is missing: this is no decision log") if reach == 0 else None
    if head == _NO_HEAD:
        return max(reach, 1), f"its head file {head_path(log).name} was changed"
    if head.seq > reach:
        line, how = walk.end.seq + 1, "is cut short" if walk.rest else "is missing"
        return line, f"line {line} {how}: the head file counts {head.seq} lines"
    if head.hash != (end.hash if head.seq == reach else walk.at_head):
        return max(head.seq, 1), f"the head file has another hash for line {head.seq}"
    moved_on = _read_head(log)  # a writer may be at work
    if moved_on.seq < reach - 1:
        return moved_on.seq + 2, f"the head file has seen only {moved_on.seq} of {reach} lines"
    return None


def _judge(walk: _Walk, head_fault: tuple[int, str] | None) -> Verdict:
    seq = walk.end.seq
    if walk.fault:
        return Verdict("damaged", seq + 1, walk.fault, seq)
    if head_fault:
        return Verdict("damaged", *head_fault, seq)
    if walk.rest:
        text = f"line {seq + 1} is not written to its end: the next run on this log mends it"
        return Verdict("torn", seq + 1, text, seq)
    closing = orjson.loads(walk.last) if walk.last else {}
    if closing.get("kind") == SESSION_END and closing.get("lines") == seq:
        return Verdict("complete", seq, f"{seq} lines, closed by the session's end", seq)
    return Verdict(
        "unfinished", seq, f"{seq} lines hold; the session's end is missing after line {seq}", seq
    )
