"""Re-execution: inputs are handed out in the log's order, outputs are compared."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from feeds.turns import Turn
from live.past import Diverged, Past, as_logged

TURN = {"kind": "bars", "turn": 1, "at_bar": "2025-06-02T13:31:00+00:00",
        "bars": {"SPY": ["2025-06-02T13:30:00+00:00", 1.0, 2.0, 1.0, 1.5, 9.0]}}  # fmt: skip
DECISION = {"kind": "decision", "order_id": "a1", "agent_reasoning": "because", "refusal": None}
VENUE = {"kind": "venue", "fact": "Accepted", "order_id": "a1"}
STOP = {"kind": "shutdown", "trigger": "interrupt", "text": "Ctrl-C"}


def _past(*records: dict[str, Any]) -> Past:
    lines = [
        {"v": 1, "seq": seq, "at": "2025-06-02T13:31:02Z", "run_id": "s1", **record, "hash": "x"}
        for seq, record in enumerate(records, 1)
    ]
    return Past("decisions.jsonl", lines)


def test_a_turn_is_given_once_and_only_when_it_comes_next() -> None:
    past = _past(DECISION, TURN)
    assert past.take() is None
    past.compare(DECISION)
    turn = past.take()
    assert turn == Turn.from_record(TURN)
    assert past.is_over
    assert past.take() is None


def test_what_the_venue_said_in_a_row_is_given_together() -> None:
    past = _past(VENUE, VENUE | {"fact": "Filled"}, TURN, VENUE)
    assert [record["fact"] for record in past.facts(1)] == ["Accepted", "Filled"]
    assert past.facts(1) == []


def test_what_was_said_after_a_turn_waits_until_the_strategies_have_seen_it() -> None:
    past = _past(VENUE | {"turns": 3})
    assert past.facts(2) == []
    assert len(past.facts(3)) == 1


def test_the_clock_is_the_logs_until_it_is_over() -> None:
    past = _past(DECISION)
    assert past.at == datetime(2025, 6, 2, 13, 31, 2, tzinfo=UTC)
    past.compare(DECISION)
    assert past.at is None


def test_another_output_stops_and_says_where() -> None:
    past = _past(TURN, DECISION)
    past.take()
    with pytest.raises(Diverged) as stop:
        past.compare(DECISION | {"agent_reasoning": "otherwise"})
    assert 'gives agent_reasoning "otherwise" in a decision' in str(stop.value)
    assert 'the log has agent_reasoning "because" at line 2' in str(stop.value)


def test_an_output_of_another_kind_stops() -> None:
    with pytest.raises(Diverged, match="gives a cancel, the log has a decision at line 1"):
        _past(DECISION).compare({"kind": "cancel"})


def test_an_output_that_the_log_does_not_have_stops() -> None:
    past = _past(TURN)
    past.take()
    with pytest.raises(Diverged, match="the log has nothing more at its end"):
        past.compare(DECISION)


def test_values_are_compared_as_they_read_back() -> None:
    at = datetime(2025, 6, 2, 13, 30, tzinfo=UTC)
    record = {"kind": "fill", "price": Decimal("1.50"), "at_bar": at, "ids": {"b", "a"}}
    plain = {"kind": "fill", "price": "1.50", "at_bar": "2025-06-02T13:30:00Z", "ids": ["a", "b"]}
    assert as_logged(record) == plain
    past = _past(plain)
    past.compare(record)
    assert past.is_over


def test_a_session_of_another_strategy_stops_but_versions_may_move_on() -> None:
    session = {"kind": "session", "strategy": "SmaCross", "params": {"fast": 10},
               "passports": [], "versions": {"python": "3.11"}, "cash": 1.0}  # fmt: skip
    past = _past(session)
    past.compare(session | {"versions": {"python": "3.12"}})
    assert past.is_over
    with pytest.raises(Diverged, match="strategy"):
        _past(session).compare(session | {"strategy": "RsiReversion"})


def test_a_session_with_another_model_file_stops() -> None:
    session = {"kind": "session", "strategy": "ModelRank", "params": {"model": "m.joblib"},
               "passports": [], "config": {"files": {"model": "ab12"}}}  # fmt: skip
    _past(session).compare(session | {"config": {"files": {"model": "ab12"}, "cash": 1.0}})
    with pytest.raises(Diverged, match=r'gives files .*"cd34".* the log has files .*"ab12"'):
        _past(session).compare(session | {"config": {"files": {"model": "cd34"}}})


def test_a_shutdown_from_outside_is_an_input_and_an_output() -> None:
    past = _past(STOP, {"kind": "resume"})
    told = past.shutdown()
    assert told is not None
    past.compare(STOP)
    assert past.shutdown() is None
    assert past.resume() is not None
    assert past.is_over


def test_lines_that_are_neither_are_passed_over() -> None:
    past = _past({"kind": "reconcile"}, {"kind": "session_end", "lines": 1})
    assert past.is_over
    past.compare({"kind": "reconcile"})
