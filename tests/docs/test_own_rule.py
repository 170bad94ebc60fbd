"""The tutorial's rule of one's own becomes a limit by the lines that the tutorial adds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import blocks
from tests.docs.blocks import DOCS, ROOT

PACKAGES = ("analyzers", "backtest", "brokers", "feeds", "live", "strategies")
LOADING = "from live.config import load; load(None, {'risk': {'min_price': 1.0}})"


@pytest.fixture
def changed(tmp_path):
    """A copy of the packages with the tutorial's lines added."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    page = DOCS / "tutorial" / "5-risk.md"
    (diff,) = (block.code for block in blocks.of(page) if block.language == "diff")
    for part in re.split(r"^--- a/", diff, flags=re.MULTILINE)[1:]:
        path, *hunks = re.split(r"^@@\n", part, flags=re.MULTILINE)
        file = tmp_path / path.split("\n")[0]
        for hunk in hunks:
            add(file, hunk.splitlines())
    return tmp_path


def add(file: Path, hunk: list[str]) -> None:
    """Put the lines of a hunk that begin with + between those that do not."""
    before = "\n".join(line[1:] for line in hunk if line[:1] != "+")
    after = "\n".join(line[1:] for line in hunk)
    text = file.read_text()
    assert text.count(before) == 1, f"{file.name} has not these lines once:\n{before}"
    file.write_text(text.replace(before, after))


def test_the_rule_is_a_limit_of_backtests_and_sessions(changed):
    environment = {**os.environ, "PYTHONPATH": str(changed)}
    code = (
        "import sys; from backtest.cli import main;" + LOADING + ";"
        "sys.exit(main(['run', 'sma_cross', '--risk', 'min_price=400', '--quiet']))"
    )
    argv = [sys.executable, "-c", code]
    done = subprocess.run(
        argv, cwd=changed, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "min_price" in done.stderr  # the warning of refused orders
