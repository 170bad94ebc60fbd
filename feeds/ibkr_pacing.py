"""IBKR's rules for how fast history may be asked for.

Source: TWS API, "Historical Data Limitations": 60 requests in ten minutes, the same one not again
within 15 seconds, fewer than six of one contract within two. They bind strictly for bars of 30
seconds and less; they are kept for all, since the penalty is the connection.
"""

from collections import defaultdict, deque
from typing import Protocol

from brokers.clock import Clock

IN_ALL, SPAN_S = 60, 600.0
SAME_S = 15.0
OF_ONE, ONE_S = 5, 2.0


class Pace(Protocol):
    """When the next request may leave."""

    async def turn(self, symbol: str, request: str) -> None:
        """Wait until this request may leave; `request` tells it from others of the symbol."""


class Unpaced:
    """Our own gateway: nobody counts."""

    async def turn(self, symbol: str, request: str) -> None:
        """Do not wait."""


class Paced:
    """IB's own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: deque[float] = deque(maxlen=IN_ALL)
        self._of_one: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=OF_ONE))
        self._same: dict[tuple[str, str], float] = {}

    async def turn(self, symbol: str, request: str) -> None:
        """Book the first instant that all three rules allow, and wait for it."""
        at_s = max(
            self._clock.monotonic(),
            self._after(self._all, SPAN_S),
            self._after(self._of_one[symbol], ONE_S),
            self._same.get((symbol, request), -SAME_S) + SAME_S,
        )
        self._all.append(at_s)
        self._of_one[symbol].append(at_s)
        self._same[symbol, request] = at_s
        if (wait_s := at_s - self._clock.monotonic()) > 0:
            await self._clock.wait(wait_s)

    @staticmethod
    def _after(times: deque[float], span_s: float) -> float:
        """When the oldest of as many as are allowed at once is long enough ago."""
        return times[0] + span_s if len(times) == times.maxlen else 0.0
