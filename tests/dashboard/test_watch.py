"""A log that grows, is replaced, torn, tampered with, or is not there."""

from pathlib import Path
from threading import Event
from threading import enumerate as threads

import pytest

from analyzers.chain import head_path
from analyzers.journal import Journal
from brokers.clock import ManualClock
from dashboard.backlog import Backlog
from dashboard.reading import Reading
from dashboard.shelf import index_path
from dashboard.watch import Glimpse, LogWatch
from tests.dashboard.stage import BEGUN_AT, bars, bought, session, write

SMALL = 2_000  # bytes; logs of a few lines count as long ones then
LONG = [*bought(), *(bars(n, 100.0 + n) for n in range(3, 1_500))]


def watch(path: Path, quick_bytes: int = 1 << 20) -> tuple[LogWatch, ManualClock]:
    clock = ManualClock(BEGUN_AT)
    return LogWatch(path, clock, quick_bytes=quick_bytes), clock


def settled(seen: LogWatch) -> Glimpse:
    """What is known when nothing goes on in the background any more."""
    seen.look()
    seen.look()
    seen.wait()
    return seen.look()


def test_a_log_that_is_not_there_is_shown_as_soon_as_it_is(tmp_path: Path) -> None:
    seen, _ = watch(tmp_path / "log")
    assert seen.look().condition == "missing"
    write(tmp_path / "log", bought())
    glimpse = seen.look()
    assert (glimpse.condition, len(glimpse.reading.index)) == ("there", 8)


