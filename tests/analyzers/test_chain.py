"""Verdicts on logs that were cut, changed, swapped, doubled or never were logs."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analyzers.chain import head_path, tail, verify
from analyzers.journal import Journal
from brokers.clock import ManualClock
from brokers.errors import DataError

RECORDS = [
    {"kind": "session", "strategy": "demo"},
    {"kind": "decision", "order_id": "a1", "agent_reasoning": "not given"},
    {"kind": "fill", "order_id": "a1", "price": 10.5},
]


def write(path: Path, *, complete: bool = True) -> bytes:
    with Journal(path, "run", ManualClock(datetime(2024, 1, 2, tzinfo=UTC))) as journal:
        for record in RECORDS:
            journal.append(record)
        journal.close(complete)
    return path.read_bytes()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "decisions.jsonl"
    write(path)
    return path


def line_of(content: bytes, position: int) -> int:
    return content[:position].count(b"\n") + 1


def test_untouched_closed_log_is_complete(log: Path) -> None:
    verdict = verify(log)
    assert (verdict.state, verdict.line, verdict.lines) == ("complete", 4, 4)


def test_log_without_session_end_is_unfinished(tmp_path: Path) -> None:
    write(tmp_path / "log", complete=False)
    verdict = verify(tmp_path / "log")
    assert (verdict.state, verdict.line, verdict.lines) == ("unfinished", 3, 3)


def test_hashes_follow_from_the_documented_recipe(log: Path) -> None:
    previous = "0" * 64
    for line in log.read_text().splitlines():
        body, seal = line[:-75] + "}", json.loads(line)["hash"]
        assert hashlib.sha256((previous + body).encode()).hexdigest() == seal
        assert body + "\n" == line.replace(f',"hash":"{seal}"', "") + "\n"
        previous = seal


def test_any_byte_changed_is_found_and_its_line_named(log: Path) -> None:
    whole = log.read_bytes()
    for position, byte in enumerate(whole):
        values = {0, 0x0A, 0x20, 0x30, 0xFF, byte ^ 1, byte ^ 0x20}
        every_value_is_found(log, whole, position, values)


def every_value_is_found(log: Path, whole: bytes, position: int, values: Iterable[int]) -> None:
    for other in {*values} - {whole[position]}:
        log.write_bytes(whole[:position] + bytes([other]) + whole[position + 1 :])
        verdict = verify(log)
        assert verdict.state == "damaged", (position, other)
        assert verdict.line == line_of(whole, position), (position, other)
        assert str(verdict.line) in verdict.text


def test_any_byte_of_the_head_file_changed_is_found(log: Path) -> None:
    head = head_path(log)
    whole = head.read_bytes()
    for position, byte in enumerate(whole):
        for other in {0, 0x0A, 0x20, 0x30, 0x39, 0xFF, byte ^ 1} - {byte}:
            head.write_bytes(whole[:position] + bytes([other]) + whole[position + 1 :])
            verdict = verify(log)
            assert verdict.state == "damaged", (position, other)
            assert verdict.line >= 1


def test_any_byte_removed_or_added_is_found(log: Path) -> None:
    whole = log.read_bytes()
    for position in range(len(whole)):
        line = line_of(whole, position)
        for changed in (whole[:position] + whole[position + 1 :], insert(whole, position)):
            log.write_bytes(changed)
            verdict = verify(log)
            assert verdict.state in ("damaged", "torn"), position
            assert verdict.line == line, position


def insert(whole: bytes, position: int) -> bytes:
    return whole[:position] + b"7" + whole[position:]


@pytest.mark.parametrize("complete", [True, False])
def test_any_line_removed_is_found_and_named(tmp_path: Path, complete: bool) -> None:
    log = tmp_path / "log"
    lines = write(log, complete=complete).splitlines(keepends=True)
    for removed in range(len(lines)):
        log.write_bytes(b"".join(lines[:removed] + lines[removed + 1 :]))
        verdict = verify(log)
        assert (verdict.state, verdict.line) == ("damaged", removed + 1)


def test_two_lines_swapped_are_found_at_the_first(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    for first in range(len(lines)):
        for second in range(first + 1, len(lines)):
            swapped = list(lines)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            log.write_bytes(b"".join(swapped))
            assert (verify(log).state, verify(log).line) == ("damaged", first + 1)


def test_doubled_line_is_found_at_its_second_copy(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    for doubled in range(len(lines)):
        log.write_bytes(b"".join(lines[: doubled + 1] + lines[doubled:]))
        assert (verify(log).state, verify(log).line) == ("damaged", doubled + 2)


def test_log_cut_at_any_byte_is_found_and_its_line_named(log: Path) -> None:
    whole = log.read_bytes()
    for size in range(len(whole) - 1):
        log.write_bytes(whole[:size])
        verdict = verify(log)
        assert (verdict.state, verdict.line) == ("damaged", line_of(whole, size)), size


def test_half_written_line_is_torn(log: Path) -> None:
    for rest in (b"{", b'{"v":1,"seq":5,"at":"2024', b"\0\0\0"):
        with log.open("ab") as file:
            file.write(rest)
        verdict = verify(log)
        assert (verdict.state, verdict.line, verdict.lines) == ("torn", 5, 4)


def test_line_without_its_line_end_is_torn(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-1])
    assert (verify(log).state, verify(log).line) == ("torn", 4)


@pytest.mark.parametrize("complete", [True, False])
def test_log_copied_without_its_head_file_is_judged_alone_and_says_so(
    tmp_path: Path, complete: bool
) -> None:
    log = tmp_path / "log"
    lines = write(log, complete=complete).splitlines(keepends=True)
    head_path(log).unlink()
    verdict = verify(log)
    assert verdict.state == ("complete" if complete else "unfinished")
    assert "its head file is not here" in verdict.text
    for removed in range(len(lines) - 1):
        log.write_bytes(b"".join(lines[:removed] + lines[removed + 1 :]))
        assert (verify(log).state, verify(log).line) == ("damaged", removed + 1)
    log.write_bytes(b"".join(lines[:-1]))
    assert (verify(log).state, verify(log).line) == ("unfinished", len(lines) - 1)


def heads(log: Path) -> list[bytes]:
    hashes = ["0" * 64, *(json.loads(line)["hash"] for line in log.read_text().splitlines())]
    return [f"{seq:020d} {link}\n".encode() for seq, link in enumerate(hashes)]


def test_head_file_may_be_exactly_one_line_behind(log: Path) -> None:
    verdicts = []
    for head in heads(log):
        head_path(log).write_bytes(head)
        verdicts.append((verify(log).state, verify(log).line))
    assert verdicts == [
        ("damaged", 2),
        ("damaged", 3),
        ("damaged", 4),
        ("complete", 4),
        ("complete", 4),
    ]


def test_head_file_with_the_hash_of_another_line_is_damage(log: Path) -> None:
    three, four = heads(log)[3:]
    head_path(log).write_bytes(four[:21] + three[21:])
    assert (verify(log).state, verify(log).line) == ("damaged", 4)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF\x02\x01\x01", b"PAR1\n\x00\x00\n", b"open,close\n1,2\n", b"[1]\n", b"{}\n"],
)
def test_file_of_another_kind_is_damaged_at_line_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    verdict = verify(tmp_path / "other")
    assert (verdict.state, verdict.line, verdict.lines) == ("damaged", 1, 0)


def test_line_of_another_version_says_so(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b'{"v":1', b'{"v":2', 1))
    assert verify(log).text == "line 1 is of version 2, this Seawall reads version 1"


def test_file_without_line_ends_is_not_read_into_memory_whole(log: Path) -> None:
    with log.open("wb") as file:
        file.truncate(1 << 30)
    assert (verify(log).state, verify(log).line) == ("damaged", 1)


@pytest.mark.parametrize("read", [verify, lambda path: list(tail(path))])
@pytest.mark.parametrize("name", ["missing", "."])
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, read: Callable[[Path], object]
) -> None:
    with pytest.raises(DataError, match=r"cannot be read as a decision log: (No such|Is a)"):
        read(tmp_path / name)


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    told: list[int] = []
    with Journal(tmp_path / "log", "run", ManualClock(datetime(2024, 1, 2, tzinfo=UTC))) as journal:
        for _ in range(40_000):
            journal.append({"kind": "order"})
    verify(tmp_path / "log", told.append)
    assert len(told) == 2
    assert 0 < told[0] < told[1] < (tmp_path / "log").stat().st_size


def test_log_may_be_verified_while_it_is_written(tmp_path: Path) -> None:
    """The head file moves on between the first look at it and the end of the log."""
    path = tmp_path / "log"
    with Journal(path, "run", ManualClock(datetime(2024, 1, 2, tzinfo=UTC))) as journal:
        for _ in range(20_000):
            journal.append({"kind": "order"})
        verdict = verify(path, lambda _: [journal.append({"kind": "order"}) for _ in range(9)])
        assert verdict.state == "unfinished"


def test_tail_yields_each_record_with_the_offset_after_it(log: Path) -> None:
    records = list(tail(log))
    assert [record["seq"] for record, _ in records] == [1, 2, 3, 4]
    assert [record["seq"] for record, _ in tail(log, records[1][1])] == [3, 4]
    assert list(tail(log, records[-1][1])) == []


def test_tail_leaves_a_half_written_line_for_later(log: Path) -> None:
    whole = log.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    log.write_bytes(whole[:-5])
    *_, (record, offset) = tail(log)
    assert (record["seq"], offset) == (3, last)
    log.write_bytes(whole)
    assert [record["seq"] for record, _ in tail(log, offset)] == [4]


@pytest.mark.parametrize("offset", [3, 10_000])
def test_tail_from_an_offset_of_another_file_is_an_error(log: Path, offset: int) -> None:
    with pytest.raises(DataError, match=f"byte {offset}"):
        list(tail(log, offset))
