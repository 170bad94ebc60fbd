import gc
import re
import weakref

import backtrader as bt
import numpy as np
import pytest

import strategies
from backtest import run
from backtest.one_set import Bench
from backtest.outcomes import METRICS, of_run
from backtest.spec import RunSpec
from strategies.sma_cross import SmaCross
from tests.backtest.sweep_stage import Above, Reverses, Skips, Stops, walk

ONE = {"ACME": walk(260)}
TOGETHER = {"A": walk(260), "B": walk(260, "B", 8), "C": walk(260, "C", 9)}
# Feeds of different length and calendar, one of them starting later.
SEVERAL = {"A": walk(260), "B": walk(250, "B", 8)[::3], "C": walk(260, "C", 9)[40:]}


def params_of(strategy, **given):
    defaults = {item.name: item.default for item in strategies.parameters(strategy)}
    return {**defaults, **given}


def assert_as_run(strategy, frames, params=None, **how):
    """The row has the numbers that `run` gives."""
    bench = Bench(RunSpec(strategy, {}, **how), frames)
    row = bench.evaluate(params_of(strategy, **(params or {})))
    assert row.failures == {}
    whole = run(strategy, frames, params=params, **how)
    wanted = of_run(whole.equity, whole.cash, whole.trades)
    for name in METRICS:
        np.testing.assert_allclose(row.metrics[name], wanted.metrics[name], rtol=1e-9, err_msg=name)
    np.testing.assert_array_equal(row.periods, wanted.periods)
    np.testing.assert_allclose(row.moments, wanted.moments, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(row.blocks, wanted.blocks, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", strategies.names())
def test_a_set_has_the_numbers_of_a_run(name):
    assert_as_run(strategies.find(name), ONE, commission=0.002, slippage_bps=3.0, size=10)


FRAMES = pytest.mark.parametrize(
    "frames", [ONE, TOGETHER, SEVERAL], ids=["one", "one calendar", "different calendars"]
)


@FRAMES
def test_several_feeds_have_the_numbers_of_a_run(frames):
    rotation = strategies.find("sector_rotation")
    params = {"lookback": 20, "trend": 0, "top": 2}
    assert_as_run(rotation, frames, params, size="30%", commission=0.001)


@FRAMES
def test_shorts_reversals_and_limit_orders_have_the_numbers_of_a_run(frames):
    assert_as_run(Reverses, frames, commission=0.001)
    assert_as_run(Reverses, frames, cash=900.0)


def test_a_commission_scheme_is_watched_bar_by_bar():
    scheme = bt.CommissionInfo(commission=2.0, margin=50.0, mult=5.0)
    assert_as_run(Reverses, ONE, commission=scheme)


def test_a_run_that_ends_itself_early_has_the_bars_until_then():
    assert_as_run(Stops, ONE)


def test_cash_that_is_added_on_the_way_is_noticed():
    class Saves(Above):
        def next(self):
            super().next()
            if len(self) == 60:
                self.broker.add_cash(500.0)

    assert_as_run(Saves, ONE)


def test_one_set_leaves_nothing_behind_for_the_next():
    bench = Bench(RunSpec(SmaCross), ONE)
    first = [bench.evaluate({"fast": 3, "slow": slow}).metrics["final_value"] for slow in (9, 5, 9)]
    assert first[0] == first[2] != first[1]


@pytest.mark.parametrize(
    ("strategy", "params", "reason"),
    [
        (Above, {"raises": (10,)}, r"ValueError: no luck with 10 \(sweep_stage.py:\d+\)"),
        (Above, {"period": 261}, "260 bars are too few: Above needs at least 261"),
        (SmaCross, {"fast": 5, "slow": 261}, "260 bars are too few: SmaCross needs at least 261"),
        (Skips, {"period": 2}, "StrategySkipError: the strategy left itself out"),
    ],
)
def test_a_set_that_cannot_be_run_is_a_row_with_its_reason(strategy, params, reason):
    row = Bench(RunSpec(strategy), ONE).evaluate(params_of(strategy, **params))
    assert len(row) == 1
    assert np.isnan(row.metrics["sharpe"]).all()
    assert re.search(reason, row.failures[0])


def test_a_set_that_is_done_keeps_no_order_waiting_for_a_search_of_garbage():
    class Remembers(Reverses):
        orders = []

        def notify_order(self, order):
            super().notify_order(order)
            self.orders.append(weakref.ref(order))

    gc.disable()
    try:
        assert Bench(RunSpec(Remembers), ONE).evaluate({}).failures == {}
        assert len(Remembers.orders) > 20
        assert not any(order() for order in Remembers.orders)
    finally:
        gc.enable()


@pytest.mark.parametrize("error", [MemoryError, SystemExit])
def test_no_memory_and_an_exit_are_reasons_too(error):
    class Ends(bt.Strategy):
        def next(self):
            raise error

    row = Bench(RunSpec(Ends), ONE).evaluate({})
    assert row.failures[0].startswith(error.__name__)
