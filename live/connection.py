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
from brokers.wire.ibkr_contracts import Contracts
from brokers.wire.limiter import Limiter
from brokers.wire.portal import Portal
from brokers.wire.portal_access import PortalAccess
from brokers.wire.portal_pacing import Paced
from brokers.wire.portal_pacing import Unpaced as PortalUnpaced
from brokers.wire.resilient import Resilient
from brokers.wire.transport import Transport
from feeds.alpaca import AlpacaBars
from feeds.alpaca_client import CALENDAR, AlpacaData
from feeds.ibkr import IbkrBars
from feeds.ibkr_pacing import Unpaced
from feeds.portal import PortalBars
from live.exchange import AlpacaExchange, Exchange, IbkrExchange
from live.paper.hours import Hours
from live.settings import WireSection
from live.venues import Access

Bars = AlpacaBars | IbkrBars | PortalBars
Made = tuple[Transport, Exchange, Bars]

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
    if access.gateway is not None:
        made = _by_gateway(access, access.gateway, wire, data, clock, rng, on_outage)
    elif access.portal is not None:
        made = _by_portal(access, access.portal, wire, data, clock, rng, on_outage)
    else:
        made = _by_alpaca(access, wire, data, clock, rng, on_outage)
    direct, exchange, bars = made
    account = Resilient(
        direct,
        limiter=Limiter(wire.calls_a_minute, MINUTE_S, clock, order_calls=wire.order_calls),
        backoff=Backoff(wire.backoff_first_s, wire.backoff_cap_s, wire.backoff_deadline_s),
        breaker=breaker,
        clock=clock,
        rng=rng,
    )
    return Connection(account, direct, bars, exchange, breaker)


def _by_alpaca(
    access: Access,
    wire: WireSection,
    data: AlpacaData,
    clock: Clock,
    rng: random.Random,
    on_outage: Callable[[str], None],
) -> Made:
    headers = access.keys.headers()
    http = access.http(access.trading, clock=clock, headers=headers, connections=CONNECTIONS)
    account = Alpaca(
        http, access.keys, clock=clock, rng=rng, where=access.where, timeout_s=wire.timeout_s
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
    return account, AlpacaExchange(http, access.where), bars


def _by_gateway(
    access: Access,
    gateway: Gateway,
    wire: WireSection,
    data: AlpacaData,
    clock: Clock,
    rng: random.Random,
    on_outage: Callable[[str], None],
) -> Made:
    """The bars have a connection of their own, as the client after the account's."""
    known, timeout_s = Contracts(), wire.timeout_s
    account = Ibkr(gateway, clock=clock, rng=rng, timeout_s=timeout_s, contracts=known)
    pace = Unpaced() if access.is_ours else None
    own = replace(gateway, client_id=gateway.client_id + 1)
    bars = IbkrBars(
        own, data, clock=clock, rng=rng, on_outage=on_outage, pace=pace, contracts=known
    )
    return account, IbkrExchange(account, Hours(CALENDAR)), bars


def _by_portal(
    access: Access,
    portal: PortalAccess,
    wire: WireSection,
    data: AlpacaData,
    clock: Clock,
    rng: random.Random,
    on_outage: Callable[[str], None],
) -> Made:
    """The bars use the account's login."""
    pace = PortalUnpaced() if access.is_ours else Paced(clock)
    account = Portal(portal, clock=clock, rng=rng, pace=pace, timeout_s=wire.timeout_s)
    is_paced = not access.is_ours
    bars = PortalBars(account, data, clock=clock, on_outage=on_outage, is_paced=is_paced)
    return account, IbkrExchange(account, Hours(CALENDAR)), bars


def _noted(failures: tuple[Failure, ...]) -> None:
    """The breaker's own state says it; the session asks for that every turn."""
