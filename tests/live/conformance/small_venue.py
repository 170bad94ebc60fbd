"""A venue of two symbols with minute bars, in a process of its own, for real clients."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from feeds.passport import stamp
from live.paper.child import VenueProcess
from live.paper.spec import VenueSpec

KEY, SECRET = "PKSEAWALL0000000000", "seawall"
SYMBOLS = {"AAPL": 100.0, "MSFT": 200.0}
WARM_UP = 10


def frames(bars: int = 120) -> dict[str, pd.DataFrame]:
    """Prices that rise by 0.1 a minute, from 09:30 New York on 2 January 2024."""
    index = pd.date_range("2024-01-02 14:30", periods=bars, freq="1min", tz="UTC", name="time")
    found = {}
    for symbol, first in SYMBOLS.items():
        close = np.round(first + 0.1 * np.arange(bars), 2)
        columns = {
            "open": close - 0.05, "high": close + 0.5, "low": close - 0.5, "close": close,
            "volume": 1_000.0,
        }  # fmt: skip
        frame = pd.DataFrame(columns, index=index)
        found[symbol] = stamp(
            frame, symbol=symbol, source="synthetic", timeframe="1m", calendar="XNYS"
        )
    return found


def started(folder: Path, **how: Any) -> VenueProcess:
    """Start it in lock-step, ten bars into the day; nobody counts its calls."""
    spec = VenueSpec(**{"warm_up": WARM_UP, "calls_per_minute": 0, "account": "alpaca", **how})
    folder.mkdir()
    return VenueProcess(spec, frames(), folder)
