"""Whole sessions, what they leave behind, and what reads it."""

import shutil
from pathlib import Path

import orjson
import pytest

from live.cli import main
from tests.live.hosted import Hosted

RESTS = {"entry": 0.8, "ends": [6]}


def test_the_end_cancels_entries_and_says_what_is_held(hosted: Hosted) -> None:
    report = hosted.trade(params=RESTS)
    assert report["trigger"] == "interrupt"
    (cancelled,) = report["cancelled"]
    assert cancelled.startswith("buy 1 SPY limit at")
    assert cancelled.endswith("Canceled")
    assert (report["left"], report["unconfirmed"]) == ([], [])
    assert report["positions"] == {"SPY": 2.0}
    assert "that no exit protects what is held" in report["checks"]


def test_a_strategys_error_shuts_down_and_names_its_line(hosted: Hosted) -> None:
    report = hosted.trade(params={**RESTS, "deed": "fail"})
    assert (report["trigger"], report["exit_code"]) == ("strategy_error", 1)
    assert "RuntimeError: on purpose" in report["text"]
    assert "scripted.py:" in report["text"]
    assert report["notes"] == []
    (cancelled,) = report["cancelled"]
    assert cancelled.endswith("Canceled")


def test_an_order_born_in_notify_order_is_known_again_after_a_restart(hosted: Hosted) -> None:
    params = {"answers": True, "ends": [4, 7]}
    report = hosted.trade(params=params)
    (left,) = report["left"]
    assert left.startswith("sell 2 SPY limit")
    assert hosted.trade(params=params)["left"] == [left]
    reasons = [line["agent_reasoning"] for line in hosted.of("decision")]
    assert reasons == ["hold two", "answer"]


def test_another_strategys_log_and_a_damaged_one_stop_the_start(
    hosted: Hosted, capsys: pytest.CaptureFixture[str]
) -> None:
    hosted.trade(params={"every": 2, "ends": [6]})
    log = hosted.folder / "decisions.jsonl"
    before = log.read_bytes()
    assert hosted.run(params={"every": 2, "exits": True}) == 2
    assert "re-execution gives" in capsys.readouterr().err
    assert log.read_bytes() == before
    log.write_bytes(before.replace(b'"cash":100000.0', b'"cash":999999.0', 1))
    assert hosted.run(params={"every": 2, "ends": [6]}) == 2
    assert "damaged at line 1" in capsys.readouterr().err


def test_why_and_report_read_what_a_session_wrote(
    hosted: Hosted, capsys: pytest.CaptureFixture[str]
) -> None:
    hosted.trade(params=RESTS)
    decided, at = hosted.of("decision")[0], ("--folder", str(hosted.folder))
    capsys.readouterr()
    assert main(["why", decided["order_id"], *at]) == 0
    assert "hold two" in capsys.readouterr().out
    assert main(["why", decided["order_id"], "--json", *at]) == 0
    assert orjson.loads(capsys.readouterr().out)["order_id"] == decided["order_id"]
    assert main(["report", *at]) == 0
    assert "slippage that would have matched" in capsys.readouterr().out
    assert main(["report", "--json", *at]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert (told["fills"], told["decisions"]) == (1, 2)
    assert told["fill_costs"][0]["fill_price"] == hosted.of("fill")[0]["price"]


def test_what_the_log_does_not_explain_stops_the_session_unless_adopted(
    hosted: Hosted, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = hosted.place / "kept"
    params = {"ends": [3, 5]}
    hosted.trade(params=params)
    shutil.move(hosted.folder, kept)
    hosted.trade(params=params)  # another session, with other trades in the same account
    shutil.rmtree(hosted.folder)
    shutil.move(kept, hosted.folder)
    capsys.readouterr()
    report = hosted.trade(params=params)
    assert (report["trigger"], report["exit_code"]) == ("unreconcilable", 6)
    assert "Our books and the venue's differ" in capsys.readouterr().out
    assert hosted.trade("--adopt", "--for", "1s", params=params)["exit_code"] == 0
    adopted = [(line["symbol"], line["ours"], line["adopted"]) for line in hosted.of("reconcile")]
    assert adopted == [("SPY", "2.0", True)]


def test_check_says_go_at_the_embedded_venue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--folder", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    for name in ("GO", "account", "buying power", "clock", "calendar", "market data", "log"):
        assert name in out
