"""A lean run leaves nothing behind, in Backtrader's classes or in its broker."""

from dataclasses import replace

import backtrader as bt
import pytest
from backtrader.brokers.bbroker import BackBroker
from backtrader.linebuffer import LineBuffer
from backtrader.order import BuyOrder, Order, OrderBase, OrderData, OrderExecutionBit, SellOrder
from backtrader.position import Position
from backtrader.trade import Trade

from backtest.turbo import Cerebro
from brokers.guard import GuardedBroker
from tests.turbo.orders_play import Deed, Listening, Script
from tests.turbo.test_orders_random import Case, perform, same

STOCK = (
    BackBroker, bt.Strategy, bt.Analyzer, LineBuffer, Order, OrderBase, BuyOrder, SellOrder,
    OrderData, OrderExecutionBit, Position, Trade, bt.Cerebro, bt.CommInfoBase, bt.CommissionInfo,
)  # fmt: skip
ROWS = tuple((10.0 + n, 11.5 + n, 9.0 + n, 10.5 + n) for n in range(12))
DEEDS = {
    2: [Deed("market", size=5), Deed("bracket", size=3)],
    5: [Deed("limit", buy=False, size=2), Deed("oco", buy=False, size=4)],
    8: [Deed("exit"), Deed("trail")],
}
CASE = Case(Script(DEEDS, frozenset({3, 7})), Listening, ((0, "1D", ROWS),), 1e4, ("share",), {})


def members():
    """What Backtrader's classes hold; the counters of references are meant to move on."""
    return {
        kind: {name: value for name, value in vars(kind).items() if name != "refbasis"}
        for kind in STOCK
    }


def test_classes_of_backtrader_hold_the_same_after_a_run():
    before = members()
    perform(Cerebro, CASE)
    assert members() == before


def test_stock_gives_the_same_after_a_run_on_turbo_as_before():
    _, before = perform(bt.Cerebro, CASE)
    perform(Cerebro, CASE)
    _, after = perform(bt.Cerebro, CASE)
    assert after == before


class Breaking(bt.Strategy):
    def next(self):
        if len(self) == 4:
            self.buy()
        if len(self) == 7:
            raise LookupError("on purpose")


@pytest.mark.parametrize("guarded", [False, True])
def test_broker_is_stock_again_after_a_strategy_raised(guarded):
    options = ("guard",) if guarded else ()
    case = Case(Script({}), Listening, CASE.feeds, 1e4, ("share",), {}, options=options)
    cerebro, _ = perform(Cerebro, case)
    cerebro.strats.clear()
    cerebro.addstrategy(Breaking)
    with pytest.raises(LookupError):
        cerebro.run()
    broker = getattr(cerebro.broker, "inner", cerebro.broker)
    assert type(broker) is BackBroker
    assert {type(position) for position in broker.positions.values()} == {Position}
    assert vars(broker).keys() == vars(BackBroker()).keys() | {"cerebro"}


def test_guard_has_nothing_of_the_run_afterwards():
    cerebro, _ = perform(Cerebro, replace(CASE, options=("guard",)))
    assert vars(cerebro.broker).keys() == vars(GuardedBroker(BackBroker())).keys()


def test_one_cerebro_runs_twice_as_stock_does():
    results = []
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro, _ = perform(cerebro_class, CASE)
        cerebro.run()
        results.append((cerebro.broker.getvalue(), cerebro.broker.getcash()))
    assert results[0] == results[1]


def test_the_case_of_these_tests_is_the_same_on_both():
    same(CASE)
