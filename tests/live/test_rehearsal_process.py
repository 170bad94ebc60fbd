"""The live half of a rehearsal, as the process that it is."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from live.rehearsal.away import SessionDied, SessionProcess
from tests.live.plays import play


def ask_to_its_end(session):
    while True:
        session.state()


def test_a_session_that_cannot_begin_ends_with_one_line(tmp_path):
    refused = SimpleNamespace(url="https://gateway.lan:5000")
    now = datetime(2024, 1, 2, 15, tzinfo=UTC)
    session = SessionProcess(play("sma_cross"), refused, tmp_path / "session", now)
    with pytest.raises(SessionDied):
        ask_to_its_end(session)
    session.kill()
    (line,) = (tmp_path / "session.err").read_text().splitlines()
    assert line.startswith("ConfigError: portal: https://gateway.lan:5000 is another machine")
