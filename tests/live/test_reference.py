"""docs/live.md: its exit codes are the program's."""

import re
from pathlib import Path

from live.exits import ExitCode

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "live.md"


def test_the_page_has_every_exit_code() -> None:
    told = re.findall(r"^\|[^|]+\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(map(int, told)) == sorted(map(int, ExitCode))
