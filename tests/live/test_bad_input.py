"""What a user may get wrong: one clear line, a documented exit code, no traceback, no order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from live.cli import main
from live.config import load
from live.embedded_market import market
from live.exits import ExitCode
from live.paper.alpaca_checks import Asset
from live.paper.child import VenueProcess
from live.paper.spec import VenueSpec
from tests.live import runs

RIGHTS = {"XLK": Asset(tradable=False), "XLF": Asset(fractionable=False)}
REFUSED = """
import os
import signal

import backtrader as bt


class Refused(bt.Strategy):
    def __init__(self):
        self.asked, self.steps = [], iter((self.hold, self.protect, self.err, self.turn, self.end))

    def next(self):
        if len(self) > 40 and not any(map(self.is_open, self.asked)):
            next(self.steps, lambda: None)()

    def is_open(self, order):
        return order.status < order.Accepted or order.alive() and order.exectype == order.Market

    def ask(self, place, size, reason, **how):
        self.asked.append(place(size=size, reason=reason, **how))
        return self.asked[-1]

    def hold(self):
        self.ask(self.buy, 10, "to hold")

    def protect(self):
        price = round(self.data.close[0] * 0.5, 2)
        self.stop = self.ask(self.sell, 6, "a stop", exectype=bt.Order.Stop, price=price)

    def err(self):
        self.ask(self.buy, 1, "against the stop")
        self.ask(self.sell, 6, "more than is free")
        self.ask(self.sell, 2.5, "a part", valid=bt.Order.DAY)
        self.ask(self.buy, None, "in money", notional=100.0)

    def turn(self):
        self.cancel(self.stop)
        self.ask(self.buy, 1, "after the stop")
        self.ask(self.buy, 10**6, "dear")

    def end(self):
        os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A venue with one symbol that is halted and one that takes whole units only."""
    settings = load(None, {"data": {"warmup_bars": 40, "symbols": ["SPY", "XLK", "XLF"]}})
    frames, warm_up = market(settings.data, settings.paper)
    spec = VenueSpec(account="alpaca", warm_up=warm_up, speed=600.0, assets=RIGHTS)
    with VenueProcess(spec, frames, tmp_path_factory.mktemp("venue")) as process:
        yield process


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


def _told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code, and the one line on stderr."""
    code = main([*words])
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    assert not Path("out/live/decisions.jsonl").exists()
    return code, err


@pytest.mark.parametrize("command", ["trade", "check"])
@pytest.mark.parametrize("key", ["PKWRONG", "AKLIVE"])
def test_a_wrong_key_or_one_of_the_other_environment_is_told_from_all_else(
    command: str,
    key: str,
    venue: VenueProcess,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", key)
    monkeypatch.setenv("APCA_API_SECRET_KEY", "x")
    code, err = _told(capsys, command, "--url", venue.url)
    assert code == ExitCode.BAD_INPUT
    assert "refused the keys: check APCA_API_KEY_ID and APCA_API_SECRET_KEY" in err


def test_no_key_at_all_says_which_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    code, err = _told(capsys, "trade", "--venue", "alpaca")
    assert code == ExitCode.BAD_INPUT
    assert "set APCA_API_KEY_ID and APCA_API_SECRET_KEY" in err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--symbols", "SPY,NOPE"], "NOPE is unknown to the venue: correct data.symbols"),
        (["--symbols", "XLK"], "XLK cannot be traded now: leave it out"),
        (
            ["--symbols", "SPY,XLF", "--size", "2.5"],
            "XLF takes whole units only: give a whole size",
        ),
    ],
)
def test_a_symbol_that_cannot_be_traded_so_stops_the_start(
    words: list[str], text: str, venue: VenueProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = _told(capsys, "trade", "--url", venue.url, *words)
    assert code == ExitCode.BAD_INPUT
    assert text in err


@pytest.mark.parametrize("command", ["trade", "check"])
def test_a_venue_out_of_reach_has_a_code_of_its_own(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = _told(capsys, command, "--url", "http://127.0.0.1:9")
    assert code == ExitCode.VENUE
    assert "no connection" in err


def test_a_port_in_use_says_what_to_choose(
    venue: VenueProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    port = venue.url.rpartition(":")[2]
    code, err = _told(capsys, "venue", "--port", port)
    assert code == ExitCode.BAD_INPUT
    assert "the port is in use: choose another one, or 0 for a free one" in err


def test_a_skewed_clock_is_a_no_go(
    venue: VenueProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", VenueSpec().key_id)
    monkeypatch.setenv("APCA_API_SECRET_KEY", VenueSpec().secret)
    assert main(["check", "--venue", "alpaca", "--url", venue.url]) == ExitCode.NO_GO
    out = " ".join(capsys.readouterr().out.split())
    assert "set this machine's clock (NTP)" in out


def test_a_closed_market_is_told_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(None, {"data": {"warmup_bars": 40}})
    frames, _ = market(settings.data, settings.paper)
    days = frames["SPY"].index.normalize()
    before_close = int((days == days[0]).sum()) - 1
    spec = VenueSpec(
        account="alpaca", warm_up=before_close, speed=1.0
    )  # the last one comes at once
    (tmp_path / "venue").mkdir()
    with VenueProcess(spec, frames, tmp_path / "venue") as closed:
        assert main(["trade", "--url", closed.url, "--speed", "1x", "--for", "0.5s"]) == 0
    assert "the exchange is closed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        ("[data]\nsymbls = ['SPY']\n", "unknown setting data.symbls: did you mean symbols?"),
        ("[data]\nwarmup_bars = 'many'\n", "data.warmup_bars: input should be a valid integer"),
        ("[data\n", "not a TOML file"),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    toml: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("live.toml").write_text(toml, encoding="utf-8")
    code, err = _told(capsys, "trade")
    assert code == ExitCode.BAD_INPUT
    assert text in err


def test_what_the_guard_or_the_venue_refuses_is_told_and_the_session_goes_on(
    venue: VenueProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("refused.py").write_text(REFUSED, encoding="utf-8")
    Path("live.toml").write_text("[data]\nwarmup_bars = 40\n", encoding="utf-8")
    words = ("--url", venue.url, "--speed", "600x", "--folder", "out", "--for", "30s")
    assert main(["trade", "refused.py:Refused", *words]) == ExitCode.INTERRUPT
    assert capsys.readouterr().err == ""
    lines = runs.records(tmp_path / "out")
    why = {
        line["order_id"]: line["agent_reasoning"] for line in lines if line["kind"] == "decision"
    }
    told = {
        why[line["order_id"]]: line["refusal"]
        for line in lines
        if line["kind"] == "decision" and line["refusal"]
    } | {
        why[line["order_id"]]: line["reason"]
        for line in lines
        if line["kind"] == "venue" and line["fact"] == "Ended" and line["status"] == "rejected"
    }
    assert "potential wash trade" in told["against the stop"]
    assert "more than the 4 available (held 10); alpaca takes no order" in str(
        told["more than is free"]
    )
    assert "orders are in units here" in str(told["in money"])
    assert "insufficient buying power" in told["dear"]
    assert "a part" not in told
    assert "after the stop" not in told
