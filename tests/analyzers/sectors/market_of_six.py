"""A small market of days: members of two sectors, their funds, and the benchmark."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analyzers.sector import SectorMap
from feeds.passport import stamp

SECTORS = {
    "OIL1": "Energy",
    "OIL2": "Energy",
    "OIL3": "Energy",
    "UTI1": "Utilities",
    "UTI2": "Utilities",
    "UTI3": "Utilities",
}
MAP = SectorMap.of(SECTORS)
FUNDS = ("XLE", "XLU", "SPY")


def days(count: int = 400, last: str = "2024-03-08") -> pd.DatetimeIndex:
    """Weekdays at midnight UTC up to `last`."""
    return pd.bdate_range(end=last, periods=count, tz="UTC", name="time")


def frame(symbol: str, index: pd.DatetimeIndex, seed: int, **facts: Any) -> pd.DataFrame:
    """A random walk with ranges and volumes."""
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.01, len(index))))
    opened = close * np.exp(rng.normal(0.0, 0.003, len(index)))
    bars = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * 1.005,
            "low": np.minimum(opened, close) * 0.995,
            "close": close,
            "volume": rng.uniform(1e5, 1e6, len(index)),
        },
        index=index,
    )
    return stamp(bars, symbol=symbol, source="files", timeframe="1d", feed="walk", **facts)


def frames(count: int = 400) -> dict[str, pd.DataFrame]:
    """The whole market."""
    index = days(count)
    return {name: frame(name, index, seed) for seed, name in enumerate((*SECTORS, *FUNDS))}


def changed(bars: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The bars with other values in some columns, stamped as before."""
    facts: Mapping[str, Any] = {"symbol": "X", "source": "files", "timeframe": "1d"}
    return stamp(bars.assign(**columns), **facts)
