"""Fixtures for every room."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def market() -> Path:
    """The folder of real prices, from SEAWALL_MARKET or beside the checkout."""
    folder = Path(os.environ.get("SEAWALL_MARKET", CHECKOUT.parent / "shared" / "market"))
    if not folder.is_dir():
        pytest.skip("no real prices here: set SEAWALL_MARKET to their folder")
    return folder
