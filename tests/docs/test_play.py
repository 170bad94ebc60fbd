"""The reader of the documentation notices what is wrong with it."""

import pytest

from tests.docs.blocks import Block, commands
from tests.docs.play import Reader, is_like, shortened


@pytest.mark.parametrize(
    ("said", "printed", "alike"),
    [
        ("sets 220\n", "sets      220 \n", True),
        ("...\nsets ...\n", "title\nsets 220\nbest 1\n", True),
        ("sets 220\n", "sets 221\n", False),
        ("sets 220\n", "sets 220\nbest 1\n", False),
    ],
)
def test_output_is_what_a_page_says_it_is(said, printed, alike):
    assert is_like(said, printed) == alike


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (["dip", "--for", "2m"], ["dip", "--for", "1s"]),
        (["--venue", "paper"], ["--venue", "paper", "--for", "1s"]),
        (["report", "--json"], ["report", "--json"]),
    ],
)
def test_a_session_is_cut_short_and_nothing_else(words, typed):
    assert shortened(words) == typed


def test_commands_of_a_console_come_with_what_they_print():
    block = Block(
        "page:1", "console", "", "$ python -m a \\\n    b\nfirst\nsecond\n$ A=1 python c.py\n"
    )
    first, second = commands(block)
    assert (first.words, first.printed) == (("python", "-m", "a", "b"), "first\nsecond\n")
    assert second.words == ("python", "c.py")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```sh\nwhatever --now\n```\n", "nobody here knows"),
        ("```sh\npython -m backtest run no_such_strategy\n```\n", "no strategy is called"),
        ("```console\n$ python -m backtest list\nnothing\n```\n", "but it is\nstrategy"),
        ("```sh\nmake no-such-target\n```\n", "no-such-target"),
    ],
)
def test_a_page_that_does_not_hold_is_named_with_its_line(text, complaint, tmp_path, capfd):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises((AssertionError, pytest.fail.Exception)) as failure:
        Reader(tmp_path, capfd).follow(page)
    assert "page.md:1" in str(failure.value)
    assert complaint in str(failure.value)
