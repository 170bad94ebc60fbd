import asyncio
import random
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from brokers.clock import ManualClock, SystemClock
from brokers.errors import ConfigError, DataError
from brokers.wire.ibkr_access import Gateway
from brokers.wire.transport import Reconnected, VenueBar
from feeds.alpaca_client import AlpacaData
from feeds.ibkr import IbkrBars
from feeds.ibkr_minutes import Minutes
from feeds.ibkr_pacing import Paced, Unpaced
from feeds.passport import stamp
from feeds.timeframe import Timeframe
from live.paper.account import BacktraderRules
from live.paper.market import Market
from live.paper.matching import Matching
from live.paper.tws_api import TwsApi
from live.paper.venue import Venue

AT = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND_S = int(AT.timestamp())


def frames(bars=40, timeframe="1m", start=AT):
    index = pd.date_range(start, periods=bars, freq="1min", name="time")
    close = 100 + 0.1 * np.arange(bars)
    columns = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 100.5}
    frame = pd.DataFrame(columns, index=index)
    return {
        "AAPL": stamp(frame, symbol="AAPL", source="test", timeframe=timeframe, calendar="XNYS")
    }


class Stage:
    def __init__(self, api, venue, bars):
        self.api, self.venue, self.bars = api, venue, bars

    async def step(self, times=1):
        for _ in range(times):
            step = self.venue.market.advance()
            await self.venue.match(step)
            await self.venue.send_bars(step)


@asynccontextmanager
async def staged(shown=10, timeframe="1m", **wanted):
    market = Market(frames())
    for _ in range(shown):
        market.advance()
    clock = ManualClock(market.at)
    venue = Venue(Matching(market.symbols, BacktraderRules()), market, clock)
    api = TwsApi(venue, clock)
    outages = []
    async with await asyncio.start_server(api.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bars = IbkrBars(
            Gateway(port=port, client_id=2),
            AlpacaData(timeframe=Timeframe(timeframe), sentinel=None, **wanted),
            clock=Pinned(venue),
            rng=random.Random(1),
            on_outage=outages.append,
            pace=Unpaced(),
        )
        yield Stage(api, venue, bars)
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


async def wanted(stage):
    while not stage.api.data.is_wanted:  # noqa: ASYNC110  the gateway has no event for it
        await asyncio.sleep(0)


def slices(minute, first=0, last=12, price=100.0):
    start_s = SECOND_S + 60 * minute
    return [
        (start_s + 5 * n, (price, price + n, price - n, price), 10.0) for n in range(first, last)
    ]


def test_minute_is_given_with_its_last_five_seconds():
    minutes = Minutes("AAPL")
    given = [minutes.add(*part) for part in slices(0)]
    assert given[:-1] == [[]] * 11
    assert given[-1] == [VenueBar("AAPL", AT, 100.0, 111.0, 89.0, 100.0, 120.0)]


def test_minute_without_its_last_slice_is_given_with_the_next_one_s_first():
    minutes = Minutes("AAPL")
    for part in slices(0, last=7):
        assert minutes.add(*part) == []
    (bar,) = minutes.add(*slices(1)[0])
    assert (bar.start_at, bar.volume) == (AT, 70.0)


def test_minute_that_was_joined_in_its_middle_is_left_to_history():
    minutes = Minutes("AAPL")
    assert [bar for part in slices(0, first=4) for bar in minutes.add(*part)] == []
    assert [bar.start_at for part in slices(1) for bar in minutes.add(*part)] == [AT + MINUTE]


def test_slice_without_trades_adds_no_negative_volume():
    minutes = Minutes("AAPL")
    parts = [(at, prices, -1.0) for at, prices, _ in slices(0)]
    (bar,) = [bar for part in parts for bar in minutes.add(*part)]
    assert bar.volume == 0.0


@pytest.mark.parametrize(
    ("requests", "waited_s"),
    [
        ([("A", "1"), ("A", "1")], 15.0),  # the same again
        ([("A", str(n)) for n in range(6)], 2.0),  # a sixth of one contract
        ([(str(n), "1") for n in range(61)], 600.0),  # the 61st in ten minutes
        ([(str(n), "1") for n in range(60)], 0.0),
    ],
)
def test_pace_keeps_each_of_ib_s_rules(requests, waited_s):
    clock = ManualClock(AT)

    async def run():
        pace = Paced(clock)
        for symbol, request in requests:
            await pace.turn(symbol, request)

    asyncio.run(run())
    assert clock.monotonic() == waited_s


def test_history_is_of_finished_bars_in_the_range_asked():
    async def play(stage):
        found = await stage.bars.history(["AAPL"], AT + 2 * MINUTE, AT + 60 * MINUTE, "1m")
        starts = [bar.start_at for bar in found["AAPL"]]
        assert starts == [AT + n * MINUTE for n in range(2, 10)]
        assert found["AAPL"][0].close == 100.2

    played(play)


def test_unknown_symbol_is_an_error_that_names_it():
    async def play(stage):
        with pytest.raises(DataError, match="no contract for NOSUCH"):
            await stage.bars.history(["NOSUCH"], AT, AT + MINUTE, "1m")

    played(play)


def test_live_minutes_are_those_of_the_market_to_the_last_bit():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(anext(bars))
            await wanted(stage)
            await stage.step()
            assert await coming == stage.venue.market.newest("AAPL")

    played(play)


def test_gap_of_a_broken_connection_is_fetched_once():
    async def play(stage):
        seen = []
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            async for item in bars:
                seen.append(item)
                if len(seen) == 1:
                    await wanted(stage)
                    await stage.step()
                if len(seen) == 2:
                    stage.api.break_off()
                    await stage.step(3)
                if isinstance(item, VenueBar) and item.start_at == AT + 13 * MINUTE:
                    break
        starts = [item.start_at for item in seen if isinstance(item, VenueBar)]
        assert starts == [AT + n * MINUTE for n in range(10, 14)]
        assert sum(isinstance(item, Reconnected) for item in seen) == 2

    played(play)


def test_bars_since_the_warm_up_come_first():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            found = [await anext(bars) for _ in range(3)]
        assert [bar.start_at for bar in found[1:]] == [AT + 8 * MINUTE, AT + 9 * MINUTE]

    played(play, since=AT + 8 * MINUTE)


def test_five_minutes_are_gathered_from_live_minutes():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(anext(bars))
            await wanted(stage)
            await stage.step(5)
            bar = await coming
        assert (bar.start_at, bar.open, bar.close) == (AT + 10 * MINUTE, 101.0, 101.4)

    played(play, timeframe="5m")


def test_daily_bar_comes_from_history_after_the_close():
    async def play(stage):
        found = await stage.bars.history(["AAPL"], AT - timedelta(days=1), AT, "1d")
        assert found["AAPL"] == ()  # the session has not closed
        stage.venue.move(datetime(2024, 3, 4, 21, 5, tzinfo=UTC))
        start = datetime(2024, 3, 4, 5, tzinfo=UTC)  # midnight in New York
        found = await stage.bars.history(["AAPL"], start, stage.venue.at, "1d")
        assert [bar.start_at for bar in found["AAPL"]] == [start]

    played(play)


def test_longer_than_days_is_refused():
    with pytest.raises(ConfigError, match="live bars are 1m, 5m"):
        played(lambda stage: None, timeframe="1w")
