"""Our own gateway on loopback, and the bars that come over it."""

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from brokers.clock import ManualClock, SystemClock
from brokers.wire.ibkr_access import Gateway
from feeds.alpaca_client import AlpacaData
from feeds.ibkr import IbkrBars
from feeds.ibkr_pacing import Unpaced
from feeds.passport import stamp
from feeds.timeframe import Timeframe
from live.paper.account import BacktraderRules
from live.paper.market import Market
from live.paper.matching import Matching
from live.paper.tws_api import Terms, TwsApi
from live.paper.venue import Venue

AT = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)


MINUTE = timedelta(minutes=1)


SECOND_S = int(AT.timestamp())


def frames(bars=40, timeframe="1m", start=AT, symbols=("AAPL",)):
    index = pd.date_range(start, periods=bars, freq="1min", name="time")
    close = 100 + 0.1 * np.arange(bars)
    columns = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 100.5}
    frame = pd.DataFrame(columns, index=index)
    words = {"source": "test", "timeframe": timeframe, "calendar": "XNYS"}
    return {symbol: stamp(frame.copy(), symbol=symbol, **words) for symbol in symbols}


class Stage:
    def __init__(self, api, venue, bars, outages):
        self.api, self.venue, self.bars, self.outages = api, venue, bars, outages

    async def step(self, times=1):
        for _ in range(times):
            step = self.venue.market.advance()
            await self.venue.match(step)
            await self.venue.send_bars(step)


@asynccontextmanager
async def staged(shown=10, timeframe="1m", symbols=("AAPL",), twins=(), **wanted):
    market = Market(frames(symbols=symbols))
    for _ in range(shown):
        market.advance()
    clock = ManualClock(market.at)
    venue = Venue(Matching(market.symbols, BacktraderRules()), market, clock)
    api = TwsApi(venue, clock, Terms(twins=twins))
    outages = []
    async with await asyncio.start_server(api.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bars = IbkrBars(
            Gateway(port=port, client_id=2),
            AlpacaData(timeframe=Timeframe(timeframe), **{"sentinel": None, **wanted}),
            clock=Pinned(venue),
            rng=random.Random(1),
            on_outage=outages.append,
            pace=Unpaced(),
        )
        yield Stage(api, venue, bars, outages)
        await bars.close()
        api.break_off()


class Pinned(SystemClock):
    """The machine's waits at the market's time of day."""

    def __init__(self, venue):
        self._venue = venue

    def now(self):
        return self._venue.at

    def until_s(self, at):
        return (at - self.now()).total_seconds()


def played(play, **how):
    async def run():
        async with asyncio.timeout(10), staged(**how) as stage:
            await play(stage)

    asyncio.run(run())


async def drained(bars, count):
    return [await anext(bars) for _ in range(count)]


async def wanted(stage):
    while not stage.api.data.is_wanted:  # noqa: ASYNC110  the gateway has no event for it
        await asyncio.sleep(0)
