"""Whole sessions, each a process of its own, at our venue, over loopback."""

import signal
from pathlib import Path

import orjson

from analyzers.journal import verify
from tests.live import runs


def _positions(folder: Path) -> float:
    fills = [record for record in runs.records(folder) if record["kind"] == "fill"]
    return fills[-1]["position"] if fills else 0.0


def test_without_any_word_but_an_end_it_trades_on_paper_and_exits_cleanly(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    words = ("--folder", str(folder), "--for", "4s", "--speed", "600x")
    code, out, err = runs.ended(runs.begin(*words))
    assert (code, err) == (0, "")
    assert "sma_cross on SPY at paper" in out
    assert "crossed above slow" in out
    assert verify(folder / "decisions.jsonl").state == "complete"
    report = orjson.loads((folder / "exit_report.json").read_bytes())
    assert (report["trigger"], report["exit_code"]) == ("finished", 0)


def test_a_killed_session_goes_on_orders_nothing_twice_and_lets_no_other_in(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with runs.standing_venue(tmp_path / "venue") as venue:
        first = runs.session(folder, venue)
        runs.told(first, "crossed", 4)
        first.kill()
        runs.ended(first)
        before = runs.records(folder)
        second = runs.session(folder, venue)
        runs.told(second, "live |")
        code, _, err = runs.ended(runs.session(tmp_path / "other", venue))
        assert code == 2
        assert "another session" in err
        runs.told(second, "crossed", runs.count("decision")(before) + 3)
        second.send_signal(signal.SIGINT)
        code, _, err = runs.ended(second)
        assert (code, err) == (130, "")
        summary = venue.stop()
    lines = runs.records(folder)
    assert lines[: len(before)] == before
    assert runs.count("session")(lines) == 1
    assert verify(folder / "decisions.jsonl").state == "complete"
    lapsed = {line["order_id"] for line in lines if "lapsed" in line.get("reason", "")}
    decided = [line for line in lines if line["kind"] == "decision" and not line["refusal"]]
    sent = [line["order_id"] for line in decided if line["order_id"] not in lapsed]
    assert len(sent) == len(set(sent)) == summary["orders"]
    report = orjson.loads((folder / "exit_report.json").read_bytes())
    may_fill_later = len(report["left"]) + len(report["unconfirmed"])
    assert 0 <= summary["fills"] - runs.count("fill")(lines) <= may_fill_later
