"""The wires of one session: account, bars, and what stands round them; made on the store's loop."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from brokers.clock import Clock
from brokers.wire.alpaca import Alpaca
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Breaker, Failure
from brokers.wire.http import Http
from brokers.wire.limiter import Limiter
from brokers.wire.resilient import Resilient
from feeds.alpaca import AlpacaBars
from feeds.alpaca_client import AlpacaData
from live.settings import WireSection
from live.venues import Access

MINUTE_S = 60.0
CONNECTIONS = 80  # opened as they are needed: orders on their way, and what is asked beside them


@dataclass(frozen=True, slots=True)
class Connection:
    """What one event loop has of a venue.

    Args:
        account: behind limiter, back-off and breaker.
        direct: the same account without them, for the last cancels of a session.
        bars: past and live.
        http: the trading host, for what no transport tells (clock, calendar, assets).
    """

    account: Resilient
    direct: Alpaca
    bars: AlpacaBars
    http: Http
    breaker: Breaker

    async def close(self) -> None:
        """End all of it."""
        await self.bars.close()
        await self.account.close()


def connect(
    access: Access,
    wire: WireSection,
    data: AlpacaData,
    clock: Clock,
    rng: random.Random,
    *,
    on_outage: Callable[[str], None] = lambda _: None,
) -> Connection:
    """Make the wires; to be called on the event loop that will use them.

    Args:
        on_outage: told, on the loop, why live bars do not come.
    """
    headers = access.keys.headers()
    http = access.http(access.trading, clock=clock, headers=headers, connections=CONNECTIONS)
    breaker = Breaker(clock, _noted)
    direct = Alpaca(
        http, access.keys, clock=clock, rng=rng, where=access.where, timeout_s=wire.timeout_s
    )
    account = Resilient(
        direct,
        limiter=Limiter(wire.calls_a_minute, MINUTE_S, clock, order_calls=wire.order_calls),
        backoff=Backoff(wire.backoff_first_s, wire.backoff_cap_s, wire.backoff_deadline_s),
        breaker=breaker,
        clock=clock,
        rng=rng,
    )
    bars = AlpacaBars(
        access.http(access.data, clock=clock, headers=headers),
        access.http(access.stream, clock=clock, headers=headers),
        access.keys,
        data,
        clock=clock,
        rng=rng,
        on_outage=on_outage,
    )
    return Connection(account, direct, bars, http, breaker)


def _noted(failures: tuple[Failure, ...]) -> None:
    """The breaker's own state says it; the session asks for that every turn."""
