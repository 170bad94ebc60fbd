"""From the last bar of a minute in the inbox to next(): the goal is 3 ms with 50 feeds."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from threading import Thread

import backtrader as bt
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from brokers.clock import SystemClock
from brokers.inbox import Inbox
from brokers.wire.transport import Reconnected, VenueBar
from feeds.barrier import Barrier
from feeds.passport import stamp
from feeds.stream import live_feeds
from feeds.timeframe import Timeframe
from feeds.turns import Turns, warm_up

START = datetime(2024, 3, 7, 14, 30, tzinfo=UTC)
WARM_UP = 40  # minutes


class Crosses(bt.Strategy):
    """Two means and their crossing for each feed; tells of each next()."""

    params = (("tell", None),)

    def __init__(self) -> None:
        for data in self.datas:
            fast, slow = bt.ind.SMA(data, period=10), bt.ind.SMA(data, period=30)
            bt.ind.CrossOver(fast, slow)

    def next(self) -> None:
        self.p.tell(len(self))


def bar(symbol: str, minute: int) -> VenueBar:
    price = 100.0 + minute % 7
    return VenueBar(symbol, START + timedelta(minutes=minute), price, price, price, price, 1.0)


def history(symbol: str) -> pd.DataFrame:
    index = pd.date_range(START, periods=WARM_UP, freq="min", name="time")
    columns = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame(dict.fromkeys(columns, 100.0), index=index)
    return stamp(frame, symbol=symbol, source="synthetic", timeframe="1m")


class Session:
    """A strategy that runs in a thread of its own and waits for bars."""

    def __init__(self, count: int) -> None:
        self.symbols = [f"S{number:02}" for number in range(count)]
        self.lane = Inbox().lane("bars")
        self.nexts: SimpleQueue[int] = SimpleQueue()
        frames = {symbol: history(symbol) for symbol in self.symbols}
        barrier = Barrier(self.symbols, 60.0, SystemClock())
        self.turns = Turns(
            self.lane, barrier, lambda _: None, timeframe=Timeframe("1m"), past=warm_up(frames)
        )
        engine = bt.Cerebro(stdstats=False, quicknotify=True)
        for feed in live_feeds(self.turns, frames).values():
            engine.adddata(feed)
        engine.addstrategy(Crosses, tell=self.nexts.put)
        self._thread = Thread(target=engine.run)
        self._thread.start()
        while self.nexts.get() < WARM_UP:
            pass
        self._minute = WARM_UP

    def close(self) -> None:
        self.turns.finish()
        self._thread.join()

    def prepare(self) -> tuple[tuple[Callable[[], None]], dict[str, object]]:
        """All bars of the next minute but the last are in; the last one is to be put."""
        *others, last = (bar(symbol, self._minute) for symbol in self.symbols)
        self._minute += 1
        for one in (Reconnected(START), *others):
            self.lane.put(one)
        return (lambda: self.lane.put(last),), {}

    def turn(self, put_last: Callable[[], None]) -> None:
        put_last()
        self.nexts.get()


@pytest.mark.parametrize("feeds", [1, 50])
def test_last_bar_to_next(benchmark: BenchmarkFixture, feeds: int) -> None:
    with closing(Session(feeds)) as session:
        benchmark.pedantic(session.turn, setup=session.prepare, rounds=1000)
