"""A live.toml made from answers or flags is read as what was said, and says what everything is."""

import os
import pty
import subprocess
import sys
import tomllib

import pytest

from live.cli import main
from live.config import load
from live.exits import ExitCode
from live.init import QUESTIONS, asked
from live.reference import as_toml, meaning_of
from live.settings import LiveSettings
from tests.backtest.terminal import CHECKOUT


def init(folder, *words):
    return main(["init", "--no-questions", "--out", str(folder / "live.toml"), *words])


def test_without_a_word_it_is_the_reference(tmp_path):
    assert init(tmp_path) == 0
    assert (tmp_path / "live.toml").read_text() == as_toml()
    assert load(tmp_path / "live.toml") == LiveSettings()


def test_what_is_said_by_flags_is_set_and_all_else_is_a_comment(tmp_path, capsys):
    words = ("--symbols", "SPY,XLK", "--venue", "alpaca", "--param", "channel=30", "--size", "95%")
    risk = ("--set", "risk.max_daily_loss_frac=0.02", "--set", "paper.faults=storm")
    assert init(tmp_path, "donchian_bracket", *words, *risk) == 0
    content = tomllib.loads((tmp_path / "live.toml").read_text())
    assert {name: table for name, table in content.items() if table} == {
        "venue": "alpaca",
        "strategies": [{"name": "donchian_bracket", "params": {"channel": 30}, "size": "95%"}],
        "data": {"symbols": ["SPY", "XLK"]},
        "risk": {"max_daily_loss_frac": 0.02},
        "paper": {"faults": "storm"},
    }
    assert load(tmp_path / "live.toml").strategies[0].size == "95%"
    assert "next  export APCA_API_KEY_ID" in capsys.readouterr().out


def test_it_says_how_to_go_on_with_real_money(tmp_path, capsys):
    assert init(tmp_path, "--venue", "ibkr-live") == 0
    file = tmp_path / "live.toml"
    assert capsys.readouterr().out == (
        f"wrote {file}\nnext  python -m live check --settings {file}\n"
        f"then  python -m live --settings {file} --yes-real-money\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--venue", "mars"), "unknown venue 'mars'"),
        (("sma_cros",), "sma_cross"),
        (("--param", "fats=3"), "fats"),
        (("--set", "risk.max_los=1"), "unknown setting risk.max_los"),
        (("--set", "data=3"), "data"),
        (("--set", "venue"), "--set venue: write it as name=value"),
        (("--size", "some"), "size"),
        (("--timeframe", "7m"), "data.timeframe"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(words, told, tmp_path, capsys):
    assert init(tmp_path, *words) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not (tmp_path / "live.toml").exists()


def test_a_file_that_is_there_is_replaced_by_force_alone(tmp_path, capsys):
    (tmp_path / "live.toml").write_text("mine")
    assert init(tmp_path) == ExitCode.BAD_INPUT
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "live.toml").read_text() == "mine"
    assert init(tmp_path, "--force") == 0
    assert (tmp_path / "live.toml").read_text() == as_toml()


def test_each_question_is_the_settings_own_meaning_and_a_wrong_answer_is_asked_again():
    heard, answers = [], iter(["rsi_reversion", "", "SPY, XLK", "7m", "5m", "mars", "", "0.5", "2"])

    def ask(question):
        heard.append(question)
        return next(answers, "")

    words, settings = asked({}, ask)
    assert heard[0] == f"{meaning_of('strategies.name')[0]}\nstrategies.name [sma_cross]"
    assert heard[4].startswith("settings: data.timeframe: ")
    assert settings.data.symbols == ("SPY", "XLK")
    assert settings.strategies[0].name == "rsi_reversion"
    assert (settings.data.timeframe, settings.venue) == ("5m", "paper")
    assert words["risk"] == {"max_position_share": 0.5}


def test_what_the_flags_said_is_not_asked():
    heard = []
    asked(
        {"venue": "paper", "data": {"symbols": ["SPY"]}},
        lambda question: heard.append(question) or "",
    )
    assert len(heard) == len(QUESTIONS) - 2


def test_at_a_terminal_it_asks(tmp_path):
    ours, theirs = pty.openpty()
    os.write(ours, b"\n50\nXLE\n" + b"\n" * 4)
    done = subprocess.run(
        [sys.executable, "-m", "live", "init"],
        stdin=theirs,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        check=True,
    )
    assert "next  python -m live check\nthen  python -m live\n" in done.stdout
    found = load(tmp_path / "live.toml")
    assert (found.data.symbols, found.strategies[0].size) == (("XLE",), 50)
