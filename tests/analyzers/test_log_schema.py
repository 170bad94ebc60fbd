"""Every line that a run writes is one of the schema's."""

import orjson
import pytest
from jsonschema import Draft202012Validator

from analyzers.log_schema import json_schema
from backtest import run
from backtest.spec import RunSpec
from live.rehearsal.in_memory import rehearse
from live.rehearsal.play import Play
from tests.live.plays import bars


@pytest.fixture(scope="module")
def schema():
    Draft202012Validator.check_schema(json_schema())
    return Draft202012Validator(json_schema())


def kinds_of(log, schema):
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    for line in lines:
        schema.validate(line)
    return {line["kind"] for line in lines}


def test_lines_of_a_backtest_with_brackets_refusals_and_a_halt_fit(schema, tmp_path):
    log = tmp_path / "decisions.jsonl"
    limits = {"max_drawdown_frac": 0.001, "max_order_notional": 60_000}
    run("donchian_bracket", bars("1d", 1), size=100, risk=limits, log=log)
    assert kinds_of(log, schema) == {
        "session", "decision", "cancel", "order", "fill", "trade", "halt", "session_end",
    }  # fmt: skip


def test_lines_of_a_session_under_a_storm_of_faults_fit(schema, tmp_path):
    rehearse(Play(RunSpec("sma_cross"), bars("1m", 1)), tmp_path, "storm")
    (log,) = tmp_path.rglob("live.jsonl")
    assert kinds_of(log, schema) >= {"session", "bars", "venue", "decision", "fill", "session_end"}


def test_a_line_with_a_field_that_nobody_knows_does_not_fit(schema):
    line = {"v": 1, "seq": 1, "at": "2024-01-02T21:00:00Z", "run_id": "x", "hash": "0" * 64}
    assert schema.is_valid({**line, "kind": "resume"})
    assert not schema.is_valid({**line, "kind": "resume", "extra": 1})
