"""Lines that grow when they are read: whoever looks, whenever, sees what Backtrader shows."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import backtrader as bt
import pandas as pd
import pytest
from backtrader.linebuffer import LinesOperation
from hypothesis import given
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.wire.transport import VenueBar
from feeds.passport import stamp
from feeds.stream import live_feeds
from feeds.turns import warm_up
from live.loop import LiveCerebro
from tests.feeds.live_stage import START, UP, Script, turns_over
from tests.live.test_loop import inside, lines_of

NAMES, PAST, MINUTES = "ABC", 6, 40
ACCESSES: Mapping[str, Callable[[Any, int], Any]] = {
    "newest": lambda line, _: line[0],
    "earlier": lambda line, bars: line[-bars],
    "length": lambda line, _: (len(line), line.buflen(), line.lencount),
    "place": lambda line, _: (line.idx, line.get_idx(), line._idx),
    "some": lambda line, bars: list(line.get(ago=-bars, size=bars + 1)),
    "first ones": lambda line, bars: list(line.getzero(idx=bars, size=3)),
    "first": lambda line, bars: line.getzeroval(bars),
    "range": lambda line, bars: list(line.plotrange(bars, bars + 4)),
    "plot": lambda line, _: list(line.plot()),
    "array": lambda line, _: list(line.array),
    "raw time": lambda line, bars: line.tm_raw(-bars),
    "set": lambda line, bars: line.__setitem__(-bars, 101.0),
    "set by name": lambda line, bars: line.set(102.0, ago=-bars),
}
READS = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(sorted(ACCESSES)), st.integers(0, 4)),
    max_size=4,
)
PLANS = st.lists(READS, min_size=3, max_size=7)
PRICES = st.lists(st.sampled_from([99.0, 100.0, 100.1, 103.7]), min_size=20, max_size=20)
MISSING = st.sets(st.tuples(st.sampled_from(NAMES), st.integers(PAST, MINUTES - 1)), max_size=8)
RESTS = st.lists(st.sampled_from([0, 1, 3, 120]), min_size=5, max_size=5)


class Twice(bt.Indicator):
    """A line that two computations set; the later one counts."""

    lines = ("twice",)

    def __init__(self) -> None:
        self.lines.twice = self.data.close + 1.0
        self.lines.twice = self.data.close + 2.0


class Mixed(bt.Indicator):
    """A line that computations of two kinds set; the later one counts."""

    lines = ("mixed",)

    def __init__(self) -> None:
        self.lines.mixed = bt.ind.SMA(self.data, period=2)
        self.lines.mixed = self.data.close + 2.0


class Doubled(LinesOperation):
    """An operation that is read in a way of its own."""

    def __getitem__(self, ago: int) -> Any:
        return 2 * super().__getitem__(ago)


class Reads(bt.Strategy):
    """Looks at lines as a plan says, at every call; the lines are counted over all there are."""

    params = (("plan", ((),)),)

    def __init__(self) -> None:
        self.seen: list[Any] = []
        for data in self.datas:
            bt.ind.CrossOver(bt.ind.SMA(data, period=2), bt.ind.EMA(data, period=4))
            bt.ind.MACDHisto(data, period_me1=2, period_me2=4, period_signal=2)
            bt.ind.SMA(bt.ind.SMA(data, period=2)(-2), period=3)
            2.0 / (data.close - data.low(-1) + 50.0)
            bt.Max(data.close, data.open(-3), 100.0)
            bt.ind.Highest(bt.ind.EMA(data, period=3), period=3)
            Twice(data)
            bt.ind.SMA(Twice(data), period=2)
            bt.ind.SMA(Mixed(data), period=2)
            Doubled(data.close, 1.0, operator.add)

    def look(self, kind: str) -> None:
        lines = [line for one in (*self.datas, *inside(self)) for line in one.lines]
        plan = self.p.plan[len(self) % len(self.p.plan)]
        for number, name, bars in plan:
            try:
                found = ACCESSES[name](lines[number % len(lines)], bars)
            except IndexError:
                found = "nothing there"
            self.seen.append((kind, len(self), name, repr(found)))

    def prenext(self) -> None:
        self.look("prenext")

    def next(self) -> None:
        self.look("next")
        if len(self) % 5 == 0:
            self.buy(self.datas[len(self) % 3], size=1)

    def notify_order(self, order: Any) -> None:
        self.look(order.getstatusname())


def run_of(
    engine: bt.Cerebro,
    plan: Sequence[Sequence[tuple[int, str, int]]],
    prices: Sequence[float],
    missing: set[tuple[str, int]] = frozenset(),  # type: ignore[assignment]
    rests: Sequence[int] = (0,),
    minutes: int = MINUTES,
) -> Any:
    """A strategy's run over three live feeds; between minutes so many waits in vain."""

    def bar(name: str, minute: int) -> VenueBar:
        close = prices[(minute * 7 + ord(name)) % len(prices)]
        start_at = START + timedelta(minutes=minute)
        return VenueBar(name, start_at, close + 0.1, close + 0.4, close - 0.7, close, 5.0 * minute)

    def past(name: str) -> pd.DataFrame:
        bars = [bar(name, minute) for minute in range(PAST)]
        columns = ("open", "high", "low", "close", "volume")
        index = pd.DatetimeIndex([one.start_at for one in bars], name="time")
        table = pd.DataFrame({c: [getattr(one, c) for one in bars] for c in columns}, index=index)
        return stamp(table, symbol=name, source="test", timeframe="1m")

    clock, batches = ManualClock(START), []
    for minute in range(PAST, minutes):
        batches += [[bar(name, minute)] for name in NAMES if (name, minute) not in missing]
        batches += [0.0001] * rests[minute % len(rests)]
    inbox = Script([[UP], *batches, 2.0, 2.0], clock)
    held = {name: past(name) for name in NAMES}
    turns = turns_over(inbox, list(NAMES), clock, past=warm_up(held))
    inbox.at_end = turns.finish
    for feed in live_feeds(turns, held).values():
        engine.adddata(feed)
    engine.addstrategy(Reads, plan=plan)
    return engine.run()[0]


