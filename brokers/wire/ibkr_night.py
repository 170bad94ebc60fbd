"""The window in which IB Gateway restarts and IB resets its servers, every night."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from brokers.errors import ConfigError

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Night:
    """A window of local time, the same every day; it may span midnight.

    Args:
        begin: wall time, such as 23:45.
        end: wall time; not that of `begin`.
        zone: by its name in the IANA database.

    Raises:
        ConfigError: no such time or zone, or a window without length.

    Source: IBKR, "System Status": North America resets from 23:45 to 00:45 New York.
    """

    begin: str = "23:45"
    end: str = "00:45"
    zone: str = "America/New_York"

    def __post_init__(self) -> None:
        try:
            is_empty = time.fromisoformat(self.begin) == time.fromisoformat(self.end)
            ZoneInfo(self.zone)
        except (ValueError, ZoneInfoNotFoundError):
            is_empty = True
        if is_empty:
            raise ConfigError(
                f"no window from {self.begin} to {self.end} {self.zone}: write two times such as "
                "23:45 and 00:45, and a zone such as America/New_York"
            )

    def __str__(self) -> str:
        return f"{self.begin} to {self.end} {self.zone}"

    def ends_at(self, at: datetime) -> datetime | None:
        """When the window that `at` lies in ends, in UTC; None outside of one."""
        return next((end for begin, end in self._around(at) if begin <= at < end), None)

    def next_at(self, at: datetime) -> datetime:
        """When the first window after `at` begins, in UTC."""
        return next(begin for begin, _ in self._around(at) if begin > at)

    def _around(self, at: datetime) -> list[tuple[datetime, datetime]]:
        """Yesterday's window and those of the next two days."""
        today = at.astimezone(ZoneInfo(self.zone)).date()
        first, last = time.fromisoformat(self.begin), time.fromisoformat(self.end)
        length_days = int(last < first)
        days = [today + number * _DAY for number in range(-1, 3)]
        return [
            (self._instant(day, first), self._instant(day + length_days * _DAY, last))
            for day in days
        ]

    def _instant(self, day: date, local: time) -> datetime:
        return datetime.combine(day, local, ZoneInfo(self.zone)).astimezone(UTC)
