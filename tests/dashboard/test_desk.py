"""Options, names and what is dear to compute."""

from pathlib import Path

import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError
from dashboard.desk import opened
from dashboard.options import LOG, Options, parse
from dashboard.sparing import Sparing
from dashboard.writer import is_written
from tests.dashboard.stage import BEGUN_AT, bought, write


def test_without_words_the_log_of_a_live_session_is_shown() -> None:
    assert parse([]) == Options((LOG,), Path("data"), Path("out"))


def test_a_folder_means_the_log_in_it(tmp_path: Path) -> None:
    words = ["--log", str(tmp_path), "--log", "x.jsonl", "--data", "d", "--log", "x.jsonl"]
    assert parse(words).logs == (tmp_path / "decisions.jsonl", Path("x.jsonl"))


@pytest.mark.parametrize("words", [["--port", "1"], ["log"], ["--log"]])
def test_words_that_are_none_say_what_to_say(words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"say streamlit run app\.py -- --log PATH"):
        parse(words)


@pytest.mark.parametrize(
    ("logs", "names"),
    [
        (["out/live/decisions.jsonl"], ["live"]),
        (["a/live/decisions.jsonl", "b/live/decisions.jsonl"], ["a/live", "b/live"]),
        (["r/live.jsonl", "r/backtest.jsonl"], ["live", "backtest"]),
        (["decisions.jsonl"], ["decisions.jsonl"]),
        (
            ["s/decisions.jsonl.1", "s/decisions.jsonl.2"],
            ["s/decisions.jsonl.1", "s/decisions.jsonl.2"],
        ),
    ],
)
def test_logs_have_names_that_tell_them_apart(logs: list[str], names: list[str]) -> None:
    desk = opened(Options(tuple(map(Path, logs))), ManualClock(BEGUN_AT))
    assert desk.names == names


def test_a_desk_looks_at_the_chosen_log_and_at_all(tmp_path: Path) -> None:
    logs = (write(tmp_path / "a", bought()), tmp_path / "b")
    desk = opened(Options(logs), ManualClock(BEGUN_AT))
    assert desk.look().path == logs[0]
    assert [glimpse.condition for glimpse in desk.look_at_all()] == ["there", "missing"]


def test_a_dear_value_is_computed_again_when_it_has_rested() -> None:
    clock = ManualClock(BEGUN_AT)
    value = Sparing[int](clock)

    def slowly(result: int) -> int:
        clock.sleep(1.0)
        return result

    assert value.get("a", lambda: slowly(1)) == (1, True)
    assert value.get("b", lambda: slowly(2)) == (1, False)
    clock.sleep(20.0)
    assert value.get("b", lambda: slowly(3)) == (3, True)
    assert value.get("b", lambda: slowly(4)) == (3, True)


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("1: FLOCK  ADVISORY  WRITE 77 fe:00:4711 0 EOF", True),
        ("1: FLOCK  ADVISORY  READ 77 fe:00:4711 0 EOF", False),
        ("1: POSIX  ADVISORY  WRITE 77 fe:00:4711 0 EOF", False),
        ("1: FLOCK  ADVISORY  WRITE 77 fe:00:14711 0 EOF", False),
        ("1: -> FLOCK  ADVISORY  WRITE 78 fe:00:99 0 EOF", False),
    ],
)
def test_a_lock_is_read_as_the_manual_describes_it(
    tmp_path: Path, line: str, written: bool
) -> None:
    (tmp_path / "locks").write_text(f"{line}\n")
    assert is_written(4711, tmp_path / "locks") is written
    assert is_written(4711, tmp_path / "none") is None
