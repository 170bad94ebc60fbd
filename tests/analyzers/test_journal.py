"""One writer, whole lines, and a chain that goes on."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.chain import head_path
from analyzers.journal import Journal, recover, tail, verify
from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError

START = datetime(2024, 1, 2, 21, tzinfo=UTC)


def journal(path: Path, **how: Any) -> Journal:
    return Journal(path, "run-1", ManualClock(START), **how)


def written(path: Path, *records: dict[str, Any], complete: bool = True) -> Path:
    log = journal(path)
    for record in records or ({"kind": "session"}, {"kind": "order"}):
        log.append(record)
    log.close(complete)
    return path


def test_line_carries_the_documented_fields_in_order(tmp_path: Path) -> None:
    path = written(tmp_path / "log", {"kind": "fill", "price": 10.5})
    line = path.read_text().splitlines()[0]
    assert line.startswith(
        '{"v":1,"seq":1,"at":"2024-01-02T21:00:00Z","run_id":"run-1","kind":"fill","price":10.5,"hash":"'
    )


def test_time_comes_from_the_clock(tmp_path: Path) -> None:
    clock = ManualClock(START)
    with Journal(tmp_path / "log", "run-1", clock) as log:
        log.append({"kind": "a"})
        clock.sleep(90)
        log.append({"kind": "b"})
    assert [record["at"] for record, _ in tail(tmp_path / "log")][:2] == [
        "2024-01-02T21:00:00Z",
        "2024-01-02T21:01:30Z",
    ]


def test_same_records_make_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / "a").read_bytes() == written(tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (np.float64("nan"), None),
        (np.float64(0.1), 0.1),
        (np.int64(7), 7),
        (Decimal("0.10"), "0.10"),
        (START, "2024-01-02T21:00:00Z"),
        (pd.Timestamp(START), "2024-01-02T21:00:00+00:00"),
        (START.date(), "2024-01-02"),
        (Path("out") / "log", "out/log"),
        ({3, 1, 2}, [1, 2, 3]),
        (("a", None), ["a", None]),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ("line\nend \u2028 \u20ac", "line\nend \u2028 \u20ac"),
    ],
)
def test_values_of_every_kind_become_json(tmp_path: Path, value: object, found: object) -> None:
    path = written(tmp_path / "log", {"kind": "x", "value": value})
    assert json.loads(path.read_text().split("\n")[0])["value"] == found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.text(min_size=1).map("x_".__add__), st.text() | st.floats())))
def test_whatever_is_written_verifies_and_reads_back(
    tmp_path_factory: pytest.TempPathFactory, fields: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    written(path, *({"kind": "x", **some} for some in fields), complete=True)
    assert verify(path).state == "complete"
    assert len(list(tail(path))) == verify(path).lines


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"kind": "x", "seq": 3}, r"\['seq'\] are the journal's own fields"),
        ({"kind": "x", "value": object()}, "a x record cannot be logged"),
        ({"kind": "x", "value": "\ud800"}, "a x record cannot be logged"),
        ({"kind": "x", "value": "x" * (1 << 24)}, "too long to log"),
    ],
)
def test_record_that_cannot_be_a_line_leaves_no_trace(
    tmp_path: Path, record: dict[str, Any], text: str
) -> None:
    with journal(tmp_path / "log") as log:
        with pytest.raises(DataError, match=text):
            log.append(record)
        log.append({"kind": "y"})
    assert verify(tmp_path / "log").state == "complete"


def test_line_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    with journal(tmp_path / "log") as log:
        log.append({"kind": "decision"})
        log.sync()
        assert [record["kind"] for record, _ in tail(tmp_path / "log")] == ["decision"]
        assert verify(tmp_path / "log").state == "unfinished"


def test_block_that_fails_leaves_the_log_unfinished(tmp_path: Path) -> None:
    def interrupted_run() -> None:
        with journal(tmp_path / "log") as log:
            log.append({"kind": "session"})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_run()
    assert verify(tmp_path / "log").state == "unfinished"


def test_closing_twice_writes_one_session_end(tmp_path: Path) -> None:
    log = journal(tmp_path / "log")
    log.close()
    log.close()
    assert verify(tmp_path / "log").lines == 1


def test_closed_journal_writes_no_more(tmp_path: Path) -> None:
    log = journal(tmp_path / "log")
    log.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        log.append({"kind": "late"})


def test_existing_log_is_continued(tmp_path: Path) -> None:
    path = written(tmp_path / "log", complete=False)
    written(path, {"kind": "order"})
    assert verify(path).state == "complete"
    assert [record["seq"] for record, _ in tail(path)] == [1, 2, 3, 4]


def test_log_whose_head_file_is_gone_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with journal(path) as first:
        first.append({"kind": "order"})
    head_path(path).unlink()
    with pytest.raises(DataError, match=r"log\.head is missing; restore log and head file"):
        journal(path)


def test_head_one_line_behind_is_caught_up(tmp_path: Path) -> None:
    path = written(tmp_path / "log", complete=False)
    behind = head_path(path).read_bytes()
    written(path, {"kind": "order"}, complete=False)
    head_path(path).write_bytes(behind)
    written(path, {"kind": "order"})
    assert (verify(path).state, verify(path).lines) == ("complete", 5)


def test_empty_file_is_a_log_to_begin(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    assert verify(written(tmp_path / "log")).state == "complete"


def test_damaged_log_is_not_continued(tmp_path: Path) -> None:
    path = written(tmp_path / "log")
    damaged = path.read_bytes().replace(b'"order"', b'"0rder"')
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"damaged at line 2: .* restore log and head file"):
        journal(path)
    assert path.read_bytes() == damaged


def test_lost_log_is_not_begun_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "log")
    path.unlink()
    with pytest.raises(DataError, match="is gone, but its head file is here"):
        journal(path)
    assert not path.exists()


def test_second_writer_is_refused(tmp_path: Path) -> None:
    with journal(tmp_path / "log") as log:
        for how in ({}, {"fresh": True}):
            with pytest.raises(ConfigError, match="another run is writing it"):
                journal(tmp_path / "log", **how)
        log.append({"kind": "session"})
    assert verify(tmp_path / "log").lines == 2


def test_refused_writer_leaves_the_file_free(tmp_path: Path) -> None:
    path = written(tmp_path / "log")
    whole = head_path(path).read_bytes()
    head_path(path).write_bytes(b"?")
    with pytest.raises(DataError):
        journal(path)
    head_path(path).write_bytes(whole)
    journal(path).close()


@pytest.mark.parametrize("place", ["missing/log", "file/log", "folder"])
def test_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"cannot be written: .*; choose another place"):
        journal(tmp_path / place)


def test_fresh_log_keeps_the_old_ones_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    contents = []
    for kind in ("first", "second", "third"):
        with journal(path, fresh=True) as log:
            log.append({"kind": kind})
        contents.append(path.read_bytes())
    kept = [tmp_path / "log.1", tmp_path / "log.2", path]
    assert [log.read_bytes() for log in kept] == contents
    assert [verify(log).state for log in kept] == ["complete"] * 3


def test_fresh_log_keeps_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("my notes")
    journal(tmp_path / "log", fresh=True).close()
    assert (tmp_path / "log.1").read_text() == "my notes"


def torn(path: Path, rest: bytes) -> Path:
    with written(path, complete=False).open("ab") as file:
        file.write(rest)
    return path


@pytest.mark.parametrize("mend", [recover, written])
def test_torn_bytes_are_set_aside_and_nothing_else(tmp_path: Path, mend: Any) -> None:
    path = torn(tmp_path / "log", b'{"v":1,"se')
    before = path.read_bytes()
    mend(path)
    assert path.read_bytes().startswith(before[: before.rindex(b"\n") + 1])
    assert (tmp_path / "log.torn").read_bytes() == b'{"v":1,"se'
    assert verify(path).state in ("unfinished", "complete")


def test_torn_bytes_of_several_crashes_are_all_kept(tmp_path: Path) -> None:
    path = torn(tmp_path / "log", b"{1")
    recover(path)
    torn(path, b"{2")
    assert recover(path).state == "unfinished"
    assert (tmp_path / "log.torn").read_bytes() == b"{1{2"


def test_line_without_its_line_end_is_completed_not_set_aside(tmp_path: Path) -> None:
    path = written(tmp_path / "log")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert recover(path).state == "complete"
    assert path.read_bytes() == whole
    assert not (tmp_path / "log.torn").exists()


def test_recover_leaves_every_other_log_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "log")
    cut = path.read_bytes()[:-20]
    assert recover(path).state == "complete"
    path.write_bytes(cut)
    assert recover(path).state == "damaged"
    assert path.read_bytes() == cut


def test_recover_keeps_off_a_log_that_is_being_written(tmp_path: Path) -> None:
    with journal(tmp_path / "log"):
        with (tmp_path / "log").open("ab") as file:
            file.write(b"{")
        with pytest.raises(ConfigError, match="another run"):
            recover(tmp_path / "log")


@contextmanager
def space(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes, as a full disk does."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


@pytest.mark.parametrize("room", [0, 1, 100, 190])
def test_full_disk_tears_nothing_and_the_next_line_works(tmp_path: Path, room: int) -> None:
    path = tmp_path / "log"
    with journal(path) as log:
        log.append({"kind": "session"})
        whole = path.read_bytes()
        with space(len(whole) + room), pytest.raises(OSError, match="File too large"):
            log.append({"kind": "decision", "text": "x" * 100})
        assert path.read_bytes() == whole
        assert verify(path).state == "unfinished"
        log.append({"kind": "decision", "text": "again"})
    assert (verify(path).state, verify(path).lines) == ("complete", 3)


@pytest.mark.parametrize("complete", [True, False])
def test_disk_too_full_to_clean_up_is_cleaned_up_later(tmp_path: Path, complete: bool) -> None:
    path = tmp_path / "log"
    log = journal(path)
    with space(50), pytest.raises(OSError, match="File too large"):
        log.append({"kind": "session"})
    log.close(complete)
    assert verify(path).state == ("complete" if complete else "unfinished")


def test_log_that_found_no_space_to_begin_can_begin_later(tmp_path: Path) -> None:
    with space(0), pytest.raises(ConfigError, match="cannot be written"):
        journal(tmp_path / "log")
    assert verify(written(tmp_path / "log")).state == "complete"


def test_a_log_that_was_removed_cannot_be_brought_to_the_disk(tmp_path: Path) -> None:
    with journal(tmp_path / "log") as log:
        log.append({"kind": "a"})
        log.sync()
        (tmp_path / "log").unlink()
        with pytest.raises(FileNotFoundError, match="the log was removed"):
            log.sync()