def test_an_empty_log_is_no_session(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    glimpse = watch(tmp_path / "log")[0].look()
    assert (glimpse.condition, glimpse.reading.facts.stage) == ("empty", "no session")


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    glimpse = watch(tmp_path)[0].look()
    assert glimpse.condition == "unreadable"
    assert "cannot be read" in glimpse.text


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    log = write(tmp_path / "log", bought())
    seen, _ = watch(log)
    before = seen.look().reading
    end = before.end
    write(log, [bars(3, 104.0)])
    after = seen.look().reading
    assert after is before
    assert (len(after.index), after.index.starts(after.index.find())[-1]) == (9, end)
    assert after.account.equity == 10_039.0


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    log = write(tmp_path / "log", bought())
    whole = log.read_bytes()
    log.write_bytes(whole[:-20])
    seen, _ = watch(log)
    glimpse = seen.look()
    assert len(glimpse.reading.index) == 7
    assert glimpse.audit is not None
    with log.open("ab") as file:
        file.write(whole[-20:])
    assert len(seen.look().reading.index) == 8


def test_a_fresh_session_in_the_logs_place_begins_anew(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    seen, _ = watch(log)
    first = seen.look()
    with Journal(log, "run1", ManualClock(BEGUN_AT), fresh=True) as journal:
        journal.append(session())
    second = seen.look()
    assert (len(first.reading.index), len(second.reading.index)) == (len(LONG), 2)
    assert second.generation > first.generation


def test_a_log_rewritten_in_place_is_read_again(tmp_path: Path) -> None:
    log = write(tmp_path / "log", bought())
    seen, _ = watch(log)
    seen.look()
    log.write_bytes(write(tmp_path / "other", LONG).read_bytes())
    assert len(seen.look().reading.index) == len(LONG)


def test_a_line_changed_later_is_found_though_nothing_is_new(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    seen, clock = watch(log)
    assert seen.look().audit.verdict.state == "unfinished"  # type: ignore[union-attr]
    log.write_bytes(log.read_bytes().replace(b'"cash":10000.0', b'"cash":99999.0', 1))
    clock.sleep(10.0)
    verdict = seen.look().audit.verdict  # type: ignore[union-attr]
    assert (verdict.state, verdict.line) == ("damaged", 1)


def test_verifying_rests_between_two_verdicts(tmp_path: Path) -> None:
    log = write(tmp_path / "log", bought())
    seen, clock = watch(log)
    first = seen.look().audit
    write(log, [bars(3, 104.0)])
    assert seen.look().audit is first
    clock.sleep(10.0)
    assert seen.look().audit.verdict.lines == 9  # type: ignore[union-attr]


@pytest.mark.parametrize("line", [b'{"seq":9}\n', b"nonsense\n", b"[]\n"])
def test_what_stands_before_a_foreign_line_is_shown(tmp_path: Path, line: bytes) -> None:
    log = write(tmp_path / "log", bought())
    with log.open("ab") as file:
        file.write(line)
    seen, _ = watch(log)
    glimpse = seen.look()
    assert (len(glimpse.reading.index), bool(glimpse.reading.fault)) == (8, True)
    assert glimpse.audit is not None
    assert glimpse.audit.verdict.state == "damaged"
    assert seen.look().reading.fault == glimpse.reading.fault


def test_of_a_long_log_the_end_is_known_at_once_and_the_rest_comes(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    seen, _ = watch(log, SMALL)
    first = seen.look()
    assert not first.reading.is_whole
    assert first.progress is not None
    assert len(first.reading.index) == 1_001  # the session's line and the last thousand
    assert first.reading.facts.last_bar == LONG[-1]["at_bar"]
    second = settled(seen)
    assert (second.reading.is_whole, len(second.reading.index)) == (True, len(LONG))
    assert second.reading.account.equity == 8_999.0 + 10 * LONG[-1]["bars"]["SPY"][4]
    assert second.audit.verdict.lines == len(LONG)  # type: ignore[union-attr]
    assert second.progress is None


def test_a_foreign_line_in_a_long_log_is_named_when_the_whole_is_read(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    lines = log.read_bytes().splitlines(keepends=True)
    lines[700:701] = [b"nonsense\n", b'{"seq":701}\n']
    log.write_bytes(b"".join(lines))
    seen, _ = watch(log, SMALL)
    assert seen.look().reading.facts.last_bar == LONG[-1]["at_bar"]
    glimpse = settled(seen)
    assert (len(glimpse.reading.index), bool(glimpse.reading.fault)) == (700, True)
    assert glimpse.audit.verdict.line == 701  # type: ignore[union-attr]


def test_what_is_written_meanwhile_is_shown_meanwhile(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    seen, _ = watch(log, SMALL)
    seen.look()
    write(log, [bars(1_500, 7.0)])
    assert seen.look().reading.facts.last_bar == bars(1_500, 7.0)["at_bar"]
    assert len(settled(seen).reading.index) == len(LONG) + 1


def test_a_long_log_is_known_at_once_the_next_time(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    content = log.read_bytes()
    seen, _ = watch(log, SMALL)
    before = settled(seen)
    again, _ = watch(log, SMALL)
    after = again.look()
    assert after.reading.is_whole
    assert after.reading.facts == before.reading.facts
    assert after.reading.account.curve().equals(before.reading.account.curve())
    assert (after.audit, after.progress) == (before.audit, None)
    assert log.read_bytes() == content


def test_what_was_kept_of_another_log_is_not_taken(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    seen, _ = watch(log, SMALL)
    settled(seen)
    other = [session(), *(bars(n, 50.0) for n in range(1, 1_000))]
    for path in (log, head_path(log)):
        path.unlink()
    write(log, other)
    again, _ = watch(log, SMALL)
    assert settled(again).reading.account.equity == 10_000.0


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut short"])
def test_a_damaged_index_is_made_anew(tmp_path: Path, content: bytes) -> None:
    log = write(tmp_path / "log", LONG)
    index_path(log).write_bytes(content)
    seen, _ = watch(log, SMALL)
    assert not seen.look().reading.is_whole
    assert len(settled(seen).reading.index) == len(LONG)


def test_an_index_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    index_path(log).mkdir()
    seen, _ = watch(log, SMALL)
    assert len(settled(seen).reading.index) == len(LONG)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.head", "log.index"]


class Gate:
    """A clock that lets nobody pass before it is opened."""

    def __init__(self) -> None:
        self.is_open = Event()

    def monotonic(self) -> float:
        self.is_open.wait()
        return 0.0


def test_the_background_thread_bears_the_logs_name_and_ends(tmp_path: Path) -> None:
    log, gate = write(tmp_path / "log", bought()), Gate()
    backlog = Backlog(log, Reading(), log.stat(), gate)  # type: ignore[arg-type]
    assert "dashboard log" in [thread.name for thread in threads()]
    gate.is_open.set()
    backlog.wait()
    assert "dashboard log" not in [thread.name for thread in threads()]
    assert backlog.audit is not None


def test_a_watch_that_is_closed_leaves_no_thread(tmp_path: Path) -> None:
    seen, _ = watch(write(tmp_path / "log", LONG), SMALL)
    seen.look()
    seen.look()
    seen.close()
    assert "dashboard log" not in [thread.name for thread in threads()]


def test_a_long_log_that_grows_is_verified_in_the_background(tmp_path: Path) -> None:
    log = write(tmp_path / "log", LONG)
    seen, clock = watch(log, SMALL)
    settled(seen)
    write(log, [bars(1_500, 7.0)])
    clock.sleep(1_000.0)
    assert seen.look().progress is None
    seen.wait()
    assert seen.look().audit.verdict.lines == len(LONG) + 1  # type: ignore[union-attr]


def test_a_writer_is_seen_by_its_lock(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Journal(log, "run0", ManualClock(BEGUN_AT)) as journal:
        journal.append(session())
        seen, _ = watch(log)
        if seen.look().is_written is None:
            pytest.skip("this machine does not show its locks")
        assert seen.look().is_written
    assert seen.look().is_written is False


def test_a_log_that_vanishes_while_it_is_verified_is_said_so(tmp_path: Path) -> None:
    log, gate = write(tmp_path / "log", bought()), Gate()
    backlog = Backlog(log, None, log.stat(), gate)  # type: ignore[arg-type]
    log.unlink()
    gate.is_open.set()
    backlog.wait()
    assert "cannot be read" in backlog.fault
    assert (backlog.audit, backlog.is_busy) == (None, False)


def test_a_backlog_that_is_stopped_has_no_verdict(tmp_path: Path) -> None:
    many = write(tmp_path / "log", [session(), *(bars(n, 1.0) for n in range(1, 30_000))])
    backlog = Backlog(many, Reading(), many.stat(), ManualClock(BEGUN_AT))
    backlog.stop()
    assert backlog.audit is None
    assert backlog.progress < 1.0
