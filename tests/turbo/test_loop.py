"""The flat loop against stock's: what a strategy sees at every turn, and what is left."""

from datetime import timedelta

import backtrader as bt
import pandas as pd
import pytest

from backtest.turbo import Cerebro
from tests.turbo.stage import Recorder, after, bars, exact, feed, run, same

DAY = timedelta(days=1)
HOURLY = {"timeframe": bt.TimeFrame.Minutes, "compression": 60}


class Trader(Recorder):
    """Indicators on every feed, one clocked by the strategy itself; orders of several kinds."""

    def build(self):
        self.means = [bt.ind.SMA(data, period=5) for data in self.datas]
        self.cross = bt.ind.CrossOver(self.data.close, self.means[0])
        self.level = bt.ind.CrossOver(bt.ind.RSI(self.data.close, period=4), 50.0)

    def act(self):
        turn = len(self)
        for number, data in enumerate(self.datas):
            if turn % 7 == number:
                self.buy(data=data, size=3 + number)
            elif turn % 11 == number and self.getposition(data).size:
                self.close(data=data)
            if turn % 13 == number:
                until = data.datetime.datetime() + 3 * DAY
                price = data.close[0] * 1.01
                self.sell(data=data, size=2, exectype=bt.Order.Limit, price=price, valid=until)


def costly(cerebro):
    cerebro.broker.setcommission(0.001)


FEEDS = {
    "one": lambda: [feed(bars(60))],
    "same calendar": lambda: [feed(bars(60, seed)) for seed in range(3)],
    "different lengths": lambda: [
        feed(bars(60)), feed(bars(40, 1)), feed(bars(80, 2, start="2019-12-20")),
    ],
    "different calendars": lambda: [
        feed(bars(60)), feed(bars(60, 1).iloc[::2]), feed(bars(60, 2).iloc[1::3]),
    ],
    "minutes and days": lambda: [feed(bars(200, freq="1h"), **HOURLY), feed(bars(9, 1))],
    "days and minutes": lambda: [feed(bars(9, 1)), feed(bars(200, freq="1h"), **HOURLY)],
    "no time in common": lambda: [feed(bars(40)), feed(bars(40, 1, start="2021-01-01"))],
}  # fmt: skip


@pytest.mark.parametrize("stdstats", [True, False])
@pytest.mark.parametrize("feeds", FEEDS.values(), ids=FEEDS)
def test_every_turn_is_as_in_stock(feeds, stdstats):
    turbo = same(Trader, feeds, costly, stdstats=stdstats)
    assert turbo.explain().is_fast
    assert not [path for path in turbo.explain() if path.reason]


class Blind(Recorder):
    """Never looks at anything."""

    def note(self, word):
        self.seen.append(word)


def test_a_strategy_that_never_asks_for_the_time_is_left_with_all_times():
    same(Blind, FEEDS["different calendars"])


def test_feeds_are_used_again_by_the_next_run():
    feeds = FEEDS["different calendars"]()
    _, first = run(Cerebro, Trader, feeds, costly)
    _, second = run(Cerebro, Trader, feeds, costly)
    assert second.seen == first.seen


def test_stock_runs_in_the_same_process_as_before():
    _, before = run(bt.Cerebro, Trader, FEEDS["one"](), costly)
    feeds = FEEDS["one"]()
    run(Cerebro, Trader, feeds, costly)
    for again in (feeds, FEEDS["one"]()):
        _, stock = run(bt.Cerebro, Trader, again, costly)
        assert stock.seen == before.seen
        assert after(stock) == after(before)


class Stopping(Trader):
    """Stops the run: in next, or when an order has been filled."""

    params = {"where": "next"}

    def act(self):
        super().act()
        if self.p.where == "next" and len(self) == 20:
            self.cerebro.runstop()

    def notify_order(self, order):
        super().notify_order(order)
        if self.p.where == "notify" and order.status == order.Completed:
            self.cerebro.runstop()


class StoppingScheme(bt.CommissionInfo):
    """Stops the run while the broker fills an order."""

    def confirmexec(self, size, price):
        self.p.cerebro.runstop()

    params = (("cerebro", None), ("commission", 0.0))


@pytest.mark.parametrize("where", ["next", "notify"])
def test_run_stopped_by_its_strategy_ends_as_in_stock(where):
    left = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro = cerebro_class()
        for data in FEEDS["different calendars"]():
            cerebro.adddata(data)
        cerebro.addstrategy(Stopping, where=where)
        [ran] = cerebro.run()
        left.append((ran.seen, after(ran)))
    assert left[0] == left[1]
    assert len(left[0][0]) > 3


def test_run_stopped_while_the_broker_works_ends_as_in_stock():
    def setup(cerebro):
        cerebro.broker.addcommissioninfo(StoppingScheme(cerebro=cerebro))

    assert same(Trader, FEEDS["one"], setup).explain().is_fast


class Rewinding(Trader):
    """Moves a feed by hand, which nobody should: it shows the same bar again."""

    def act(self):
        super().act()
        if len(self) == 15:
            self.data.rewind()


@pytest.mark.parametrize("feeds", ["one", "different calendars"])
def test_line_moved_by_hand_hands_the_run_back_to_stock(feeds):
    turbo = same(Rewinding, FEEDS[feeds], costly)
    assert turbo.explain().is_fast


class ReadingTicks(Recorder):
    def act(self):
        names = ("open", "high", "low", "close", "volume", "last")
        self.seen.append([getattr(self.data1, f"tick_{name}") for name in names])
        self.seen.append([hasattr(self.data, name) for name in ("tick_datetime", "tick_", "other")])


