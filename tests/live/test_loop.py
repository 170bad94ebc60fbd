"""The session's Cerebro beside Backtrader's own: the same calls and values, to the last bit."""

from collections.abc import Callable, Iterable, Sequence
from datetime import time
from typing import Any

import backtrader as bt
import pytest
from backtrader.lineiterator import LineIterator

from brokers.clock import ManualClock
from feeds.stream import live_feeds
from feeds.turns import warm_up
from live.loop import LiveCerebro
from tests.feeds.live_stage import DOWN, START, UP, Script, bar, frame, turns_over

EVERY = {name: range(45) for name in "ABC"}
GAPS = {"A": [*range(40)], "B": [*range(0, 45, 2)], "C": [m for m in range(3, 45) if m % 7]}


class Counted(bt.Indicator):
    """Counts its calls, each kind by itself."""

    lines = ("prenexts", "starts", "nexts")
    params = (("period", 5),)

    def __init__(self) -> None:
        self.addminperiod(self.p.period)
        self.counts = [0, 0, 0]

    def prenext(self) -> None:
        self.count(0)

    def nextstart(self) -> None:
        self.count(1)

    def next(self) -> None:
        self.count(2)

    def count(self, kind: int) -> None:
        self.counts[kind] += 1
        for line, value in zip(self.lines, self.counts, strict=True):
            line[0] = value


class OwnClock(bt.Indicator):
    """Overrides what Backtrader calls at each bar."""

    lines = ("calls",)

    def _next(self) -> None:
        super()._next()
        if len(self):
            self.lines.calls[0] = 1.0


class Rebound(bt.ind.Average):
    """Chooses its computation when it is made."""

    params = (("period", 3),)

    def __init__(self) -> None:
        super().__init__()
        self.next = self.lowest

    def lowest(self) -> None:
        self.line[0] = min(self.data.get(size=3))