def assert_alike(ours: Any, stock: Any) -> None:
    """The first difference alone is told: there are thousands of numbers."""
    pairs = [
        *zip(ours.seen, stock.seen, strict=True),
        *zip(lines_of(ours), lines_of(stock), strict=True),
    ]
    assert next((pair for pair in pairs if repr(pair[0]) != repr(pair[1])), None) is None


@given(PLANS, PRICES, MISSING, RESTS)
def test_whoever_reads_a_line_sees_what_backtraders_shows(plan, prices, missing, rests):
    ours, stock = (
        run_of(kind(stdstats=False), plan, prices, missing, rests)
        for kind in (LiveCerebro, bt.Cerebro)
    )
    assert_alike(ours, stock)


def every(access: str, *numbers: int) -> list[list[tuple[int, str, int]]]:
    """A plan that looks at these lines in this way in every call."""
    return [[(number, access, 1) for number in numbers]]


@pytest.mark.parametrize("access", sorted(ACCESSES))
def test_each_way_to_look_at_each_line_shows_what_backtraders_does(access):
    prices = [100.0, 101.0, 99.5, 100.0, 103.7]
    ours, stock = (
        run_of(kind(stdstats=False), every(access, *range(160)), prices, rests=(0, 0, 3))
        for kind in (LiveCerebro, bt.Cerebro)
    )
    assert_alike(ours, stock)


@pytest.mark.parametrize("rests", [(0,), (1,), (200,)])
def test_lines_that_nobody_reads_are_whole_at_the_end(rests):
    prices = [100.0, 101.0, 99.5, 100.0, 100.0]
    ours, stock = (
        run_of(kind(stdstats=False), [()], prices, rests=rests, minutes=150)
        for kind in (LiveCerebro, bt.Cerebro)
    )
    assert_alike(ours, stock)


def test_lines_are_whole_after_a_rest_though_nobody_read_them():
    ours = run_of(LiveCerebro(stdstats=False), [()], [100.0, 101.0, 99.5], rests=(200,))
    lines = [line for one in (*ours.datas, *inside(ours)) for line in one.lines]
    assert {len(vars(line)["array"]) for line in lines} == {MINUTES}
