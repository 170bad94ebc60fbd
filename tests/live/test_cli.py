"""The command line: what is wrong is one line and its exit code; what looks changes nothing."""

from pathlib import Path

import pytest

from live.cli import main
from live.reference import as_toml


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--venue", "nowhere"), 2, "unknown venue 'nowhere'"),
        (("--venue", "alpaca"), 2, "APCA_API_KEY_ID"),
        (("--venue", "alpaca-live"), 2, "--yes-real-money"),
        (("--venue", "alpaca-live", "--yes-real-money"), 2, "was not confirmed"),
        (("sma_cros",), 2, "sma_cross"),
        (("--param", "fats=3"), 2, "fats"),
        (("--for", "soon"), 2, "write 60s"),
        (("--timeframe", "7m"), 2, "data.timeframe"),
        (("--speed", "fast"), 2, "paper.speed"),
        (("--bogus",), 2, "--bogus"),
        (("--url", "http://127.0.0.1:9"), 8, "127.0.0.1"),
        (("venue", "--front", "fix"), 2, "unknown front 'fix'"),
        (("venue", "--speed", "0x"), 2, "is no speed"),
        (("why", "zz", "--log", "nowhere.jsonl"), 2, "nowhere.jsonl"),
    ],
)
def test_bad_input_is_one_line_and_its_exit_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    got = main(words)
    err = capsys.readouterr().err
    assert got == code, err
    assert told in err
    assert err.count("\n") == 1


def test_settings_prints_a_file_that_can_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["settings"]) == 0
    assert capsys.readouterr().out == as_toml()


def test_a_live_toml_here_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "live.toml").write_text('venue = "mars"', encoding="utf-8")
    assert main([]) == 2
    assert "unknown venue 'mars'" in capsys.readouterr().err
