"""A split in the middle of a session: cancelled, halted, restated, and repeated at a restart."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analyzers.journal import verify
from feeds import history
from live.settings import DataSection, LiveSettings, StrategySection
from tests.live import runs
from tests.live.stage import Stage, stage

HOLDER = """
import backtrader as bt


class Holder(bt.Strategy):
    def __init__(self):
        self.done = 0

    def next(self):
        close, is_later = self.data.close[0], self.data.datetime.date(0).day > 2
        if self.done == 0 and len(self) > 8:
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
NAME = "holder.py:Holder"
WARM_UP = 7
BEGINS = pd.Timestamp("2025-06-02 19:45", tz="UTC")  # a quarter of an hour before the close
UNTIL, END = (datetime.fromisoformat(f"2025-06-03T{at}:00+00:00") for at in ("13:40", "13:45"))
CASH = 100_000.0


def minutes() -> pd.DataFrame:
    """The market's, as they are after the split."""
    return history("synthetic", ["SPY"], "2025-06-02", "2025-06-03", "1m", seed=7)["SPY"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "holder.py").write_text(HOLDER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def venue(rates: str) -> Iterator[Stage]:
    market = minutes()
    past = int(market.index.searchsorted(BEGINS))
    with stage({"SPY": market}, past, splits=(f"SPY 2025-06-03 {rates}",)) as made:
        yield made


def settings(place: Path) -> LiveSettings:
    return LiveSettings(
        folder=str(place / "out"),
        strategies=(StrategySection(name=NAME),),
        data=DataSection(warmup_bars=WARM_UP),
    )


def of(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


@pytest.mark.parametrize(("rates", "ratio"), [("2:1", 2.0), ("1:2", 0.5)])
def test_a_split_cancels_halts_and_restates_and_a_restart_goes_on(
    place: Path, venue: Stage, ratio: float
) -> None:
    given, market = settings(place), minutes()
    report = venue.play(given, {"SPY": market}, until=UNTIL)
    lines = runs.records(place / "out")
    held = 10 * ratio
    facts = {line["fact"]: line for line in of(lines, "venue")}
    assert float(facts["Split"]["new_rate"]) / float(facts["Split"]["old_rate"]) == ratio
    assert float(facts["Restated"]["quantity"]) == held
    (cancel,) = of(lines, "cancel")
    assert cancel["agent_reasoning"].endswith("on 2025-06-03")
    decided = {line["agent_reasoning"]: line for line in of(lines, "decision")}
    assert cancel["order_id"] == decided["guard"]["order_id"]
    assert cancel["at"] == "2025-06-02T20:00:00Z"  # the last close before it
    assert decided["more"]["refusal"]["rule"] == "split"
    assert decided["take some"]["refusal"] is None
    bought, sold = of(lines, "fill")
    opens, closes = market["open"], market["close"]
    assert bought["price"] == round(opens[BEGINS + pd.Timedelta(minutes=2)] * ratio, 4)
    assert sold["price"] == opens["2025-06-03 13:31+00:00"]
    context = decided["take some"]["market_context"]
    assert context["position"] == held
    worth = CASH - 10 * bought["price"] + held * closes["2025-06-03 13:30+00:00"]
    assert context["equity"] == pytest.approx(worth, abs=1e-9)
    assert [line["status"] for line in of(lines, "trade")] == ["opened"]
    assert report.positions == {"SPY": held - 4}
    assert any("begin anew with --fresh" in note for note in report.notes)
    again = venue.play(given, {"SPY": market}, until=END)
    assert again.positions == report.positions
    after = runs.records(place / "out")
    assert after[: len(lines)] == lines
    assert len(of(after, "bars")) == len(of(lines, "bars")) + 5
    assert verify(place / "out" / "decisions.jsonl").state == "complete"
