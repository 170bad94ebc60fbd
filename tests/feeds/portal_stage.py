"""Our own Client Portal on loopback, and the bars that come by it."""

import asyncio
import random
from contextlib import asynccontextmanager

from brokers.clock import ManualClock
from brokers.wire.portal import Portal
from brokers.wire.portal_access import PortalAccess
from brokers.wire.portal_pacing import Unpaced
from feeds.alpaca_client import AlpacaData
from feeds.portal import PortalBars
from feeds.timeframe import Timeframe
from live.paper.account import BacktraderRules
from live.paper.market import Market
from live.paper.matching import Matching
from live.paper.portal_api import PortalApi, Terms
from live.paper.venue import Venue
from tests.brokers.loopback import serving
from tests.contract.transport_suite import LONGEST_S, Watch
from tests.feeds.tws_stage import Pinned, frames


class Stage:
    def __init__(self, api, venue, bars, outages, clock):
        self.api, self.venue, self.bars, self.outages = api, venue, bars, outages
        self.clock = clock

    async def step(self, times=1):
        for _ in range(times):
            step = self.venue.market.advance()
            await self.venue.match(step)
            await self.venue.send_bars(step)


class Quick(Pinned):
    """Short waits, at the market's time of day and so long after it as the test says."""

    def __init__(self, venue):
        super().__init__(venue)
        self.ahead = None

    def now(self):
        return super().now() if self.ahead is None else super().now() + self.ahead

    async def wait(self, wait_s):
        await asyncio.sleep(wait_s if wait_s == LONG_S else min(wait_s / 1000, 0.01))


LONG_S = 10.0  # how long an answer may take


@asynccontextmanager
async def staged(shown=10, timeframe="1m", symbols=("AAPL",), is_paced=False, terms=None, **wanted):
    market = Market(frames(symbols=symbols))
    for _ in range(shown):
        market.advance()
    venue = Venue(Matching(market.symbols, BacktraderRules()), market, ManualClock(market.at))
    api = PortalApi(venue, ManualClock(market.at), terms or Terms(is_paced=False))
    outages, clock = [], Quick(venue)
    async with serving(api) as url:
        account = Portal(
            PortalAccess(url), clock=clock, rng=random.Random(1), pace=Unpaced(), timeout_s=LONG_S
        )
        try:
            bars = PortalBars(
                account,
                AlpacaData(timeframe=Timeframe(timeframe), **{"sentinel": None, **wanted}),
                clock=clock,
                on_outage=outages.append,
                is_paced=is_paced,
            )
            async with Watch(account):
                yield Stage(api, venue, bars, outages, clock)
            await bars.close()
        finally:
            await account.close()


def played(play, **how):
    async def run():
        async with asyncio.timeout(LONGEST_S), staged(**how) as stage:
            await play(stage)

    asyncio.run(run())
