"""Every command line: its help shows examples, and a shell can complete its words."""

import os
import subprocess
import sys
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


@pytest.mark.parametrize("main", [backtest.main, live.main])
def test_the_script_to_complete_by_is_that_of_the_installed_command(main, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--show-completion", "bash"])
    assert ended.value.code == 0
    assert "seawall-" in capsys.readouterr().out
