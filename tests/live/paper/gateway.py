"""Our gateway on a loopback port, ten minutes into the day, and real clients of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ib_async import IB, Stock

from brokers.clock import ManualClock
from live.paper.account import BacktraderRules
from live.paper.faults import Fault, Plan
from live.paper.market import Market
from live.paper.matching import Matching
from live.paper.tws_api import Terms, TwsApi
from live.paper.venue import Venue
from tests.live.conformance.small_venue import WARM_UP, frames

LONGEST_S = 5.0
AAPL = Stock("AAPL", "SMART", "USD", conId=265598)


@dataclass
class Gateway:
    """The venue, its front, and the port."""

    venue: Venue
    api: TwsApi
    clock: ManualClock
    port: int

    async def step(self, times: int = 1) -> None:
        """Let minutes pass; prices rise by 0.1 in each."""
        for _ in range(times):
            step = self.venue.market.advance()
            assert step is not None
            await self.venue.match(step)
            await self.venue.send_bars(step)

    async def wait(self, wait_s: float) -> None:
        """Let seconds of the wires pass."""
        self.clock.sleep(wait_s)
        await self.venue.release()

    async def client(self, client_id: int = 1, **how: Any) -> IB:
        """A client that is connected."""
        ib = IB()
        await ib.connectAsync("127.0.0.1", self.port, clientId=client_id, **how)
        return ib


@asynccontextmanager
async def gateway(*faults: Fault, **terms: Any) -> AsyncIterator[Gateway]:
    """A gateway while the block runs.

    Args:
        faults: of its plan.
        terms: how it treats its clients.
    """
    market = Market(frames())
    for _ in range(WARM_UP):
        market.advance()
    clock = ManualClock(market.at)
    plan = Plan("test", faults)
    venue = Venue(Matching(market.symbols, BacktraderRules()), market, clock, plan=plan)
    api = TwsApi(venue, clock, Terms(**terms))
    async with await asyncio.start_server(api.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield Gateway(venue, api, clock, port)
        api.break_off()


def scene(play: Callable[[Gateway, IB], Awaitable[None]], *faults: Fault, **terms: Any) -> None:
    """Run a coroutine on a gateway with one client connected."""

    async def run() -> None:
        async with asyncio.timeout(LONGEST_S), gateway(*faults, **terms) as at:
            ib = await at.client()
            await play(at, ib)
            ib.disconnect()

    asyncio.run(run())


async def until(holds: Callable[[], Any]) -> None:
    """Let the loop run until something holds."""
    while not holds():  # noqa: ASYNC110  ib_async has no event for most of it
        await asyncio.sleep(0)


async def known(*trades: Any) -> None:
    """Wait until the gateway has them."""
    await until(lambda: all(trade.orderStatus.permId for trade in trades))
