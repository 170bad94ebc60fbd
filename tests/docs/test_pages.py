"""Every code block of the documentation runs, or its commands and options exist."""

import pytest
from typer.main import get_command

import analyzers.__main__
import backtest.cli
import fetch_polygon_intraday_data
import live.cli
from tests.docs import blocks
from tests.docs.blocks import DOCS
from tests.docs.play import Reader

TUTORIAL = sorted((DOCS / "tutorial").glob("*.md"))
PAGES = sorted(
    page
    for page in DOCS.rglob("*.md")
    if page not in TUTORIAL and page.parent.name != "decisions" and any(blocks.of(page))
)
APPS = {
    "analyzers": analyzers.__main__.app,
    "backtest": backtest.cli.app,
    "live": live.cli.app,
    "fetch_polygon_intraday_data.py": fetch_polygon_intraday_data.app,
}
MARKED = {
    " ".join(command.words): command
    for page in sorted(DOCS.rglob("*.md"))
    for block in blocks.of(page)
    if block.is_marked and block.language in blocks.SHELLS
    for command in blocks.commands(block)
    if command.words[0] == "python"
}


@pytest.fixture
def reader(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("SEAWALL_LEDGER", raising=False)
    return Reader(tmp_path, capfd)


def test_the_tutorial_runs_from_its_first_page_to_its_last(reader):
    for page in TUTORIAL:
        reader.follow(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_block_of_the_page_runs(page, reader):
    reader.follow(page)


@pytest.mark.parametrize("command", MARKED.values(), ids=MARKED)
def test_what_needs_an_account_has_the_words_that_the_program_knows(command):
    program, *words = [word for word in command.words[1:] if word != "-m"]
    known = get_command(APPS[program])
    if hasattr(known, "commands"):
        name = words.pop(0) if words and words[0] in known.commands else "trade"
        known = known.commands[name]
    known.make_context(program, words)  # it reads the words and refuses what it does not know
