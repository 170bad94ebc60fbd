"""The command line as a user meets it: words in; exit code, stdout and stderr out."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from backtest.cli import main

CHECKOUT = Path(__file__).resolve().parents[2]


class Answer(NamedTuple):
    """What a command leaves."""

    code: int
    out: str
    err: str


def in_process(capsys: pytest.CaptureFixture[str], *words: object) -> Answer:
    """Run a command in this process."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    return Answer(code, *capsys.readouterr())


def in_shell(*words: object) -> Answer:
    """Run a command in a process of its own."""
    with start(*words) as process:
        out, err = process.communicate(timeout=60)
    return Answer(process.returncode, out, err)


def start(*words: object) -> subprocess.Popen[str]:
    """Start `python -m backtest` with these words."""
    return subprocess.Popen(
        [sys.executable, "-m", "backtest", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
