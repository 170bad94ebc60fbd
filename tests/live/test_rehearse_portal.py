"""Rehearsals at a Client Portal: a fixed sample; `make prove` runs many more."""

from dataclasses import replace

from live.cli import main
from live.rehearsal.over_loopback import rehearse_over_loopback
from tests.live.test_night import short


def test_a_session_killed_while_it_works_takes_up_its_log_and_goes_on(tmp_path):
    case = replace(short(), front="portal")
    certificate = rehearse_over_loopback(case, tmp_path, strikes={25: 0.01})
    assert certificate.first_difference is None, certificate.text
    assert certificate.lives == 2


def test_memory_is_no_way_to_a_client_portal(capsys):
    assert main(["rehearse", "sma_cross", "--venue", "paper-portal", "--over", "memory"]) == 2
    assert "use --over loopback" in capsys.readouterr().err
