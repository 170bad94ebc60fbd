"""The session's clock: the market's time of day, in which waiting still takes real seconds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from brokers.clock import Clock


class SessionClock(Clock, Protocol):
    """The clock of a session, which is told of its bars."""

    def follow(self, at: datetime) -> None:
        """Note that a bar ended at `at`; from Cerebro's thread."""


class MarketClock:
    """Time as a venue has it that runs `speed` times as fast as ours.

    Only `now` is the market's: a request takes as long as it takes, however fast the days go by.
    A venue that skips nights is followed bar by bar: time goes on from the newest bar's end, and
    waits a bar later for the next one. Daily bars, which nobody streams, are not waited for: from
    one close to the next such a venue takes no longer than a day, and then it is the next close.

    Args:
        real: the machine's clock.
        at: the market's time now, aware.
        speed: market seconds in one real second.
        bar: span of the bars that it is followed by; None: it is not followed.
        close_after: the first close after an instant, of a venue that has daily bars.
    """

    def __init__(
        self,
        real: Clock,
        at: datetime,
        speed: float = 1.0,
        bar: timedelta | None = None,
        close_after: Callable[[datetime], datetime] | None = None,
    ) -> None:
        self._real = real
        self._speed = speed
        self._bar = bar
        self._close_after = close_after
        self._known = (at.astimezone(UTC), real.monotonic())

    def follow(self, at: datetime) -> None:
        """Note that a bar ended at `at`; from Cerebro's thread."""
        if self._bar is not None and (self._close_after is None or at > self.now()):
            self._known = (max(at, self._known[0]), self.monotonic())

    def now(self) -> datetime:
        """The market's instant, aware UTC."""
        at, since_s = self._known
        gone = timedelta(seconds=(self.monotonic() - since_s) * self._speed)
        if self._bar is None:
            return at + gone
        if self._close_after is None:
            return at + min(gone, self._bar)
        while gone >= (lasts := min(self._close_after(at) - at, self._bar)):
            at, gone = self._close_after(at), gone - lasts
        return at + gone

    def until_s(self, at: datetime) -> float:
        """Real seconds until it is `at`, if all goes well; 0 or less when it is past."""
        now, passed = self.now(), timedelta()
        if self._bar is not None and self._close_after is not None:
            while (close_at := self._close_after(now)) <= at:
                now, passed = close_at, passed + min(close_at - now, self._bar)
        return (passed + (at - now)).total_seconds() / self._speed

    def monotonic(self) -> float:
        """Real seconds from an arbitrary start."""
        return self._real.monotonic()

    def sleep(self, wait_s: float) -> None:
        """Block for real seconds."""
        self._real.sleep(wait_s)

    async def wait(self, wait_s: float) -> None:
        """Suspend for real seconds."""
        await self._real.wait(wait_s)
