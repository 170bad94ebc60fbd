"""A rehearsal into a folder that was used before."""

import json

import pytest

from brokers.errors import ConfigError
from live.cli import main
from live.rehearsal.anew import begin_anew


def session(folder, source):
    log = folder / "session" / "decisions.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"kind": "session", "passports": [{"source": source}]}) + "\n")
    log.with_name("decisions.jsonl.head").write_text("head")
    return log


def test_logs_of_an_earlier_rehearsal_are_set_aside(tmp_path):
    log = session(tmp_path, "rehearsal")
    (tmp_path / "live.jsonl").write_text("{}\n")
    begin_anew(tmp_path)
    assert not log.exists()
    assert {path.name for path in log.parent.iterdir()} == {
        "decisions.jsonl.1",
        "decisions.jsonl.1.head",
    }
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["live.jsonl.1"]


def test_what_an_earlier_rehearsal_said_is_gone(tmp_path):
    for name in ("certificate.json", "certificate.html", "session.err", "mine.txt"):
        (tmp_path / name).touch()
    begin_anew(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_session_that_died_before_its_first_line_is_no_obstacle(tmp_path):
    log = session(tmp_path, "rehearsal")
    log.write_bytes(b"")
    begin_anew(tmp_path)
    assert not log.exists()


@pytest.mark.parametrize("text", ['{"kind": "session"}\n', "what?\n", "[]\n"])
def test_a_log_that_says_nothing_of_a_rehearsal_is_left_alone(text, tmp_path):
    log = session(tmp_path, "rehearsal")
    log.write_text(text)
    with pytest.raises(ConfigError, match="the log of no rehearsal"):
        begin_anew(tmp_path)
    assert log.read_text() == text


def test_the_command_refuses_the_folder_of_a_real_session(tmp_path, capsys):
    log = session(tmp_path, "alpaca")
    (tmp_path / "certificate.json").touch()
    words = ("--over", "memory", "--start", "2024-01-02", "--end", "2024-01-02")
    assert main(["rehearse", "sma_cross", *words, "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told == f"error: {log} is the log of no rehearsal: name another folder with --out\n"
    assert (tmp_path / "certificate.json").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file: File exists: name another folder"):
        begin_anew(tmp_path / "file")
