"""The session's clock: the market's time of day, in which waiting still takes real seconds."""

from datetime import datetime, timedelta

from brokers.clock import Clock


class MarketClock:
    """Time as a venue has it that runs `speed` times as fast as ours.

    Only `now` is the market's: a request takes as long as it takes, however fast the days go by.

    Args:
        real: the machine's clock.
        at: the market's time now, aware.
        speed: market seconds in one real second.
    """

    def __init__(self, real: Clock, at: datetime, speed: float = 1.0) -> None:
        self._real = real
        self._at = at
        self._speed = speed
        self._since_s = real.monotonic()

    def now(self) -> datetime:
        """The market's instant, aware UTC."""
        return self._at + timedelta(seconds=(self.monotonic() - self._since_s) * self._speed)

    def monotonic(self) -> float:
        """Real seconds from an arbitrary start."""
        return self._real.monotonic()

    def sleep(self, wait_s: float) -> None:
        """Block for real seconds."""
        self._real.sleep(wait_s)

    async def wait(self, wait_s: float) -> None:
        """Suspend for real seconds."""
        await self._real.wait(wait_s)
