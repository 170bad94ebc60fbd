"""Streamlit's AppTest runs scripts as `__main__`, and would leave the last one there."""

import sys
from collections.abc import Iterator

import pytest

MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Processes that are spawned import `__main__` again: it has to be the one that it was."""
    yield
    sys.modules["__main__"] = MAIN