class Everything(bt.Strategy):
    """Indicators of many kinds over each feed, nested and bound; every call is noted."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        for data in self.datas:
            bt.ind.CrossOver(bt.ind.SMA(data, period=3), bt.ind.EMA(data, period=5))
            bt.ind.MACDHisto(data, period_me1=3, period_me2=6, period_signal=4)
            bt.ind.BollingerBands(data, period=4)
            bt.ind.HeikinAshi(data)
            bt.ind.PSAR(data)
            bt.ind.RSI_Safe(data, period=4)
            Counted(data)
            OwnClock(data)
            1.0 - (data.close - data.low(-2)) / 2.0
            bt.And(data.close > data.open, data.close > 101.5)
            bt.Max(data.close, 105.0)
            bt.LineNum(3.0)
            data.datetime > time(14, 45)  # noqa: B015  a line is made
            Rebound(data)
        bt.ind.Highest(self.data.high - self.data.low, period=2)

    def prenext(self) -> None:
        self.note("prenext")

    def nextstart(self) -> None:
        self.note("nextstart")

    def next(self) -> None:
        self.note("next")

    def note(self, kind: str) -> None:
        self.calls.append((kind, len(self), [len(data) for data in self.datas]))

    def notify_data(self, data: Any, status: int, *args: Any, **kwargs: Any) -> None:
        self.calls.append((data._name, status))

    def notify_cashvalue(self, cash: float, value: float) -> None:
        self.calls.append((cash, value))


class Pair(Everything):
    """Computes across feeds, and into a line of its own."""

    lines = ("spread",)

    def __init__(self) -> None:
        super().__init__()
        bt.ind.CrossOver(bt.ind.SMA(self.data0, period=2), self.data1.low)
        self.lines.spread = self.data0.close - self.data1.close


class OwnNext(Everything):
    """Overrides what Cerebro calls at each bar."""

    def _next(self) -> None:
        self.calls.append("_next")
        super()._next()


def played(
    engine: bt.Cerebro,
    minutes: dict[str, Iterable[int]],
    kinds: Sequence[type[bt.Strategy]] = (Everything,),
    prepare: Callable[[bt.Cerebro], object] = lambda _: None,
) -> list[Any]:
    """Run live feeds through an engine: what each strategy noted, and all lines."""
    symbols, clock = list(minutes), ManualClock(START)
    ticks = sorted((minute, name) for name in symbols for minute in minutes[name] if minute > 9)
    batches = [[bar(name, minute)] for minute, name in ticks]
    inbox = Script([[UP], *batches[:40], [DOWN], 0.25, [UP], *batches[40:], 2.0, 2.0], clock)
    held = {name: frame(name, [m for m in minutes[name] if m <= 9]) for name in symbols}
    turns = turns_over(inbox, symbols, clock, past=warm_up(held))
    inbox.at_end = turns.finish
    for feed in live_feeds(turns, held).values():
        engine.adddata(feed)
    for kind in kinds:
        engine.addstrategy(kind)
    prepare(engine)
    return [(strategy.calls, lines_of(strategy)) for strategy in engine.run()]


def lines_of(owner: Any) -> list[Any]:
    """Content and length of every line of a strategy, its feeds and its indicators."""
    found = []
    for member in (owner, *owner.datas, *inside(owner)):
        lines = member.lines if hasattr(member, "lines") else [member]
        found += [(type(member).__name__, len(line), repr(list(line.array))) for line in lines]
    return found


def inside(owner: Any) -> Iterable[Any]:
    for kind in (LineIterator.IndType, LineIterator.ObsType):
        for member in owner._lineiterators[kind]:
            yield member
            if hasattr(member, "_lineiterators"):
                yield from inside(member)


@pytest.mark.parametrize("kinds", [(Everything,), (OwnNext,), (Everything, Everything)])
@pytest.mark.parametrize("minutes", [EVERY, GAPS, {"A": range(30)}], ids=["every", "gaps", "one"])
def test_strategies_see_what_backtraders_own_loop_shows(minutes, kinds):
    options = {"stdstats": False, "quicknotify": True}
    ours = played(LiveCerebro(**options), minutes, kinds)
    assert ours == played(bt.Cerebro(**options), minutes, kinds)
    assert [call[0] for call in ours[0][0]].count("next") > 10


def test_indicators_across_feeds_are_backtraders():
    ours = played(LiveCerebro(stdstats=False), EVERY, [Pair])
    assert ours == played(bt.Cerebro(stdstats=False), EVERY, [Pair])


def test_observers_and_analyzers_work():
    def watched(engine: bt.Cerebro) -> None:
        engine.addobserver(bt.observers.Broker)
        engine.addanalyzer(bt.analyzers.TimeReturn, timeframe=bt.TimeFrame.Days)

    ours = played(LiveCerebro(stdstats=False), EVERY, prepare=watched)
    assert ours == played(bt.Cerebro(stdstats=False), EVERY, prepare=watched)


@pytest.mark.parametrize(
    "unusual",
    [
        lambda engine: engine.resampledata(
            engine.datas[0], timeframe=bt.TimeFrame.Minutes, compression=5
        ),
        lambda engine: engine.add_timer(bt.timer.SESSION_START),
        lambda engine: engine.addwriter(bt.WriterFile, out="/dev/null"),
        lambda engine: engine.datas[0].addfilter(bt.filters.HeikinAshi),
    ],
    ids=["resampled", "timer", "writer", "filter"],
)
def test_what_only_backtraders_loop_knows_goes_through_it(unusual):
    ours = played(LiveCerebro(stdstats=False), EVERY, prepare=unusual)
    assert ours == played(bt.Cerebro(stdstats=False), EVERY, prepare=unusual)


def test_the_tick_of_a_feed_is_its_bar():
    class Ticks(bt.Strategy):
        calls = ()

        def next(self) -> None:
            data = self.data
            ticks = [getattr(data, f"tick_{line}") for line in data.getlinealiases()[:-1]]
            lines = [getattr(data, line)[0] for line in data.getlinealiases()[:-1]]
            self.env.told.append((ticks, data.tick_last) == (lines, lines[0]))

    engine = LiveCerebro(stdstats=False)
    engine.told = []
    played(engine, {"A": range(15)}, [Ticks])
    assert engine.told == [True] * 15


@pytest.mark.parametrize("where", ["notify_data", "notify_order", "next"])
def test_a_run_that_is_stopped_ends_there(where):
    class Stops(Everything):
        def next(self) -> None:
            super().next()
            if where == "notify_order" and len(self) == 20:
                self.buy()
            if where == "next" and len(self) == 20:
                self.env.runstop()

        def notify_order(self, order: Any) -> None:
            self.calls.append(order.getstatusname())
            self.env.runstop()

        def notify_data(self, data: Any, status: int, *args: Any, **kwargs: Any) -> None:
            super().notify_data(data, status)
            if where == "notify_data" and status == data.LIVE:
                self.env.runstop()

    kinds = (Stops, Everything)
    ours = played(LiveCerebro(stdstats=False, quicknotify=True), EVERY, kinds)
    assert ours == played(bt.Cerebro(stdstats=False, quicknotify=True), EVERY, kinds)


@pytest.mark.parametrize("options", [{"exactbars": 1}, {"cheat_on_open": True}])
def test_what_is_unusual_of_cerebro_goes_through_its_own_loop(options):
    ours = played(LiveCerebro(stdstats=False, **options), EVERY)
    assert ours == played(bt.Cerebro(stdstats=False, **options), EVERY)


def test_a_store_may_stop_the_run():
    def stopping(engine: bt.Cerebro) -> None:
        class Store:
            rounds = 0

            def get_notifications(self) -> tuple[()]:
                self.rounds += 1
                if self.rounds == 30:
                    engine.runstop()
                return ()

            start = stop = get_notifications

        engine.addstore(Store())

    ours = played(LiveCerebro(stdstats=False), EVERY, prepare=stopping)
    assert 10 < sum(call[0] == "next" for call in ours[0][0]) < 30
    assert ours == played(bt.Cerebro(stdstats=False), EVERY, prepare=stopping)
