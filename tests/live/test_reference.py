"""docs/live.md: its settings are the model's, and its exit codes are the program's."""

import re
from pathlib import Path

from live.exits import ExitCode
from live.reference import as_toml

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "live.md"


def test_the_page_has_the_settings_as_the_model_has_them() -> None:
    text = PAGE.read_text(encoding="utf-8")
    begun, ended = text.index("<!-- settings -->"), text.index("<!-- /settings -->")
    assert text[begun:ended] == f"<!-- settings -->\n```toml\n{as_toml()}```\n"


def test_the_page_has_every_exit_code() -> None:
    told = re.findall(r"^\|[^|]+\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(map(int, told)) == sorted(map(int, ExitCode))
