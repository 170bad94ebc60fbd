"""The exit report: what tripped, what was cancelled, what is left, what to check."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from live.exit_report import ExitReport
from live.exits import CODES, MEANINGS, ExitCode, Trigger

REPORT = ExitReport(
    session_id="s1",
    trigger="breaker",
    text="3 broker calls in a row failed",
    ended_at=datetime(2025, 6, 2, 16, tzinfo=UTC),
    log="out/live/decisions.jsonl",
    cancelled=("buy 10 SPY limit at 500 (Canceled, a1)",),
    unconfirmed=("buy 5 XLK market (Accepted, b2)",),
    left=("sell 10 SPY stop at 480 (exit, Accepted, a1-sl)",),
    positions={"SPY": 10.0},
    notes=("alert 'stopped' was not delivered in time",),
)


def test_it_says_everything_to_a_person() -> None:
    text = REPORT.text_block()
    for part in (
        "3 broker calls in a row failed (exit code 3)",
        "cancelled     buy 10 SPY",
        "NOT CONFIRMED buy 5 XLK",
        "left at work  sell 10 SPY stop at 480",
        "+10 SPY",
        "what became of the unconfirmed orders",
        "alert 'stopped'",
        "out/live/decisions.jsonl",
    ):
        assert part in text


def test_it_lies_beside_the_log_as_json(tmp_path: Path) -> None:
    path = REPORT.write(tmp_path)
    told = orjson.loads(path.read_bytes())
    assert told["exit_code"] == 3
    assert told["meaning"] == MEANINGS[ExitCode.BREAKER]
    assert told["positions"] == {"SPY": 10.0}
    assert told["checks"] == list(REPORT.checks)
    assert [kept.name for kept in tmp_path.iterdir()] == ["exit_report.json"]


def test_a_position_without_an_exit_is_to_be_checked() -> None:
    bare = ExitReport("s1", "interrupt", "Ctrl-C", REPORT.ended_at, "log", positions={"SPY": -3.0})
    assert bare.checks == (
        "what is still held: -3 SPY",
        "that no exit protects what is held",
    )


def test_a_session_that_ended_flat_leaves_nothing_to_check() -> None:
    flat = ExitReport("s1", "finished", "60 s are over", REPORT.ended_at, "log")
    assert flat.checks == ()
    assert flat.exit_code == 0


@pytest.mark.parametrize("trigger", list(CODES))
def test_every_trigger_has_its_own_exit_code_with_a_meaning(trigger: Trigger) -> None:
    assert MEANINGS[CODES[trigger]]
    assert list(CODES.values()).count(CODES[trigger]) == 1
