"""`python -m analyzers verify`, as a person or a script calls it."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from analyzers.__main__ import app
from analyzers.journal import Journal
from brokers.clock import ManualClock


def verify(*words: object) -> Result:
    return CliRunner().invoke(app, ["verify", *map(str, words)])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    with Journal(tmp_path / "log", "run", ManualClock(datetime(2024, 1, 2, tzinfo=UTC))) as journal:
        journal.append({"kind": "session"})
    return tmp_path / "log"


def test_complete_log_ends_with_exit_code_zero(log: Path) -> None:
    told = verify(log)
    assert told.exit_code == 0
    assert told.stdout == f"{log}: complete, line 2: 2 lines, closed by the session's end\n"


def test_damaged_log_names_the_line_and_ends_with_exit_code_one(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b"session", b"sessiom", 1))
    told = verify(log)
    assert told.exit_code == 1
    assert "damaged, line 1: line 1 or the hash" in told.stdout


def test_json_is_one_object(log: Path) -> None:
    assert json.loads(verify(log, "--json").stdout) == {
        "log": str(log),
        "state": "complete",
        "line": 2,
        "text": "2 lines, closed by the session's end",
        "lines": 2,
    }


def test_missing_file_is_one_clear_line_and_exit_code_two(tmp_path: Path) -> None:
    told = verify(tmp_path / "none")
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith("error: ")
    assert "No such file or directory: name the decisions.jsonl in the folder" in told.stderr
    assert told.stderr.count("\n") == 1


def test_module_runs(log: Path) -> None:
    command = [sys.executable, "-m", "analyzers", "verify", str(log)]
    assert subprocess.run(command, check=False).returncode == 0
