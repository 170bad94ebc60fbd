"""The end of a log, read backwards."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.errors import DataError
from dashboard import tail
from tests.dashboard.stage import bars, bought, write


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [*bought(), *(bars(n, 100.0 + n) for n in range(3, 2_000))]
    return write(tmp_path_factory.mktemp("log") / "log", records)


@pytest.mark.parametrize("count", [1, 7, 1_500, 5_000])
def test_last_records_are_the_last_lines_in_their_order(log: Path, count: int) -> None:
    found = tail.last_records(log, count, log.stat().st_size)
    assert [placed.record["seq"] for placed in found] == list(
        range(2_006 - min(count, 2_005), 2_006)
    )


def test_each_record_knows_the_bytes_it_takes(log: Path) -> None:
    for placed in tail.last_records(log, 5, log.stat().st_size):
        assert tail.records_at(log, [placed.start]) == [placed.record]
        assert log.read_bytes()[placed.end - 1 : placed.end] == b"\n"


@settings(max_examples=60)
@given(lengths=st.lists(st.integers(0, 900), max_size=12), count=st.integers(1, 12))
def test_lines_of_any_length_are_found_whatever_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], count: int
) -> None:
    log = tmp_path_factory.mktemp("any") / "log"
    lines = [b'{"seq":%d,"text":"%s"}\n' % (n, b"x" * size) for n, size in enumerate(lengths)]
    log.write_bytes(b"".join(lines) + b'{"seq":')
    found = tail.last_records(log, count, log.stat().st_size)
    assert [placed.record["seq"] for placed in found] == list(range(len(lines)))[-count:]


def test_a_line_that_is_no_record_is_refused_with_its_place(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b'{"seq":1}\nnonsense\n{"seq":3}\n')
    with pytest.raises(DataError, match="no log line at byte 10: run verify"):
        tail.records_at(log, [0, 10])
    assert [it.start for it in tail.last_records(log, 5, log.stat().st_size)] == [0, 19]
    with pytest.raises(DataError, match="no log line at byte 0"):
        tail.records_at(write_text(tmp_path / "list", "[1]\n"), [0])


def test_the_session_lines_are_read_from_the_beginning(log: Path) -> None:
    (first,) = tail.first_records(log, "session")
    assert (first.record["kind"], first.start) == ("session", 0)


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    for read in (
        lambda: tail.last_records(tmp_path, 1, 10),
        lambda: tail.first_records(tmp_path, "session"),
        lambda: tail.mark_at(tmp_path, 10),
        lambda: list(tail.lines_at(tmp_path, [0])),
    ):
        with pytest.raises(DataError, match="cannot be read as a decision log"):
            read()


def write_text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
