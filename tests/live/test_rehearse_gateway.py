"""Rehearsals at a gateway: a fixed sample; `make prove` runs many more."""

from dataclasses import replace

import pytest

from brokers.errors import ConfigError
from live.cli import main
from live.paper.storms import KINDS_OF
from live.rehearsal.crash import POINTS
from live.rehearsal.in_memory import rehearse
from live.rehearsal.over_loopback import rehearse_over_loopback
from live.rehearsal.play import Play
from tests.live.plays import log_bytes, play
from tests.live.test_night import short


def gateway(name: str, timeframe: str = "1m") -> Play:
    return replace(play(name, timeframe), front="tws")


def test_a_bracket_weathers_a_storm_of_all_that_gateways_do(tmp_path):
    certificate = rehearse(gateway("donchian_bracket", "1d"), tmp_path, "storm")
    assert certificate.identical, certificate.text
    assert certificate.lives == 2
    assert certificate.faults_hit.keys() == {*KINDS_OF["tws"], "partial_fill", "kill"}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    logs = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        certificate = rehearse(replace(short(), warm_up=0), folder, "seed:3")
        assert certificate.first_difference is None, certificate.text
        logs.append(log_bytes(folder))
    assert logs[0] == logs[1]


def test_several_symbols_trade_in_the_order_of_the_decisions(tmp_path):
    certificate = rehearse(replace(short("1d", 10), warm_up=0), tmp_path)
    assert certificate.first_difference is None, certificate.text
    assert certificate.orders > 40


@pytest.mark.parametrize("point", POINTS)
def test_a_session_killed_at_a_named_point_loses_and_doubles_nothing(point, tmp_path):
    certificate = rehearse(replace(short(), warm_up=0), tmp_path, deaths=[(point, 3)])
    assert certificate.first_difference is None, certificate.text
    assert certificate.faults_hit == {"kill": 1}


def test_a_session_killed_while_it_works_takes_up_its_log_and_goes_on(tmp_path):
    certificate = rehearse_over_loopback(short(size=24), tmp_path, strikes={12: 0.002})
    assert certificate.first_difference is None, certificate.text
    assert certificate.lives == 2


def test_alpacas_rules_do_not_go_with_a_gateway():
    with pytest.raises(ConfigError, match="use those of backtrader"):
        replace(play("sma_cross", account="alpaca"), front="tws")


def test_the_command_rehearses_behind_a_gateway(capsys):
    words = ["--param", "fast=3", "--param", "slow=8", "--start", "2024-01-02"]
    words += ["--end", "2024-01-02", "--over", "memory", "--venue", "paper-tws"]
    assert main(["rehearse", "sma_cross", *words]) == 0
    assert capsys.readouterr().out.startswith("IDENTICAL")
