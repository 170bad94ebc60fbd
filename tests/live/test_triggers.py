"""What can end a session."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brokers.clock import ManualClock
from live.shutdown import Tripped
from live.triggers import Bound, KillFile, Signals, Stopped, first, require_none

NOON = datetime(2025, 6, 2, 16, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _has_a_terminal() -> Iterator[None]:
    """These tests may be run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("number", "trigger"),
    [
        (signal.SIGINT, "interrupt"),
        (signal.SIGTERM, "terminate"),
        (signal.SIGHUP, "terminate"),
    ],
)
def test_a_signal_trips(number: int, trigger: str) -> None:
    signals = Signals()
    with signals.heard():
        assert signals() is None
        os.kill(os.getpid(), number)
        tripped = signals()
    assert tripped is not None
    assert tripped.trigger == trigger


@pytest.mark.parametrize(
    ("number", "trigger"), [(signal.SIGINT, "interrupt"), (signal.SIGTERM, "terminate")]
)
def test_before_anybody_asks_a_signal_ends_the_start(number: int, trigger: str) -> None:
    with pytest.raises(Stopped, match="no order was sent") as stopped, Signals().heard():
        os.kill(os.getpid(), number)
    assert stopped.value.trigger == trigger


def test_a_second_signal_ends_the_shutdown() -> None:
    def shut_down() -> None:
        with Signals().heard() as signals:
            signals()
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped, match="may still be at work") as stopped:
        shut_down()
    assert stopped.value.trigger == "terminate"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT], ids=["nohup", "background"])
def test_a_signal_that_was_ignored_from_the_start_is_nothing(number: int) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Signals().heard() as signals:
            signals()
            os.kill(os.getpid(), number)
            assert signals() is None
    finally:
        signal.signal(number, before)


def test_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Signals().heard():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_kill_file_trips_within_half_a_second(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    ask = KillFile(tmp_path / "KILL", clock)
    assert ask() is None
    (tmp_path / "KILL").touch()
    assert ask() is None  # it looked a moment ago
    clock.sleep(0.5)
    assert ask() == Tripped("kill_file", f"{tmp_path / 'KILL'} appeared")


def test_a_kill_file_of_before_stops_the_start(tmp_path: Path) -> None:
    require_none(tmp_path / "KILL")
    (tmp_path / "KILL").touch()
    with pytest.raises(Stopped, match="KILL is here from before") as stopped:
        require_none(tmp_path / "KILL")
    assert stopped.value.trigger == "kill_file"


def test_a_bounded_session_is_over_at_its_end() -> None:
    clock = ManualClock(NOON)
    ask = Bound(60.0, clock)
    clock.sleep(59.9)
    assert ask() is None
    clock.sleep(0.1)
    assert ask() == Tripped("finished", "60 s are over")


def test_the_first_trigger_counts() -> None:
    one, two = Tripped("breaker", "one"), Tripped("mute", "two")
    assert first([lambda: None, lambda: one, lambda: two]) == one
    assert first([lambda: None]) is None
