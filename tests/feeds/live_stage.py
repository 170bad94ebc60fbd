"""A stage for live feeds: bars that come by a script, and a strategy that says what it saw."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import backtrader as bt
import pandas as pd

from brokers.clock import Clock, ManualClock
from brokers.wire.transport import Reconnected, VenueBar
from feeds.barrier import Barrier
from feeds.frames import as_feed
from feeds.passport import stamp
from feeds.stream import live_feeds
from feeds.timeframe import Timeframe
from feeds.turns import Outage, Turn, Turns, warm_up

START = datetime(2024, 3, 7, 14, 30, tzinfo=UTC)
DOWN, UP = Outage(START, "no frame for 60 s"), Reconnected(START)
SYMBOLS = {count: [f"S{number:02}" for number in range(count)] for count in (1, 3, 50)}


def bar(symbol: str, minute: int, *, is_correction: bool = False) -> VenueBar:
    base = 100.0 + minute + sum(symbol.encode()) % 89 / 7
    start_at = START + timedelta(minutes=minute)
    values = (base, base + 0.3, base - 0.7, base + 0.1, 10.0 * minute)
    return VenueBar(symbol, start_at, *values, is_correction)


def bars(symbols: Sequence[str], minutes: Iterable[int]) -> list[VenueBar]:
    return [bar(symbol, minute) for minute in minutes for symbol in symbols]


def frame(symbol: str, minutes: Iterable[int], text: str = "1m") -> pd.DataFrame:
    found = [bar(symbol, minute) for minute in minutes]
    index = pd.DatetimeIndex([one.start_at for one in found], name="time")
    columns = ("open", "high", "low", "close", "volume")
    table = pd.DataFrame({c: [getattr(one, c) for one in found] for c in columns}, index=index)
    return stamp(table, symbol=symbol, source="test", timeframe=text)


class Script:
    """An inbox whose next items come whenever somebody waits; at its end, a call.

    Args:
        batches: what comes; a float is a wait in vain of so many seconds.
    """

    def __init__(self, batches: Iterable[Sequence[Any] | float], clock: ManualClock) -> None:
        self._batches = deque(batches)
        self._lane: list[Any] = []
        self._clock = clock
        self.at_end: Callable[[], None] = lambda: None
        self.waits: list[float] = []

    def drain(self) -> list[Any]:
        items, self._lane = self._lane, []
        return items

    def wait(self, timeout_s: float) -> bool:
        self.waits.append(timeout_s)
        if self._batches:
            batch = self._batches.popleft()
            if isinstance(batch, float):
                self._clock.sleep(batch)
                return False
            self._lane += batch
            return True
        self.at_end()
        return False


class Recorder(bt.Strategy):
    """What a strategy sees at each next(): of each feed its length, time and prices."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.statuses: list[tuple[int, str]] = []
        self.trace: list[Any] = self.env.trace

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        self.trace.append("next")
        self.seen.append([self.values(data) for data in self.datas])

    def values(self, data: Any) -> tuple[float, ...] | None:
        lines = ("datetime", "open", "high", "low", "close", "volume", "openinterest")
        return (len(data), *(getattr(data, line)[0] for line in lines)) if len(data) else None

    def notify_data(self, data: Any, status: int, *args: Any, **kwargs: Any) -> None:
        self.statuses.append((status, data._name))


def cerebro(feeds: Iterable[Any], trace: list[Any]) -> bt.Cerebro:
    engine = bt.Cerebro(stdstats=False, quicknotify=True)
    engine.trace = trace
    for feed in feeds:
        engine.adddata(feed)
    engine.addstrategy(Recorder)
    return engine


def turns_over(
    arrivals: Any,
    symbols: Sequence[str],
    clock: Clock,
    record: Callable[[Turn], None] | None = None,
    *,
    deadline_s: float = 2.0,
    **options: Any,
) -> Turns:
    """Turns of minutes, unless told otherwise."""
    barrier = Barrier(symbols, deadline_s, clock)
    options = {"timeframe": Timeframe("1m"), **options}
    return Turns(arrivals, barrier, record or [].append, **options)


def live_run(
    symbols: Sequence[str],
    batches: Iterable[Sequence[Any] | float],
    *,
    warm: Iterable[int] = range(1),
    deadline_s: float = 2.0,
    **options: Any,
) -> SimpleNamespace:
    """Run the batches through live feeds after a warm-up of some minutes."""
    clock = ManualClock(START)
    inbox = Script([[UP], *batches], clock)
    frames = {symbol: frame(symbol, warm) for symbol in symbols}
    trace: list[Any] = []
    dropped: list[Any] = []
    turns = turns_over(
        inbox,
        symbols,
        clock,
        trace.append,
        deadline_s=deadline_s,
        past=warm_up(frames),
        note=lambda arrival, late: dropped.append((arrival, late)),
        **options,
    )
    inbox.at_end = turns.finish
    engine = cerebro(live_feeds(turns, frames).values(), trace)
    (strategy,) = engine.run()
    return SimpleNamespace(
        seen=strategy.seen,
        statuses=strategy.statuses,
        trace=trace,
        dropped=dropped,
        waits=inbox.waits,
        turns=turns,
    )


def backtest(symbols: Sequence[str], minutes: dict[str, Sequence[int]] | range) -> list[Any]:
    """What the strategy sees when the same bars are frames."""
    held = minutes if isinstance(minutes, dict) else dict.fromkeys(symbols, minutes)
    feeds = [as_feed(frame(symbol, held[symbol])) for symbol in symbols]
    engine = cerebro(feeds, [])
    return engine.run(runonce=False, preload=False)[0].seen
