"""A session's clock that somebody else moves, from another process; for several threads."""

import asyncio
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from threading import Condition

Timer = tuple[float, int, asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class DrivenClock:
    """A `Clock`, and the session's market clock too: its instant is given with each move.

    Args:
        now: the first instant, aware.
    """

    def __init__(self, now: datetime) -> None:
        self._moved = Condition()
        self._now = now.astimezone(UTC)
        self._elapsed_s = 0.0
        self._timers: list[Timer] = []
        self._numbers = count()

    def now(self) -> datetime:
        """The market's instant, aware UTC."""
        return self._now

    def follow(self, at: datetime) -> None:
        """As `live.market_clock.MarketClock`; whoever drives knows the bars."""

    def monotonic(self) -> float:
        """Seconds that it was moved."""
        return self._elapsed_s

    def sleep(self, wait_s: float) -> None:
        """Block until it was moved on by `wait_s` seconds."""
        with self._moved:
            due_s = self._elapsed_s + wait_s
            self._moved.wait_for(lambda: self._elapsed_s >= due_s)

    async def wait(self, wait_s: float) -> None:
        """Suspend until it was moved on by `wait_s` seconds."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        with self._moved:
            due_s = self._elapsed_s + max(wait_s, 0.0)
            heappush(self._timers, (due_s, next(self._numbers), loop, woken))
        if wait_s <= 0:
            self.move(0.0, self._now)
        await woken

    def until_s(self, at: datetime) -> float:
        """Seconds to wait until `now()` is `at`; 0 or less when it is past."""
        return (at - self.now()).total_seconds()

    @property
    def due_s(self) -> float | None:
        """In how many seconds the next one wakes; None: nobody waits."""
        with self._moved:
            while self._timers and self._timers[0][3].done():
                heappop(self._timers)
            return self._timers[0][0] - self._elapsed_s if self._timers else None

    def move(self, wait_s: float, now: datetime) -> None:
        """Move on, and wake who is due; from any thread."""
        with self._moved:
            self._elapsed_s += wait_s
            self._now = max(self._now, now)
            due = []
            while self._timers and self._timers[0][0] <= self._elapsed_s + 1e-9:
                due.append(heappop(self._timers))
            self._moved.notify_all()
        for _, _, loop, woken in due:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, woken)


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


def later(now: datetime, wait_s: float, ceiling: datetime | None) -> datetime:
    """The instant after some seconds, not beyond `ceiling`."""
    at = now + timedelta(seconds=wait_s)
    return at if ceiling is None else max(now, min(at, ceiling))
