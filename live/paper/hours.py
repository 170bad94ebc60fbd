"""When a venue is open, from an exchange calendar."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from feeds import calendars

ALWAYS = "24/7"


class Hours:
    """Sessions of a calendar by its opens and closes; a lunch break counts as open.

    Args:
        calendar: such as XNYS; by default always open, with sessions from midnight to midnight.

    Raises:
        ConfigError: no such calendar.
    """

    def __init__(self, calendar: str = ALWAYS) -> None:
        self.calendar = calendar
        self.zone = ZoneInfo(calendars.zone(calendar))
        known = calendars.schedule(calendar)
        self._opens, self._closes = (
            pd.DatetimeIndex(known["open"]),
            pd.DatetimeIndex(known["close"]),
        )

    def is_open(self, at: datetime) -> bool:
        """Whether a session has begun and not ended."""
        return self.open_of(at) <= at

    def trades(self, at: datetime) -> bool:
        """Whether a bar that ended at `at` lies in a session; its last one ends with it."""
        row = int(self._closes.searchsorted(pd.Timestamp(at)))
        return bool(self._opens[row] < at)

    def open_of(self, at: datetime) -> datetime:
        """The open of the first session that ends after `at`; past when it is running."""
        return self._instant(self._opens[self._row(at)])

    def close_of(self, at: datetime) -> datetime:
        """The close of the first session that ends after `at`."""
        return self._instant(self._closes[self._row(at)])

    def close_before(self, at: datetime) -> datetime:
        """The last close before `at`, or at it."""
        return self._instant(self._closes[self._row(at) - 1])

    def next_open(self, at: datetime) -> datetime:
        """The first open after `at`."""
        row = int(self._opens.searchsorted(pd.Timestamp(at), side="right"))
        return self._instant(self._opens[row])

    def sessions(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Open and close of every session that opens in [start, end)."""
        first, after = self._opens.searchsorted(np.array([pd.Timestamp(start), pd.Timestamp(end)]))
        spans = zip(self._opens[first:after], self._closes[first:after], strict=True)
        return [(self._instant(opened), self._instant(closed)) for opened, closed in spans]

    def _row(self, at: datetime) -> int:
        return int(self._closes.searchsorted(pd.Timestamp(at), side="right"))

    @staticmethod
    def _instant(stamp: pd.Timestamp) -> datetime:
        return stamp.to_pydatetime().astimezone(UTC)