@pytest.mark.parametrize("feeds", ["same calendar", "different calendars"])
def test_tick_prices_are_there_for_those_who_read_them(feeds):
    assert same(ReadingTicks, FEEDS[feeds]).explain().is_fast


class Reading(Recorder):
    """Reads lines in every way there is."""

    def act(self):
        close = self.data.close
        self.seen.append([close[-1], list(close.get(size=3)), list(close.get(ago=-1, size=2))])
        self.seen.append([close.idx, close.lencount, close.buflen(), len(self.data)])
        self.seen.append([self.data.datetime.date().isoformat(), self.data.close > self.data.open])
        self.data.volume[0] = 7.0

    def nextstart(self):
        """Wait for the bars that `act` looks back on."""

    def build(self):
        bt.ind.SMA(period=4)


def test_lines_are_read_and_written_as_in_stock():
    assert same(Reading, FEEDS["same calendar"]).explain().is_fast


class Raising(Recorder):
    def act(self):
        if len(self) == 9:
            raise LookupError("out of ideas")


def test_error_of_a_strategy_leaves_lines_and_broker_as_stock_s_own():
    cerebro = Cerebro()
    data = feed(bars(30))
    cerebro.adddata(data)
    cerebro.addstrategy(Raising)
    with pytest.raises(LookupError):
        cerebro.run()
    assert type(data.close) is bt.linebuffer.LineBuffer
    assert type(cerebro.broker) is bt.brokers.BackBroker
    assert len(data) == 9


class Changing(Recorder):
    """Exchanges its own `next` on the way."""

    def act(self):
        if len(self) == 5:
            self.next = self.other

    def other(self):
        self.note("other")


def test_next_exchanged_during_the_run_is_called():
    assert same(Changing, FEEDS["one"]).explain().is_fast


def test_strategy_without_bars_enough_never_leaves_prenext():
    turbo = same(Trader, lambda: [feed(bars(60)), feed(bars(5, 1))], costly)
    assert turbo.explain().is_fast


def test_optstrategy_runs_each_set():
    values = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro = cerebro_class()
        cerebro.adddata(feed(bars(60)))
        cerebro.optstrategy(Stopping, where=["next", "never"])
        runs = cerebro.run(maxcpus=1, optreturn=False)
        values.append([one[0].seen for one in runs])
    assert values[0] == values[1]
    assert cerebro.explain().is_fast


def test_run_without_feeds_is_none():
    cerebro = Cerebro()
    assert cerebro.run() == []
    assert str(cerebro.explain()) == "nothing was run yet"


def test_times_that_repeat_take_stock_s_loop():
    index = pd.DatetimeIndex(["2020-01-01", *pd.date_range("2020-01-01", periods=29)])
    turbo = same(Trader, lambda: [feed(bars(30).set_index(index))], costly)
    assert "the times of a feed do not increase" in str(turbo.explain())


class Clumsy(bt.CommissionInfo):
    """Rewinds the feed while the broker fills an order on it."""

    params = (("feed", None), ("commission", 0.0), ("done", False))

    def confirmexec(self, size, price):
        if not self.p.done:
            self.p.done = True
            self.p.feed.rewind()


def test_line_moved_while_the_broker_works_hands_the_run_back_to_stock():
    def setup(cerebro):
        cerebro.broker.addcommissioninfo(Clumsy(feed=cerebro.datas[0]))

    assert same(Trader, FEEDS["one"], setup).explain().is_fast


class Recounting(Trader):
    def act(self):
        super().act()
        if len(self) == 15:
            self.data.volume.lencount = 3


def test_line_recounted_by_hand_hands_the_run_back_to_stock():
    assert same(Recounting, FEEDS["one"]).explain().is_fast


class Binding(Recorder):
    """Writes a line that another is bound to."""

    def build(self):
        self.copy = bt.linebuffer.LineBuffer()
        self.mean = bt.ind.SMA(period=3)
        self.mean.lines[0].addbinding(self.copy)

    def start(self):
        self.copy.array.extend([0.0] * 60)

    def act(self):
        self.copy.idx = len(self) - 1
        self.mean.lines[0][0] = 5.0
        self.seen.append([self.copy[0], self.mean[0]])


def test_bound_lines_are_written_as_in_stock():
    assert same(Binding, FEEDS["one"], stdstats=False).explain().is_fast


@pytest.mark.parametrize("stdstats", [True, False])
def test_feed_without_bars_never_moves(stdstats):
    feeds = [lambda: [feed(bars(0)), feed(bars(9))], lambda: [feed(bars(9)), feed(bars(0))]]
    for make in feeds:
        assert same(Recorder, make, stdstats=stdstats).explain().is_fast


def test_no_bars_at_all_are_no_turns():
    for cerebro_class in (bt.Cerebro, Cerebro):
        _, ran = run(cerebro_class, Recorder, [feed(bars(0))])
        assert ran.seen == []
        assert len(ran) == 0


class Naming(Recorder):
    """Reads lines by their names; has a feed's name for something else."""

    def build(self):
        self.bands = bt.ind.BollingerBands(self.data, period=4)
        self.data1.low = "taken"

    def act(self):
        self.seen.append(exact([self.bands.top[0], self.bands.mid[-1], self.data.low[0]]))
        self.seen.append([self.data1.low, self.data.l.close is self.data.close])
        if len(self) == 9:
            self.data.volume = "changed"


def test_lines_are_found_by_name_and_objects_are_left_as_in_stock():
    left = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        _, ran = run(cerebro_class, Naming, FEEDS["same calendar"]())
        left.append(
            [ran.seen, *(sorted(vars(it)) for it in (*ran.datas, ran.bands, ran.bands.lines))]
        )
    assert left[0] == left[1]
