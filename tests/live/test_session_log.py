"""The session's log: silent in the warm-up, comparing in the past, then writing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analyzers.chain import tail
from analyzers.journal import Journal
from brokers.clock import ManualClock
from brokers.wire.transport import VenueBar
from feeds.turns import Turn
from live.market_clock import MarketClock
from live.past import Diverged, Past
from live.session_log import ByStrategy, SessionLog

NOON = datetime(2025, 6, 2, 16, tzinfo=UTC)
TURN = Turn(1, NOON, {"SPY": VenueBar("SPY", NOON - timedelta(minutes=1), 1.0, 1.0, 1.0, 1.0, 1.0)})
DECISION = {"kind": "decision", "order_id": "a1"}


class _Narrow(Journal):
    """Has no space for a decision."""

    def append(self, record: Any) -> None:
        if record["kind"] == "decision":
            raise OSError(28, "No space left on device")
        super().append(record)


class _Full(Journal):
    """A journal on a disk without space."""

    def append(self, record: Any) -> None:
        raise OSError(28, "No space left on device")

    def sync(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture
def clock() -> MarketClock:
    """The session's."""
    return MarketClock(ManualClock(NOON), NOON, 1.0, timedelta(minutes=1))


@pytest.fixture
def journal(tmp_path: Path, clock: MarketClock) -> Iterator[Journal]:
    """A fresh log on the disk."""
    with Journal(tmp_path / "decisions.jsonl", "s1", clock) as journal:
        yield journal


def _kinds(journal: Journal) -> list[str]:
    return [record["kind"] for record, _ in tail(journal.path)]


def test_the_warm_up_leaves_no_line_but_the_sessions(journal: Journal, clock: MarketClock) -> None:
    log = SessionLog(journal, Past(journal.path), clock)
    log.append({"kind": "session"})
    log.append(DECISION)
    assert log.take() is None
    log.append({"kind": "order", "order_id": "a1"})  # the end of what the warm-up refused
    log.append(DECISION | {"order_id": "b2"})
    assert _kinds(journal) == ["session", "decision"]


def test_a_turn_is_written_before_it_is_seen_and_moves_the_clock(
    journal: Journal, clock: MarketClock
) -> None:
    log = SessionLog(journal, Past(journal.path), clock)
    log.take()
    log.turn(TURN)
    log.append(DECISION)
    assert _kinds(journal) == ["bars", "decision"]
    assert (log.turn_end_at, log.current) == (NOON, {"a1"})
    assert log.now() == NOON.timestamp()


def test_what_is_repeated_is_compared_and_not_written(journal: Journal, clock: MarketClock) -> None:
    at = "2025-06-01T00:00:00Z"
    past = [TURN.as_record() | {"kind": "bars", "at": at}, DECISION | {"at": at, "seq": 2}]
    log = SessionLog(journal, Past(journal.path, past), clock)
    assert log.take() == TURN
    assert log.now() == datetime(2025, 6, 1, tzinfo=UTC).timestamp()
    log.append(DECISION)
    assert log.is_over
    log.append(DECISION | {"order_id": "b2"})
    assert _kinds(journal) == ["decision"]
    assert log.current == {"a1", "b2"}


def test_what_differs_stops(journal: Journal, clock: MarketClock) -> None:
    log = SessionLog(journal, Past(journal.path, [DECISION | {"at": "x", "seq": 1}]), clock)
    log.take()
    with pytest.raises(Diverged):
        log.append(DECISION | {"order_id": "b2"})


def test_a_full_disk_is_raised_for_decisions_and_kept_for_facts(
    tmp_path: Path, clock: MarketClock
) -> None:
    full = _Full(tmp_path / "decisions.jsonl", "s1", clock)
    log = SessionLog(full, Past(full.path), clock)
    log.take()
    log.note({"kind": "venue"})
    assert log.failure is not None
    with pytest.raises(OSError, match="No space"):
        log.append(DECISION)
    with pytest.raises(OSError, match="No space"):
        log.sync()
    log.close(complete=True)
    assert log.failure.errno == 28


def test_after_a_line_that_could_not_be_written_there_is_none(
    tmp_path: Path, clock: MarketClock
) -> None:
    journal = _Narrow(tmp_path / "decisions.jsonl", "s1", clock)
    log = SessionLog(journal, Past(journal.path), clock)
    log.take()
    log.append({"kind": "bars"})
    with pytest.raises(OSError, match="No space"):
        log.append(DECISION)
    log.note({"kind": "shutdown"})  # it would fit
    log.close(complete=True)
    assert [record["kind"] for record, _ in tail(journal.path)] == ["bars"]


def test_a_log_that_was_removed_is_noticed(journal: Journal, clock: MarketClock) -> None:
    log = SessionLog(journal, Past(journal.path), clock)
    assert log.look() is None
    journal.path.unlink()
    failure = log.look()
    assert failure is not None
    assert failure.strerror == "the log was removed"
    with pytest.raises(OSError, match="removed"):
        log.sync()


def test_lines_bear_the_name_of_their_strategy(journal: Journal, clock: MarketClock) -> None:
    log = SessionLog(journal, Past(journal.path), clock)
    log.take()
    ByStrategy(log, "sma_cross#2").append(DECISION)
    ByStrategy(log, "sma_cross").append({"kind": "session", "strategy": "SmaCross"})
    log.sync()
    assert [record["strategy"] for record, _ in tail(journal.path)] == ["sma_cross#2", "SmaCross"]
