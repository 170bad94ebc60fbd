"""How fast the Client Portal may be asked.

Source: Web API, "Pacing Limitations": ten requests a second through the gateway, and of some
kinds one in so many seconds. Who is faster is answered 429, and then not at all for a quarter of
an hour.
"""

from collections.abc import Mapping
from typing import Protocol

from brokers.clock import Clock
from brokers.wire.limiter import Limiter

ALL_CALLS, ALL_S = 9, 1.0  # of ten: calls travel at different speeds
ONE_IN_S: Mapping[str, float] = {
    "iserver/account/orders": 5.0,
    "iserver/account/trades": 5.0,
    "portfolio/accounts": 5.0,
    "tickle": 1.0,
}


class Turns(Protocol):
    """When the next request may leave."""

    async def turn(self, path: str) -> None:
        """Wait until a request of this path may leave."""


class Unpaced:
    """Our own gateway: nobody counts."""

    async def turn(self, path: str) -> None:
        """Do not wait."""


class Paced:
    """IBKR's own; one for all who share a login."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all = Limiter(ALL_CALLS, ALL_S, clock)
        self._own = {path: Limiter(1, span_s, clock) for path, span_s in ONE_IN_S.items()}

    async def turn(self, path: str) -> None:
        """Book the first instants that the rules allow, and wait for them."""
        for limiter in (self._own.get(path), self._all):
            if limiter is not None and (wait_s := limiter.reserve()):
                await self._clock.wait(wait_s)
