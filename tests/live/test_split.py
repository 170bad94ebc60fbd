"""A split in the middle of a session: cancelled, halted, restated, and repeated at a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from analyzers.journal import verify
from live.cli import main
from live.config import load
from live.embedded_market import market
from live.paper.child import VenueProcess
from live.paper.spec import VenueSpec
from tests.live import runs

HOLDER = """
import backtrader as bt


class Holder(bt.Strategy):
    def __init__(self):
        self.done = 0

    def next(self):
        close, is_later = self.data.close[0], self.data.datetime.date(0).day > 2
        if self.done == 0 and len(self) > 121:
            self.buy(size=10, reason="hold ten")
            self.done = 1
        elif self.done == 1 and self.position:
            self.sell(size=10, exectype=bt.Order.Stop, price=round(close * 0.8, 2), reason="guard")
            self.done = 2
        elif self.done == 2 and is_later:
            self.sell(size=4, reason="take some")
            self.buy(size=1, reason="more")
            self.done = 3
"""
SPLIT = "SPY 2025-06-03 2:1"
WORDS = ("--symbols", "SPY", "--speed", "9000x", "--quiet")


@pytest.fixture
def venue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VenueProcess]:
    """A venue whose market splits after its first day; a working directory with the strategy."""
    (tmp_path / "holder.py").write_text(HOLDER, encoding="utf-8")
    (tmp_path / "venue").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    settings = load()
    frames, warm_up = market(settings.data, settings.paper)
    spec = VenueSpec(account="alpaca", warm_up=warm_up, speed=9000.0, splits=(SPLIT,))
    with VenueProcess(spec, frames, tmp_path / "venue") as running:
        yield running


def trade(folder: Path, venue: VenueProcess, run_for: str) -> dict[str, Any]:
    given = ("holder.py:Holder", "--folder", str(folder), "--url", venue.url, "--for", run_for)
    assert main([*given, *WORDS]) == 0
    report: dict[str, Any] = orjson.loads((folder / "exit_report.json").read_bytes())
    return report


def test_a_split_cancels_halts_and_restates_and_a_restart_goes_on(
    tmp_path: Path, venue: VenueProcess
) -> None:
    folder = tmp_path / "out"
    report = trade(folder, venue, "4.5s")
    lines = runs.records(folder)
    facts = {line["fact"]: line for line in lines if line["kind"] == "venue"}
    assert (facts["Split"]["new_rate"], facts["Restated"]["symbol"]) == ("2.0", "SPY")
    (cancel,) = [line for line in lines if line["kind"] == "cancel"]
    assert cancel["agent_reasoning"] == "SPY splits 2-for-1 on 2025-06-03"
    decided = {line["agent_reasoning"]: line for line in lines if line["kind"] == "decision"}
    assert decided["more"]["refusal"]["rule"] == "split"
    assert decided["take some"]["refusal"] is None
    context = decided["take some"]["market_context"]
    assert context["position"] == 20.0
    assert abs(context["equity"] / 100_000 - 1) < 0.01  # nothing jumped
    trades = [line for line in lines if line["kind"] == "trade"]
    assert [line["status"] for line in trades] == ["opened"]  # four parts of five are left
    assert report["positions"] == {"SPY": 16.0}
    assert any("begin anew with --fresh" in note for note in report["notes"])
    again = trade(folder, venue, "1s")
    assert again["positions"] == {"SPY": 16.0}
    assert runs.records(folder)[: len(lines)] == lines
    assert verify(folder / "decisions.jsonl").state == "complete"
