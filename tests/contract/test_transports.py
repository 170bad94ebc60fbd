import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from brokers.clock import SystemClock
from brokers.wire.alpaca import Alpaca
from brokers.wire.http_aiohttp import Aiohttp
from brokers.wire.http_asgi import Asgi
from brokers.wire.ibkr import Ibkr
from brokers.wire.ibkr_access import Gateway
from brokers.wire.portal import Portal
from brokers.wire.portal_access import PortalAccess
from brokers.wire.portal_pacing import Unpaced
from brokers.wire.transport import VenueBar
from feeds.passport import stamp
from live.paper.account import AlpacaRules, BacktraderRules
from live.paper.alpaca_api import AlpacaApi, Terms
from live.paper.alpaca_gate import Keys
from live.paper.market import Market, Step
from live.paper.matching import Matching
from live.paper.portal_api import PortalApi
from live.paper.portal_api import Terms as PortalTerms
from live.paper.portal_tls import identity
from live.paper.tws_api import TwsApi
from live.paper.venue import Venue
from tests.brokers.alpaca_double import KEY_ID, SECRET, AlpacaDouble, keys
from tests.brokers.loopback import serving
from tests.brokers.timers import START_AT, TimerClock
from tests.contract.orders import market
from tests.contract.transport_suite import TransportSuite


@dataclass
class DoubleStage:
    transport: Any
    double: AlpacaDouble
    since: datetime = START_AT - timedelta(days=1)

    async def trade(self, symbol, price):
        await self.double.trade(symbol, price)

    async def drop(self):
        await self.double.drop()


class TestAlpacaInMemory(TransportSuite):
    refused = market("r1", symbol="POOR")

    @asynccontextmanager
    async def stage(self):
        double, clock = AlpacaDouble(), TimerClock()
        http = Asgi(double.app, clock=clock, headers=keys().headers())
        alpaca = Alpaca(http, keys(), clock=clock, rng=random.Random(1))
        yield DoubleStage(alpaca, double)
        await alpaca.close()


class TestAlpacaOverLoopback(TransportSuite):
    refused = market("r1", symbol="POOR")

    @asynccontextmanager
    async def stage(self):
        double, clock = AlpacaDouble(), SystemClock()
        double.is_binary = False
        async with serving(double.app) as url:
            http = Aiohttp(url, clock=clock, headers=keys().headers())
            alpaca = Alpaca(http, keys(), clock=clock, rng=random.Random(1), where=url)
            yield DoubleStage(alpaca, double)
            await alpaca.close()


OPENED_AT = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)  # 10:00 in New York, a Monday
MINUTE = timedelta(minutes=1)


@dataclass
class PaperStage:
    transport: Any
    venue: Venue
    at: datetime = OPENED_AT + MINUTE
    since: datetime = OPENED_AT - timedelta(days=1)

    async def trade(self, symbol, price):
        bar = VenueBar(symbol, self.at, price, price, price, price, 100.0)
        self.at += MINUTE
        self.venue.move(self.at)
        await self.venue.match(Step(self.at, {symbol: bar}))

    async def drop(self):
        await self.venue.updates.drop()


def paper_market(rules, clock, plan=None):
    """Our own venue after one minute of AAPL at 100."""
    prices = {name: [100.0] for name in ("open", "high", "low", "close", "volume")}
    frame = pd.DataFrame(prices, index=pd.DatetimeIndex([OPENED_AT], name="time"))
    bars = stamp(frame, symbol="AAPL", source="test", adjustment="raw", timeframe="1m")
    market = Market({"AAPL": bars})
    market.advance()
    return Venue(Matching(["AAPL"], rules), market, clock, plan=plan)


def paper_venue(rules, clock, plan=None):
    """Our own venue, and its front that speaks Alpaca."""
    venue = paper_market(rules, clock, plan)
    return venue, AlpacaApi(venue, Keys(KEY_ID, SECRET), clock, Terms(tells_calls=False))


class TestPaperVenueInMemory(TransportSuite):
    rules = BacktraderRules

    @asynccontextmanager
    async def stage(self):
        clock = TimerClock()
        venue, app = paper_venue(self.rules(), clock)
        http = Asgi(app, clock=clock, headers=keys().headers())
        alpaca = Alpaca(http, keys(), clock=clock, rng=random.Random(1))
        yield PaperStage(alpaca, venue)
        await alpaca.close()


class TestPaperVenueWithAlpacaRules(TestPaperVenueInMemory):
    rules = AlpacaRules


class TestPaperVenueOverLoopback(TransportSuite):
    @asynccontextmanager
    async def stage(self):
        clock = SystemClock()
        venue, app = paper_venue(AlpacaRules(), clock)
        async with serving(app) as url:
            http = Aiohttp(url, clock=clock, headers=keys().headers())
            alpaca = Alpaca(http, keys(), clock=clock, rng=random.Random(1), where=url)
            yield PaperStage(alpaca, venue)
            await alpaca.close()


class TestIbGatewayOverLoopback(TransportSuite):
    @asynccontextmanager
    async def stage(self):
        clock = SystemClock()
        venue = paper_market(BacktraderRules(), clock)
        api = TwsApi(venue, clock)
        async with await asyncio.start_server(api.serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            ibkr = Ibkr(Gateway(port=port), clock=clock, rng=random.Random(1))
            yield PaperStage(ibkr, venue)
            await ibkr.close()
            api.break_off()


class TestClientPortalOverLoopback(TransportSuite):
    @asynccontextmanager
    async def stage(self):
        clock = SystemClock()
        venue = paper_market(BacktraderRules(), clock)
        app = PortalApi(venue, clock, PortalTerms(is_paced=False))
        with identity("localhost") as shown:
            served = serving(app, ssl_context_factory=lambda _config, _default: shown.context)
            async with served as url:
                access = PortalAccess(
                    url.replace("http:", "https:"), certificate=str(shown.authority)
                )
                portal = Portal(access, clock=clock, rng=random.Random(1), pace=Unpaced())
                yield PaperStage(portal, venue)
                await portal.close()
