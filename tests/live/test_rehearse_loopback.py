"""Rehearsals with venue and session as processes; `make prove` runs many more."""

from live.rehearsal.over_loopback import rehearse_over_loopback
from tests.live.plays import play


def test_a_whole_session_weathers_a_storm_and_a_sigkill(tmp_path):
    certificate = rehearse_over_loopback(play("donchian_bracket", "1d"), tmp_path, "storm")
    assert certificate.identical, certificate.text
    assert certificate.lives == 2
    assert {"kill", "accepted_then_504", "mute", "hang"} <= certificate.faults_hit.keys()


def test_a_session_killed_while_it_works_loses_and_doubles_nothing(tmp_path):
    case = play("sma_cross", account="alpaca")
    certificate = rehearse_over_loopback(case, tmp_path, strikes={60: 0.002, 200: 0.0})
    assert certificate.identical, certificate.text
    assert certificate.lives == 3


def test_an_order_of_the_first_day_after_the_warm_up_is_the_backtests(tmp_path):
    certificate = rehearse_over_loopback(play("buy_and_hold", "1d"), tmp_path)
    assert certificate.identical, certificate.text
    assert certificate.orders == 1
