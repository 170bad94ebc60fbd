"""What the tests of the cache and of its files share."""

import pytest

from brokers.clock import ManualClock
from feeds.cache import BarCache
from tests.feeds.daily_vendor import LATER, Vendor


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(LATER)


@pytest.fixture
def vendor(clock) -> Vendor:
    return Vendor(clock)


@pytest.fixture
def cache(tmp_path, clock) -> BarCache:
    return BarCache(tmp_path / "cache", clock)
