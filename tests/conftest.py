"""Fixtures for every room."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run: `make test` is a fixed sample, `make prove` draws many more.
settings.register_profile(
    "seawall",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("seawall")

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def _heeds_interrupts() -> Iterator[None]:
    """These tests may be a script's job in the background, which begins with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def market() -> Path:
    """The folder of real prices, from SEAWALL_MARKET or beside the checkout."""
    folder = Path(os.environ.get("SEAWALL_MARKET", CHECKOUT.parent / "shared" / "market"))
    if not folder.is_dir():
        pytest.skip("no real prices here: set SEAWALL_MARKET to their folder")
    return folder
