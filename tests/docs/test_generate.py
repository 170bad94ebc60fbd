"""What is made from the code is what the code makes."""

from tests.docs import generate

REMEDY = "run python -m tests.docs.generate and commit what it writes"


def test_generated_parts_are_what_the_code_makes_of_them_now():
    stale = [page.name for page, text in generate.made().items() if page.read_text() != text]
    assert not stale, f"{stale}: {REMEDY}"


def test_a_setting_is_told_with_its_bounds_and_its_default():
    row = "| `order_calls` | whole number from 0 | `60` | Of these, kept free for orders"
    assert any(line.startswith(row) for line in generate.configuration())


def test_every_exit_code_of_a_session_has_a_row():
    rows = generate.exit_codes().splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows[:3]] == ["| 0", "| 1", "| 2"]
    assert len(rows) == len(generate.MEANINGS)
