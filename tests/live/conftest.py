"""Fixtures of the live room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.hosted import Hosted, hosted_venue


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """A venue of one symbol in this process, and room for sessions at it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with hosted_venue(tmp_path) as venue:
        yield venue
