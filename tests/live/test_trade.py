"""What ends a session, each in this process, at an embedded venue over loopback."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from live.cli import main
from tests.live import runs

RESTING = """
import backtrader as bt


class Resting(bt.Strategy):
    params = (("fails_at", 0), ("entry", 0.8))

    def next(self):
        close, bar = self.data.close[0], len(self) - 40
        if bar == 3:
            self.buy(size=2, reason="hold two")
        if bar == 6:
            self.buy(size=1, exectype=bt.Order.Limit, price=round(close * self.p.entry, 2))
        if bar == 9 and self.p.fails_at:
            raise RuntimeError("on purpose")
"""
BASE = """
folder = "{folder}"
[data]
warmup_bars = 40
[paper]
speed = "600x"
faults = "{faults}"
[[strategies]]
name = "{strategy}"
"""
DOWN = """
spare_breaker = false
[[fault]]
kind = "server_error"
status = 503
nth = 2
count = 9
on = "POST /v2/orders"
[[fault]]
kind = "server_error"
status = 503
nth = 1
count = 2
on = "GET /v2/orders:by_client_order_id"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a strategy that holds two and rests one."""
    (tmp_path / "resting.py").write_text(RESTING, encoding="utf-8")
    (tmp_path / "down.toml").write_text(DOWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def _trade(place: Path, *words: str, more: str = "", faults: str = "none") -> Mapping[str, Any]:
    """Trade by a live.toml; the exit report, its code held against the process's."""
    text = BASE.format(folder=place / "out", strategy="resting.py:Resting", faults=faults)
    (place / "live.toml").write_text(text + more, encoding="utf-8")
    code = main(["--for", "4s", *words])
    report: dict[str, Any] = orjson.loads((place / "out" / "exit_report.json").read_bytes())
    assert code == report["exit_code"]
    return report


def test_the_end_cancels_entries_and_says_what_is_held(place: Path) -> None:
    report = _trade(place)
    assert report["trigger"] == "finished"
    (cancelled,) = report["cancelled"]
    assert cancelled.startswith("buy 1 SPY limit at")
    assert cancelled.endswith("Canceled")
    assert (report["left"], report["unconfirmed"]) == ([], [])
    assert report["positions"] == {"SPY": 2.0}
    assert "that no exit protects what is held" in report["checks"]


def test_flattening_leaves_nothing(place: Path) -> None:
    report = _trade(place, more='[shutdown]\nprotective = "flatten"\n')
    assert (report["positions"], report["left"]) == ({}, [])
    reasons = [line.get("agent_reasoning") for line in runs.records(place / "out")]
    assert "shutdown: positions are flattened" in reasons


def test_a_strategys_error_shuts_down_and_names_its_line(place: Path) -> None:
    report = _trade(place, "resting.py:Resting", "--param", "fails_at=1")
    assert (report["trigger"], report["exit_code"]) == ("strategy_error", 1)
    assert "RuntimeError: on purpose" in report["text"]
    assert "resting.py:15" in report["text"]
    (cancelled,) = report["cancelled"]
    assert cancelled.endswith("Canceled")


def test_three_failures_open_the_breaker_and_the_unanswered_order_is_looked_up(
    place: Path,
) -> None:
    report = _trade(place, "--for", "30s", faults="down.toml")
    assert (report["trigger"], report["exit_code"]) == ("breaker", 3)
    (ended,) = report["too_late"]
    assert ended.startswith("buy 1 SPY limit")
    assert ended.endswith("Rejected")
    assert (report["unconfirmed"], report["positions"]) == ([], {"SPY": 2.0})


def test_a_broken_account_limit_ends_the_session(place: Path) -> None:
    report = _trade(place, "--for", "30s", more="[risk]\nmax_drawdown_frac = 0.0000001\n")
    assert (report["trigger"], report["exit_code"]) == ("account_limit", 4)
    assert "max_drawdown_frac" in report["text"]


def test_two_strategies_on_one_symbol_have_each_their_own_position_and_lines(place: Path) -> None:
    more = '[[strategies]]\nname = "sma_cross"\nsize = 3\nparams = {fast = 3, slow = 8}\n'
    report = _trade(place, more=more)
    assert report["positions"]["SPY"] in (2.0, 5.0)
    lines = runs.records(place / "out")
    decided = [line for line in lines if line["kind"] == "decision"]
    crossed = [line for line in decided if line["strategy"] == "sma_cross"]
    assert len(crossed) >= 3
    assert {line["market_context"]["position"] for line in crossed} == {0.0, 3.0}
    assert {line["order"]["quantity"] for line in crossed} == {"3.0"}
    assert runs.count("session")(lines) == 2
    assert runs.count("halt")(lines) == 1


def test_why_and_report_read_what_a_session_wrote(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _trade(place)
    decided = next(line for line in runs.records(place / "out") if line["kind"] == "decision")
    capsys.readouterr()
    assert main(["why", decided["order_id"]]) == 0
    assert "hold two" in capsys.readouterr().out
    assert main(["why", decided["order_id"], "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["order_id"] == decided["order_id"]
    assert main(["report"]) == 0
    assert "slippage that would have matched" in capsys.readouterr().out
    assert main(["report", "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert (told["fills"], told["decisions"]) == (1, 2)
    assert told["fill_costs"][0]["fill_price"] == told["fill_costs"][0]["model_price"]


def test_what_the_log_does_not_explain_stops_the_session_unless_adopted(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with runs.standing_venue(place / "venue") as venue:
        at = ("--url", venue.url)
        _trade(place, *at)
        shutil.move(place / "out", place / "kept")
        _trade(place, *at)  # another session, with other trades in the same account
        shutil.rmtree(place / "out")
        shutil.move(place / "kept", place / "out")
        capsys.readouterr()
        report = _trade(place, "--for", "30s", *at)
        assert (report["trigger"], report["exit_code"]) == ("unreconcilable", 6)
        assert "Our books and the venue's differ" in capsys.readouterr().out
        report = _trade(place, "--adopt", *at)
        assert report["exit_code"] == 0
    adopted = [line for line in runs.records(place / "out") if line["kind"] == "reconcile"]
    assert [(line["symbol"], line["ours"], line["adopted"]) for line in adopted] == [
        ("SPY", "2.0", True)
    ]


def test_check_says_go_at_the_embedded_venue(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--folder", str(place / "out")]) == 0
    out = capsys.readouterr().out
    for name in ("GO", "account", "buying power", "clock", "calendar", "market data", "log"):
        assert name in out
