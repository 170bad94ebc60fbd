"""Observers, analyzers and the account's value on turbo, as in stock at every turn."""

import inspect

import backtrader as bt
import pytest

from analyzers.equity import EquityCurve
from backtest.turbo import Cerebro
from tests.turbo.stage import Recorder, bars, exact, feed, run, same
from tests.turbo.test_loop import FEEDS, Trader, costly

ANALYZERS = sorted(
    name
    for name, cls in vars(bt.analyzers).items()
    if inspect.isclass(cls) and issubclass(cls, bt.Analyzer) and name != "AnnualReturn"
)  # AnnualReturn reads a broker observer of its own making, and fails in stock
OBSERVERS = sorted(
    name
    for name, cls in vars(bt.observers).items()
    if inspect.isclass(cls) and issubclass(cls, bt.Observer) and cls.lines._getlines()
    and name != "LogReturns2"
)  # fmt: skip


@pytest.mark.parametrize("name", ANALYZERS)
def test_analyzer_finds_what_it_finds_in_stock(name):
    found = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro = cerebro_class(stdstats=False)
        cerebro.adddata(feed(bars(270, seed=3)))
        cerebro.addanalyzer(getattr(bt.analyzers, name), _name="it")
        cerebro.addstrategy(Trader)
        costly(cerebro)
        [ran] = cerebro.run()
        found.append([exact(dict(ran.analyzers.it.get_analysis())), ran.seen])
    assert found[0] == found[1]
    assert cerebro.explain().is_fast


@pytest.mark.parametrize("name", OBSERVERS)
def test_observer_has_stock_s_lines_at_every_turn(name):
    def setup(cerebro):
        costly(cerebro)
        cerebro.addobserver(getattr(bt.observers, name))

    assert same(Trader, FEEDS["same calendar"], setup, stdstats=False).explain().is_fast


def test_default_observers_are_fast_and_unknown_ones_take_stock_s_way():
    def setup(cerebro):
        cerebro.addobserver(bt.observers.DrawDown)

    default = same(Trader, FEEDS["one"], costly)
    other = same(Trader, FEEDS["one"], setup)
    assert [path.reason for path in default.explain() if path.part == "observer"] == [""]
    assert [path.reason for path in other.explain() if path.part == "observer"] != [""]


class Account(Recorder):
    """Changes what decides the account's value, in ways that are seldom used."""

    params = {"change": "nothing"}

    def note(self, word):
        """See the account only where `act` asks for it."""

    def act(self):
        turn = len(self)
        if turn % 5 == 1:
            self.buy(data=self.datas[turn % 2], size=2)
        if turn == 12:
            getattr(self, self.p.change)()

    def nothing(self):
        """Change nothing."""

    def reading(self):
        if not len(self.stats):
            return
        self.seen.append(
            exact([self.stats.broker.value[0], len(self.stats.broker), self.broker.getvalue()])
        )
        self.seen.append(exact(list(self.stats.broker.cash.get(size=4))))

    def reading_on(self):
        self.act = self.reading

    def more_cash(self):
        self.broker.add_cash(1000.0)

    def other_cash(self):
        self.broker.set_cash(5000.0)

    def value_of_two(self):
        self.seen.append(exact(self.broker.getvalue(self.datas)))

    def value_of_one(self):
        self.seen.append(exact(self.broker.getvalue([self.data1])))

    def other_scheme(self):
        self.broker.setcommission(commission=2.0, margin=500.0, mult=10.0)

    def no_cash_for_shorts(self):
        self.broker.set_shortcash(False)
        self.sell(size=9)

    def leverage(self):
        self.broker.setcommission(commission=0.0, leverage=3.0)


CHANGES = [name for name in vars(Account) if name in {
    "nothing", "reading", "reading_on", "more_cash", "other_cash", "value_of_two", "value_of_one",
    "other_scheme", "no_cash_for_shorts", "leverage",
}]  # fmt: skip


@pytest.mark.parametrize("feeds", ["same calendar", "different calendars"])
@pytest.mark.parametrize("change", CHANGES)
def test_account_is_valued_as_in_stock_whatever_changes_it(change, feeds):
    class Changed(Account):
        params = {"change": change}

    def setup(cerebro):
        costly(cerebro)
        cerebro.addanalyzer(EquityCurve)

    curves = []
    turbo = same(Changed, FEEDS[feeds], setup)
    for cerebro_class in (bt.Cerebro, Cerebro):
        _, ran = run(cerebro_class, Changed, FEEDS[feeds](), setup, stdstats=False)
        curve = ran.analyzers.equitycurve
        curves.append(
            [curve.series().to_list(), curve.cash().to_list(), list(curve.series().index)]
        )
    assert curves[0] == curves[1]
    assert turbo.explain().is_fast


def test_futures_move_cash_at_every_turn_as_in_stock():
    def setup(cerebro):
        cerebro.broker.setcommission(commission=2.0, margin=50.0, mult=10.0)

    assert same(Account, FEEDS["same calendar"], setup).explain().is_fast


def test_missing_close_makes_the_account_s_value_what_it_is_in_stock():
    frame = bars(60)
    frame.iloc[20:23, frame.columns.get_loc("close")] = float("nan")
    turbo = same(Trader, lambda: [feed(bars(60, 1)), feed(frame)], costly)
    assert turbo.explain().is_fast


class Peeking(bt.Analyzer):
    """Reads an equity curve while it is being drawn, and moves the account."""

    def start(self):
        self.seen = []

    def next(self):
        curve = self.strategy.analyzers.equitycurve
        self.seen.append([len(self), curve.series().to_list()])
        if len(self) == 9:
            self.strategy.broker.set_cash(77_777.0)


@pytest.mark.parametrize("stdstats", [True, False])
def test_equity_curve_can_be_read_on_the_way(stdstats):
    seen = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro = cerebro_class(stdstats=stdstats)
        cerebro.adddata(feed(bars(30)))
        cerebro.addstrategy(Trader)
        cerebro.addanalyzer(EquityCurve)
        cerebro.addanalyzer(Peeking)
        [ran] = cerebro.run()
        seen.append([ran.analyzers.peeking.seen, ran.analyzers.equitycurve.series().to_list()])
    assert seen[0] == seen[1]


class OwnBroker(bt.brokers.BackBroker):
    """A broker of the user's, which is left as it is."""


def test_broker_of_one_s_own_keeps_stock_s_order_path_in_the_flat_loop():
    def setup(cerebro):
        cerebro.broker = OwnBroker()

    turbo = same(Trader, FEEDS["same calendar"], setup)
    reasons = {path.part: path.reason for path in turbo.explain()}
    assert turbo.explain().is_fast
    assert "OwnBroker" in reasons["broker"]
    assert reasons["observer"] == "the broker is stock"


class Haircut(bt.CommissionInfo):
    """Values what is held at less than the close."""

    def getvaluesize(self, size, price):
        return 0.9 * size * price


def test_commission_scheme_with_sums_of_its_own_is_asked_at_every_turn():
    def setup(cerebro):
        cerebro.broker.addcommissioninfo(Haircut())

    assert same(Trader, FEEDS["same calendar"], setup).explain().is_fast
