"""The one place where time is read and where anything sleeps."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time as the rest of the code may know it."""

    def now(self) -> datetime:
        """The instant, aware UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never runs backwards."""

    def sleep(self, wait_s: float) -> None:
        """Block the calling thread for `wait_s` seconds."""

    async def wait(self, wait_s: float) -> None:
        """Suspend the calling coroutine for `wait_s` seconds."""

    def until_s(self, at: datetime) -> float:
        """Seconds to wait until `now()` is `at`; 0 or less when it is past."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The instant, aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never runs backwards."""
        return time.monotonic()

    def sleep(self, wait_s: float) -> None:
        """Block the calling thread for `wait_s` seconds."""
        time.sleep(wait_s)

    async def wait(self, wait_s: float) -> None:
        """Suspend the calling coroutine for `wait_s` seconds."""
        await asyncio.sleep(wait_s)

    def until_s(self, at: datetime) -> float:
        """Seconds to wait until `now()` is `at`; 0 or less when it is past."""
        return (at - self.now()).total_seconds()


class ManualClock:
    """Time that moves only when something sleeps, or when it is told to.

    Args:
        start_at: the first instant, aware.
    """

    def __init__(self, start_at: datetime) -> None:
        self._start_at = start_at.astimezone(UTC)
        self._elapsed_s = 0.0

    def now(self) -> datetime:
        """The instant, aware UTC."""
        return self._start_at + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        """Seconds since `start_at`."""
        return self._elapsed_s

    def sleep(self, wait_s: float) -> None:
        """Move on by `wait_s` seconds at once."""
        self._elapsed_s += max(wait_s, 0.0)

    async def wait(self, wait_s: float) -> None:
        """Move on by `wait_s` seconds at once, after letting others run."""
        await asyncio.sleep(0)
        self.sleep(wait_s)

    def until_s(self, at: datetime) -> float:
        """Seconds to wait until `now()` is `at`; 0 or less when it is past."""
        return (at - self.now()).total_seconds()
