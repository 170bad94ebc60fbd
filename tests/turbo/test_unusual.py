"""Runs that are left to stock, each with its reason and with stock's results."""

from datetime import datetime

import backtrader as bt
import pytest

from backtest.turbo import Cerebro
from tests.turbo.stage import Recorder, bars, exact, feed, run, same
from tests.turbo.test_loop import Trader, costly


def reason(cerebro: Cerebro) -> str:
    [found] = [path.reason for path in cerebro.explain() if path.part == "loop"]
    return found


def one():
    return [feed(bars(60))]


OPTIONS = {
    "cheat_on_open": "cheat_on_open is on",
    "quicknotify": "quicknotify is on",
    "oldsync": "oldsync is on",
    "exactbars": "bar by bar",
    "live": "bar by bar",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_option_of_cerebro_that_only_stock_plays(option):
    assert OPTIONS[option] in reason(same(Trader, one, costly, **{option: True}, stdstats=False))


@pytest.mark.parametrize("option", ["runonce", "preload"])
def test_option_switched_off_that_only_stock_plays(option):
    assert "bar by bar" in reason(same(Trader, one, costly, **{option: False}, stdstats=False))


def test_oldsync_bar_by_bar_is_stock_s():
    turbo = same(Trader, one, costly, oldsync=True, runonce=False, stdstats=False)
    assert "oldsync" in reason(turbo)


def test_several_strategies_are_stock_s():
    left = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro = cerebro_class()
        cerebro.adddata(feed(bars(40)))
        cerebro.addstrategy(Trader)
        cerebro.addstrategy(Recorder)
        left.append([ran.seen for ran in cerebro.run()])
    assert left[0] == left[1]
    assert reason(cerebro) == "there are 2 strategies"


def test_skipped_strategy_leaves_nothing_to_play():
    class Skipped(bt.Strategy):
        def __init__(self):
            raise bt.errors.StrategySkipError

    cerebro = Cerebro()
    cerebro.adddata(feed(bars(10)))
    cerebro.addstrategy(Skipped)
    assert cerebro.run() == []


class Timed(Recorder):
    params = {"cheat": False}

    def start(self):
        self.add_timer(bt.timer.SESSION_START, cheat=self.p.cheat)

    def notify_timer(self, timer, when, *args, **kwargs):
        self.seen.append(["timer", len(self), when.isoformat()])


@pytest.mark.parametrize("cheat", [True, False])
def test_timers_are_stock_s(cheat):
    class Chosen(Timed):
        params = {"cheat": cheat}

    assert reason(same(Chosen, one)) == "there are timers"


def test_writers_are_stock_s(tmp_path):
    written = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        path = tmp_path / cerebro_class.__module__
        run(
            cerebro_class,
            Trader,
            one(),
            lambda cerebro, path=path: cerebro.addwriter(bt.WriterFile, csv=True, out=str(path)),
        )
        written.append(path.read_text())
    assert written[0] == written[1] != ""


class OwnInternals(Trader):
    def _notify(self, qorders=[], qtrades=[]):  # noqa: B006  Backtrader's own signature
        super()._notify(qorders, qtrades)


class OwnLine(Trader):
    lines = ("signal",)


class Planted(Trader):
    def start(self):
        self.clear = self.cleared

    def cleared(self):
        bt.Strategy.clear(self)


class OwnCerebro(Cerebro):
    def _brokernotify(self):
        super()._brokernotify()


class PartOfAnother(Recorder):
    """An indicator of a part of another: stock never moves it."""

    def build(self):
        self.bands = bt.ind.BollingerBands(self.data, period=5)
        inner = self.bands.getindicators()[0]
        self.mean = bt.ind.SMA(inner, period=3)


class Coupled(Recorder):
    def build(self):
        self.slow = bt.ind.SMA(self.data1, period=2)()


class Lagging(bt.Indicator):
    lines = ("it",)

    def next(self):
        self.line[0] = self.data[0]

    def advance(self, size=1):
        super().advance(size)


class WithLagging(Recorder):
    def build(self):
        Lagging(self.data)


STRATEGIES = {
    OwnInternals: "OwnInternals has its own _notify",
    OwnLine: "the strategy has lines of its own",
    Planted: "Planted has its own clear",
    PartOfAnother: "a part of another indicator clocks SMA",
    WithLagging: "Lagging has its own advance",
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_with_internals_of_its_own_is_stock_s(strategy):
    assert reason(same(strategy, one, costly)) == STRATEGIES[strategy]


def test_signal_strategy_of_backtrader_s_own_is_as_in_stock():
    ends = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro = cerebro_class()
        cerebro.adddata(feed(bars(90)))
        cerebro.add_signal(bt.SIGNAL_LONGSHORT, Above)
        cerebro.run()
        ends.append(exact([cerebro.broker.getvalue(), cerebro.broker.getcash()]))
    assert ends[0] == ends[1]


class Above(bt.Indicator):
    lines = ("signal",)

    def __init__(self):
        self.lines.signal = self.data - bt.ind.SMA(self.data, period=5)


def test_coupled_timeframes_are_stock_s():
    def feeds():
        return [feed(bars(60)), feed(bars(8, 1, freq="7D"), timeframe=bt.TimeFrame.Weeks)]

    assert "has its own advance" in reason(same(Coupled, feeds))


def resampled(cerebro):
    cerebro.resampledata(feed(bars(60, 1)), timeframe=bt.TimeFrame.Weeks)


def replayed(cerebro):
    cerebro.replaydata(feed(bars(60, 1)), timeframe=bt.TimeFrame.Weeks)


@pytest.mark.parametrize("setup", [resampled, replayed])
def test_resampled_and_replayed_feeds_are_stock_s(setup):
    assert "bar by bar" in reason(same(Trader, one, setup, stdstats=False))


def test_filtered_feed_is_stock_s():
    def feeds():
        data = feed(bars(40))
        data.addfilter(lambda data: False)
        return [data]

    assert reason(same(Trader, feeds)) == "data0 is filtered"


class Live(bt.feeds.PandasData):
    def islive(self):
        return True


def test_live_feed_is_stock_s():
    turbo = same(Trader, lambda: [Live(dataname=bars(40))], stdstats=False)
    assert "bar by bar" in reason(turbo)


class OwnFeed(bt.feeds.PandasData):
    def advance(self, size=1, datamaster=None, ticks=True):
        super().advance(size, datamaster, ticks)


def test_feed_with_internals_of_its_own_is_stock_s():
    assert (
        reason(same(Trader, lambda: [OwnFeed(dataname=bars(40))])) == "OwnFeed has its own advance"
    )


def test_cerebro_with_internals_of_its_own_is_stock_s():
    stock, fast = (run(cls, Trader, one(), costly) for cls in (bt.Cerebro, OwnCerebro))
    assert fast[1].seen == stock[1].seen
    assert reason(fast[0]) == "OwnCerebro has its own _brokernotify"


def test_cloned_feed_is_stock_s():
    def feeds():
        data = feed(bars(40))
        return [data, data.clone()]

    assert reason(same(Trader, feeds)) == "DataClone has its own advance"


def test_orders_of_a_history_are_as_in_stock():
    history = [
        (datetime(2020, 1, 10), 5, 100.0),
        (datetime(2020, 1, 20), -5, 99.0),
    ]

    def setup(cerebro):
        cerebro.add_order_history(history, notify=True)

    assert same(Recorder, one, setup).explain().is_fast


def test_strategy_with_lines_in_its_arguments_is_stock_s():
    seen = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro, extra = cerebro_class(), feed(bars(40, 1))
        cerebro.adddata(feed(bars(40)))
        cerebro.addstrategy(Recorder, extra)
        [ran] = cerebro.run()
        seen.append(ran.seen)
    assert seen[0] == seen[1]
    assert reason(cerebro) == "the strategy does not see every feed"
