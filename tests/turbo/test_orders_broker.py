"""The lean broker by itself: when it is eligible, and what is seen of it between two turns."""

import copy
import datetime as dt
import pickle

import backtrader as bt
import pandas as pd
import pytest
from backtrader.brokers.bbroker import BackBroker
from backtrader.position import Position

from backtest.turbo import Cerebro
from backtest.turbo.broker import lean
from tests.turbo.orders_plain import Plain
from tests.turbo.test_orders_random import frame

ROWS = tuple((10.0 + n % 4, 12.5 + n % 4, 9.0 + n % 3, 10.5 + n % 4) for n in range(16))


class Subclass(BackBroker):
    """A broker of the user's."""


def test_broker_of_another_class_stays_stock():
    assert lean(Subclass()) == "the broker is a Subclass, not Backtrader's own BackBroker"


def test_broker_with_a_method_of_its_own_stays_stock():
    broker = BackBroker()
    broker.notify = print
    assert lean(broker) == "the broker has methods of its own: notify"


def played(cerebro_class, strategy, setup=None, **options):
    """One run of a strategy over a feed; returns Cerebro, the strategy and what it saw."""
    cerebro = cerebro_class(stdstats=False, **options)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame(0, "1D", ROWS)), name="feed0")
    cerebro.broker.setcash(5000.0)
    cerebro.broker.setcommission(0.001)
    if setup:
        setup(cerebro)
    cerebro.addstrategy(strategy)
    [ran] = cerebro.run()
    plain = ran.plain
    left = [ran.seen, plain.account(cerebro.broker), plain.book(cerebro.broker)]
    return cerebro, left


def same(strategy, setup=None, **options):
    _, stock = played(bt.Cerebro, strategy, setup, **options)
    cerebro, turbo = played(Cerebro, strategy, setup, **options)
    assert turbo == stock
    return cerebro


class Seeing(bt.Strategy):
    def __init__(self):
        self.plain, self.seen = Plain(), []

    def next(self):
        if len(self) in (3, 9):
            self.buy(size=len(self))
        if len(self) == 6:
            self.close()
        self.look()

    def look(self):
        """See nothing."""


class Copying(Seeing):
    def look(self):
        if len(self) in (2, 5, 8, 11):
            for made in (copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))):
                twin = made(self.position)
                self.seen.append((self.plain.of(vars(twin)), type(twin)))
            self.seen.append(type(self.position.clone()))


def test_copies_of_a_position_are_backtraders_own_and_up_to_date():
    same(Copying)


class Keeping(Seeing):
    def start(self):
        self.first = self.position  # before there was a bar

    def look(self):
        if len(self) == 2:
            self.kept = self.position
            self.seen.append(hasattr(self.kept, "datetime"))
        if len(self) in (5, 7, 13):
            self.seen.append(
                (self.kept.datetime, self.kept.adjbase, self.kept.size, self.first is self.kept)
            )


def test_position_that_was_kept_tells_of_the_bar_on_which_it_is_asked():
    same(Keeping)


class Changing(Seeing):
    def look(self):
        broker = self.broker
        if len(self) == 5:
            broker.comminfo[None] = bt.CommissionInfo(commission=0.5, margin=20.0, mult=3.0)
            self.seen.append(broker.getvalue().hex())
        if len(self) == 10:
            broker.set_shortcash(False)
            self.seen.append(broker.getvalue().hex())
        if len(self) == 11:
            broker.cash = 77.5
            self.seen.append(broker.getvalue().hex())


def test_what_changes_the_account_by_hand_counts_from_the_next_turn_on():
    same(Changing)


class CostlyAsking(bt.CommInfoBase):
    """Asks its broker for the account's value whenever it is asked itself."""

    params = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_FIXED), ("broker", None))

    def _getcommission(self, size, price, pseudoexec):
        return self.p.broker.getvalue() / 1e4


def test_scheme_that_asks_for_the_value_within_a_turn_gets_that_of_the_last_one():
    def setup(cerebro):
        cerebro.broker.addcommissioninfo(CostlyAsking(broker=cerebro.broker))

    cerebro = same(Seeing, setup)
    assert not [path.reason for path in cerebro.explain() if path.part == "broker" and path.reason]


class Filling(Seeing):
    def look(self):
        if len(self) == 8:
            self.broker.set_filler(self.fill)

    def fill(self, order, price, ago):
        self.seen.append((len(self), self.broker.getvalue().hex(), price))
        return 2 + int(self.broker.getvalue()) % 3


def test_filler_that_asks_for_the_value_within_a_turn_gets_that_of_the_last_one():
    same(Filling)


class Remembering(Seeing):
    def look(self):
        if len(self) == 5:
            self.broker.add_order_history([[pd.Timestamp("2020-01-13 09:30"), 5, 10.25]])


def test_history_that_comes_late_is_the_same():
    same(Remembering)


class Hearing(Seeing):
    def notify_order(self, order):
        self.seen.append(self.plain.order(order))


@pytest.mark.parametrize("notify", [True, False])
def test_orders_of_a_history_are_the_same(notify):
    history = [(pd.Timestamp("2020-01-09 09:30"), 5, 10.25), ("2020-01-14T09:30:00", -7, 11.5)]

    def setup(cerebro):
        cerebro.add_order_history([list(item) for item in history], notify=notify)

    same(Hearing, setup)


@pytest.mark.parametrize("cerebro_class", [bt.Cerebro, Cerebro])
def test_history_of_a_fund_fails_as_it_does_in_stock(cerebro_class):
    def setup(cerebro):
        cerebro.set_fund_history([(pd.Timestamp("2020-01-06"), 100.0, 9000.0)])

    with pytest.raises(AttributeError, match="_dtmaster"):  # stock sets it bar by bar only
        played(cerebro_class, Seeing, setup)


class Disowning(Seeing):
    def look(self):
        if len(self) == 4:
            self.broker.buy(None, self.data, 3)
        if len(self) == 8:
            self.broker.buy(object(), self.data, 3)


@pytest.mark.parametrize("cerebro_class", [bt.Cerebro, Cerebro])
def test_order_whose_owner_hears_nothing_fails_as_it_does_in_stock(cerebro_class):
    with pytest.raises(AttributeError, match="_addnotification"):
        played(cerebro_class, Disowning)


@pytest.mark.parametrize("tz", [None, bt.utils.date.UTC])
@pytest.mark.parametrize("minutes", [(23, 59), (12, 0)])
def test_session_ends_are_reckoned_as_in_stock(minutes, tz):
    seen = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro = cerebro_class(stdstats=False)
        index = pd.date_range("2020-01-06 00:00", periods=60, freq="97min")
        bars = pd.DataFrame(10.0, columns=["open", "high", "low", "close"], index=index)
        cerebro.adddata(
            bt.feeds.PandasData(
                dataname=bars.assign(volume=1.0),
                sessionend=dt.time(*minutes),
                tz=tz,
                timeframe=bt.TimeFrame.Minutes,
            )
        )
        cerebro.addstrategy(Closing)
        [strategy] = cerebro.run()
        seen.append(strategy.ends)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 3


class Closing(bt.Strategy):
    def __init__(self):
        self.ends = []

    def next(self):
        order = self.buy(exectype=bt.Order.Close)
        self.ends.append(order.dteos)


def test_positions_of_a_finished_run_are_stock():
    cerebro, _ = played(Cerebro, Seeing)
    assert type(cerebro.broker.positions[cerebro.datas[0]]) is Position
    assert cerebro.broker.positions.default_factory is Position
