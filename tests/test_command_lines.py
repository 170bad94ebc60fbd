"""Every command line: its help shows examples, and a shell can complete its words."""

import os
import pty
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from typer.main import get_command

import fetch_polygon_intraday_data
from analyzers import __main__ as analyzers
from backtest import cli as backtest
from live import cli as live

CHECKOUT = Path(__file__).resolve().parent.parent
GROUPS = {"backtest": backtest.app, "live": live.app, "analyzers": analyzers.app}
COMMANDS = [
    (room, name, command)
    for room, app in GROUPS.items()
    for name, command in get_command(app).commands.items()
    if not command.hidden
]


@pytest.mark.parametrize(("room", "name", "command"), COMMANDS)
def test_help_of_every_command_ends_with_examples_of_that_command(room, name, command):
    called = f"python -m {room}" if name == live.FIRST_COMMAND else f"python -m {room} {name}"
    assert command.epilog.startswith("Examples:\n\n")
    assert command.epilog.count(called) >= 1


def test_help_of_the_fetching_script_ends_with_examples():
    assert "Examples:" in get_command(fetch_polygon_intraday_data.app).epilog


def completed(room: str, typed: str) -> list[str]:
    """What bash is offered after these words."""
    asked = {f"_SEAWALL_{room.upper()}_COMPLETE": "complete_bash", "COMP_WORDS": typed}
    code = f"import sys; from {room}.__main__ import run; sys.exit(run())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **asked, "COMP_CWORD": str(typed.count(" "))},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("room", "typed", "offered"),
    [
        ("backtest", "seawall-backtest walk", "walkforward"),
        ("live", "seawall-live reh", "rehearse"),
        ("analyzers", "seawall-analyzers verify --js", "--json"),
    ],
)
def test_a_shell_completes_commands_and_options(room, typed, offered):
    assert completed(room, typed) == [offered]


@pytest.mark.parametrize("main", [backtest.main, live.main, analyzers.main])
def test_the_script_to_complete_by_is_that_of_the_installed_command(main, capsys, monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # none may be near
    with pytest.raises(SystemExit) as ended:
        main(["--show-completion", "bash"])
    assert ended.value.code == 0
    assert "seawall-" in capsys.readouterr().out


def at_a_terminal(words: list[str], **environment: str) -> str:
    """What a command shows on a terminal."""
    ours, theirs = pty.openpty()
    known = {name: it for name, it in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    subprocess.run(
        [sys.executable, "-m", *words],
        stdout=theirs,
        stderr=theirs,
        env={**known, "TERM": "xterm-256color", **environment},
        cwd=CHECKOUT,
        check=True,
    )
    os.close(theirs)
    with open(ours, "rb") as shown:  # noqa: PTH123  it has no path
        return b"".join(iter(partial(pieces, shown), b"")).decode()


def pieces(shown) -> bytes:
    """The next piece; Linux says with an error that a terminal was closed."""
    try:
        return shown.read1(65_536)
    except OSError:
        return b""


COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;5;\d+)m")


def test_a_terminal_shows_colours_and_no_color_takes_them_away():
    words = ["analyzers", "verify", "--help"]
    assert COLOUR.search(at_a_terminal(words))
    assert not COLOUR.search(at_a_terminal(words, NO_COLOR="1"))


def test_what_is_no_terminal_gets_no_escape_sequences():
    done = subprocess.run(
        [sys.executable, "-m", "analyzers", "--help"], cwd=CHECKOUT, capture_output=True, check=True
    )
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("main", "words", "told"),
    [
        (analyzers.main, ["nope"], "No such command 'nope'; see python -m analyzers --help"),
        (analyzers.main, ["verify"], "see python -m analyzers verify --help"),
        (analyzers.main, ["sector", "--bogus"], "--bogus"),
        (backtest.main, ["run"], "see python -m backtest run --help"),
        (backtest.main, ["nope"], "see python -m backtest --help"),
        (live.main, ["check", "--bogus"], "see python -m live check --help"),
        (fetch_polygon_intraday_data.main, ["--bogus"], "fetch_polygon_intraday_data.py --help"),
    ],
)
def test_words_that_cannot_be_read_are_one_line_that_says_where_help_is(main, words, told, capsys):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("main", [analyzers.main, backtest.main])
def test_without_a_word_the_commands_are_shown(main, capsys):
    assert main([]) == 2
    shown = capsys.readouterr()
    assert "Commands" in shown.out
    assert shown.err == ""
