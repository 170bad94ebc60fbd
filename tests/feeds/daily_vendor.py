"""A vendor of daily bars with a memory of what it was asked, for the tests of the cache."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from brokers.clock import ManualClock
from feeds.cache import BarCache, Key
from feeds.passport import stamp

KEY = Key("vendor", "NVDA", "1d", "total")
LATER = datetime(2024, 6, 1, tzinfo=UTC)


def day(month: int, number: int) -> datetime:
    return datetime(2024, month, number, tzinfo=UTC)


class Vendor:
    """Daily bars of 2024; a bar that is not over yet has another close than it will have."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked: list[tuple[datetime | None, datetime | None]] = []
        self.factor = 1.0
        self.forgets_before: datetime | None = None
        self.holds_back = False

    def bars(self, start: datetime | None, end: datetime | None) -> pd.DataFrame:
        index = pd.bdate_range("2024-01-01", "2024-12-31", tz="UTC")
        index = index[index != day(1, 15)]  # a holiday
        delay = timedelta(days=self.holds_back)
        index = index[index + delay <= self.clock.now()]
        close = self.factor * (50.0 + np.arange(len(index)))
        close[index + timedelta(days=1) > self.clock.now()] += 0.5
        prices = {"open": close, "high": close + 1, "low": close - 1, "close": close}
        frame = pd.DataFrame({**prices, "volume": 1000.0}, index=index)
        begin = max(filter(None, (start, self.forgets_before)), default=None)
        frame = frame[(index >= (begin or index[0])) & (index < (end or LATER.replace(year=2030)))]
        return frame if frame.empty else self.stamped(frame)

    def stamped(self, frame: pd.DataFrame) -> pd.DataFrame:
        known = {"calendar": "XNYS", "fetched_at": self.clock.now(), "repairs": ("by hand",)}
        return stamp(frame, symbol="NVDA", source="vendor", timeframe="1d", **known)

    def fetch(self, start: datetime | None, end: datetime | None) -> pd.DataFrame:
        self.asked.append((start, end))
        return self.bars(start, end)


def path_of(cache: BarCache) -> Path:
    return KEY.path(cache._folder)
