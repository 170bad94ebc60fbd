"""Sessions of an exchange, as exchange_calendars knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from feeds.timeframe import Timeframe

Day = str | date | pd.Timestamp


@dataclass(frozen=True)
class Gaps:
    """What a calendar says is missing from an index.

    Args:
        sessions: ISO dates of the sessions between first and last bar that have no bar.
        bars: intraday bars missing inside the sessions that have some.
    """

    sessions: tuple[str, ...] = ()
    bars: int = 0


def gaps(name: str, index: pd.DatetimeIndex, timeframe: Timeframe) -> Gaps:
    raise NotImplementedError
