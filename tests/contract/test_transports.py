import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from brokers.clock import SystemClock
from brokers.wire.alpaca import Alpaca
from brokers.wire.http_aiohttp import Aiohttp
from brokers.wire.http_asgi import Asgi
from tests.brokers.alpaca_double import AlpacaDouble, keys
from tests.brokers.loopback import serving
from tests.brokers.timers import START_AT, TimerClock
from tests.contract.transport_suite import TransportSuite, market


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
