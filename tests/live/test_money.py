"""Real money takes an explicit word, twice."""

import os
import pty
import subprocess
import sys

import pytest

from brokers.errors import ConfigError
from live.money import WORD, confirmed


def test_paper_needs_no_word() -> None:
    confirmed("paper", said=False, word="")
    confirmed("alpaca", said=False, word="")


def test_real_money_needs_both() -> None:
    confirmed("alpaca-live", said=True, word=WORD)
    with pytest.raises(ConfigError, match="add --yes-real-money"):
        confirmed("alpaca-live", said=False, word=WORD)
    with pytest.raises(ConfigError, match="SEAWALL_REAL_MONEY"):
        confirmed("alpaca-live", said=True, word="yes")


@pytest.mark.parametrize(("typed", "is_meant"), [(WORD, True), ("yes", False), ("", False)])
def test_on_a_terminal_the_word_is_typed(typed: str, is_meant: bool) -> None:
    ours, theirs = pty.openpty()
    asked = "from live.money import confirmed; confirmed('alpaca-live', said=True, word='')"
    os.write(ours, f"{typed}\n".encode())
    done = subprocess.run(
        [sys.executable, "-c", asked],
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert "Type REAL MONEY to go on" in done.stdout
    assert (done.returncode == 0) == is_meant, done.stderr
