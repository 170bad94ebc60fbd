"""The wires of one session: account, bars, and what stands round them; made on the store's loop."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from brokers.clock import Clock
from brokers.wire.alpaca import Alpaca
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Breaker, Failure
from brokers.wire.ibkr import Ibkr
from brokers.wire.ibkr_access import Gateway
from brokers.wire.limiter import Limiter
from brokers.wire.resilient import Resilient
from brokers.wire.transport import Transport
from feeds.alpaca import AlpacaBars
from feeds.alpaca_client import CALENDAR, AlpacaData
from feeds.ibkr import IbkrBars
from feeds.ibkr_pacing import Unpaced
from live.exchange import AlpacaExchange, Exchange, IbkrExchange
from live.paper.hours import Hours
from live.settings import WireSection
from live.venues import Access

Bars = AlpacaBars | IbkrBars

MINUTE_S = 60.0
CONNECTIONS = 80  # opened as they are needed: orders on their way, and what is asked beside them


@dataclass(frozen=True, slots=True)
class Connection:
    """What one event loop has of a venue.

    Args:
        account: behind limiter, back-off and breaker.
        direct: the same account without them, for the last cancels of a session.
        bars: past and live.
        exchange: what no transport tells (clock, calendar, assets).
    """

    account: Resilient
    direct: Transport
    bars: Bars
    exchange: Exchange
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
    breaker = Breaker(clock, _noted)
    direct: Transport
    if access.gateway is not None:
        direct = ibkr = Ibkr(access.gateway, clock=clock, rng=rng, timeout_s=wire.timeout_s)
        exchange: Exchange = IbkrExchange(ibkr, Hours(CALENDAR))
        bars: Bars = _bars_of_gateway(access, access.gateway, data, clock, rng, on_outage)
    else:
        headers = access.keys.headers()
        http = access.http(access.trading, clock=clock, headers=headers, connections=CONNECTIONS)
        direct = Alpaca(
            http, access.keys, clock=clock, rng=rng, where=access.where, timeout_s=wire.timeout_s
        )
        exchange = AlpacaExchange(http, access.where)
        bars = _bars_of_alpaca(access, data, clock, rng, on_outage)
    account = Resilient(
        direct,
        limiter=Limiter(wire.calls_a_minute, MINUTE_S, clock, order_calls=wire.order_calls),
        backoff=Backoff(wire.backoff_first_s, wire.backoff_cap_s, wire.backoff_deadline_s),
        breaker=breaker,
        clock=clock,
        rng=rng,
    )
    return Connection(account, direct, bars, exchange, breaker)


def _bars_of_alpaca(
    access: Access,
    data: AlpacaData,
    clock: Clock,
    rng: random.Random,
    on_outage: Callable[[str], None],
) -> AlpacaBars:
    headers = access.keys.headers()
    return AlpacaBars(
        access.http(access.data, clock=clock, headers=headers),
        access.http(access.stream, clock=clock, headers=headers),
        access.keys,
        data,
        clock=clock,
        rng=rng,
        on_outage=on_outage,
    )


def _bars_of_gateway(
    access: Access,
    gateway: Gateway,
    data: AlpacaData,
    clock: Clock,
    rng: random.Random,
    on_outage: Callable[[str], None],
) -> IbkrBars:
    """The bars' own connection, as the client after the account's."""
    pace = Unpaced() if access.is_ours else None
    own = replace(gateway, client_id=gateway.client_id + 1)
    return IbkrBars(own, data, clock=clock, rng=rng, on_outage=on_outage, pace=pace)


def _noted(failures: tuple[Failure, ...]) -> None:
    """The breaker's own state says it; the session asks for that every turn."""
