"""Every code block of the documentation runs, or its commands and options exist."""

import pytest

from dashboard.options import parse
from tests.docs import blocks
from tests.docs.blocks import DOCS, ROOT
from tests.docs.play import Reader, require_words

TUTORIAL = sorted((DOCS / "tutorial").glob("*.md"))
PAGES = sorted(
    page
    for page in DOCS.rglob("*.md")
    if page not in TUTORIAL and page.parent.name != "decisions" and any(blocks.of(page))
)
MARKED = {
    " ".join(command.words): command
    for page in sorted(DOCS.rglob("*.md"))
    for block in blocks.of(page)
    if block.is_marked and block.language in blocks.SHELLS
    for command in blocks.commands(block)
    if command.words[0] in {"python", "streamlit"}
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
    if program == "run":  # streamlit's
        assert (ROOT / words[0]).exists()
        assert parse(words[words.index("--") + 1 :])
    else:
        require_words(program, words)
