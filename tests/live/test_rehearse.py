import json
from dataclasses import replace

import backtrader as bt
import pytest

from backtest.engine import execute
from backtest.spec import BarsSpec, RunSpec
from brokers.errors import ConfigError
from live.cli import main
from live.paper.faults import Fault, Plan
from live.rehearsal.crash import POINTS
from live.rehearsal.in_memory import rehearse
from live.rehearsal.play import Play
from live.rehearse import bars_for
from tests.live.plays import BUSY, bars, log_bytes, play


class Impatient(bt.Strategy):
    """Sends its exits from notify_order, where it should not."""

    def notify_order(self, order):
        if order.status == order.Completed and order.isbuy():
            self.sell(size=10)

    def next(self):
        if len(self) % 10 == 0:
            self.buy(size=10)


@pytest.mark.parametrize("name", BUSY)
def test_each_strategy_does_live_what_it_did_in_the_backtest(name, tmp_path):
    certificate = rehearse(play(name), tmp_path)
    assert certificate.identical, certificate.text
    assert certificate.hashes["backtest"] == certificate.hashes["live"]


@pytest.mark.parametrize("account", ["backtrader", "alpaca"])
def test_a_bracket_survives_a_storm_and_a_kill(account, tmp_path):
    certificate = rehearse(play("donchian_bracket", "1d", 1, account), tmp_path, "storm")
    assert certificate.identical, certificate.text
    assert certificate.lives == 2
    assert {"kill", "accepted_then_504", "lose", "hang"} <= certificate.faults_hit.keys()


def test_several_symbols_trade_alike_in_the_same_order(tmp_path):
    certificate = rehearse(play("rsi_reversion", "1d", 3), tmp_path)
    assert certificate.identical, certificate.text
    assert certificate.orders > 90


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    logs = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        assert rehearse(play("sma_cross"), folder, "seed:5").identical
        logs.append(log_bytes(folder))
    assert logs[0] == logs[1]


@pytest.mark.parametrize("point", POINTS)
def test_a_session_killed_at_a_named_point_loses_and_doubles_nothing(point, tmp_path):
    certificate = rehearse(play("donchian_bracket"), tmp_path, deaths=[(point, 7)])
    assert certificate.identical, certificate.text
    assert certificate.faults_hit == {"kill": 1}


def test_orders_born_in_notify_order_are_named_as_a_difference_of_timing(tmp_path):
    spec = RunSpec(Impatient, {})
    certificate = rehearse(Play(spec, bars("1m", 1)), tmp_path)
    assert certificate.first_difference is not None
    assert "notify_order" in certificate.first_difference.cause


def test_a_planned_fault_that_never_struck_is_no_proof(tmp_path):
    plan = Plan("late", (Fault("server_error", nth=10_000),))
    certificate = rehearse(replace(play("sma_cross"), plan=plan), tmp_path)
    assert certificate.first_difference is None
    assert not certificate.identical
    assert certificate.objections == ("planned faults never struck: server_error",)


@pytest.mark.parametrize("timeframe", ["1d", "1m"])
@pytest.mark.parametrize("name", [name for name in BUSY if name != "buy_and_hold"])
def test_without_dates_there_are_bars_enough_for_every_strategy(name, timeframe):
    spec = RunSpec(name, {})
    frames = bars_for(spec, BarsSpec("synthetic", (), None, None, timeframe, {"seed": 7}))
    assert len(execute(spec, frames).orders) >= 30


def test_too_few_orders_are_no_proof_and_the_options_that_bring_more_are_named(tmp_path):
    certificate = rehearse(Play(RunSpec("sma_cross", {}), bars("1m", 1)), tmp_path)
    (told,) = certificate.objections
    assert told.endswith(" are too few, it takes 30: widen --start and --end, or add --symbols")


def test_without_an_order_there_is_no_proof(tmp_path):
    spec = RunSpec("rsi_reversion", {"oversold": 0.001, "overbought": 99.9})
    certificate = rehearse(Play(spec, bars("1m", 1)), tmp_path)
    assert certificate.objections[:2] == ("no order was filled", "there was no order")


def test_a_rehearsal_takes_bars_that_come_live():
    frames = {"SPY": bars("1m", 1)["SPY"].iloc[::5].copy()}
    frames["SPY"].attrs = {}
    with pytest.raises(ConfigError, match="1m or 1d"):
        Play(RunSpec("sma_cross", {}), frames)


def test_daily_bars_come_live_with_the_closes_of_new_york_alone():
    frame = bars("1d", 1)["SPY"].copy()
    frame.attrs = {}
    with pytest.raises(ConfigError, match="no calendar: give the source calendar=XNYS"):
        Play(RunSpec("sma_cross", {}), {"SPY": frame})


def test_daily_files_are_rehearsed_with_those_closes(tmp_path, capsys):
    bars("1d", 1)["SPY"].to_csv(tmp_path / "SPY.csv", index_label="time")
    words = ("--path", str(tmp_path / "SPY.csv"), "--timeframe", "1d", "--param", "fast=3")
    assert main(["rehearse", "sma_cross", "--over", "memory", "--param", "slow=8", *words]) == 0
    assert capsys.readouterr().out.startswith("IDENTICAL")


WORDS = (
    "--over",
    "memory",
    "--param",
    "fast=3",
    "--param",
    "slow=8",
    "--start",
    "2024-01-02",
    "--end",
    "2024-01-02",
)


def test_the_command_prints_one_object_and_exits_with_0_when_identical(capsys):
    assert main(["rehearse", "sma_cross", *WORDS, "--faults", "seed:2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["identical"] is True
    assert told["orders"] > 30
    assert told["fills"] >= 30
    assert told["faults_hit"]
    assert told["first_difference"] is None


def test_the_command_exits_with_1_when_it_proves_nothing_and_says_why(capsys, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(Plan("p", (Fault("hang", nth=9999),)).to_toml())
    assert main(["rehearse", "sma_cross", *WORDS, "--faults", str(plan)]) == 1
    assert "but: planned faults never struck: hang" in capsys.readouterr().out


WRONG = (["--faults", "calm"], ["--account", "mine"], ["--param", "x=1"], ["--over", "there"])


@pytest.mark.parametrize("words", WRONG)
def test_wrong_words_are_bad_input(words, capsys):
    assert main(["rehearse", "sma_cross", "--over", "memory", *words]) == 2
    assert capsys.readouterr().err.startswith("error: ")
