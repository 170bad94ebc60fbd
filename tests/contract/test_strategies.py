"""What every strategy in strategies/ must keep to; a new file is tested without a word here."""

from functools import cache

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from brokers.guard import GuardedBroker
from strategies import SignalStrategy, Strategy, find, names, parameters
from strategies.panel import Bars
from strategies.signals import Signals
from tests.strategies.stage import flat, play, walk

BARS = 330
FRAMES = {
    "A": walk(BARS, seed=1),
    "B": walk(BARS, seed=2).drop(walk(BARS).index[[40, 41, 200]]),
    "C": walk(BARS - 60, seed=3, start="2020-02-17"),
}
MODES = {
    "no run-once": {"runonce": False},
    "bar by bar": {"exactbars": False, "runonce": False, "preload": False},
}
SIGNAL_STRATEGIES = [name for name in names() if issubclass(find(name), SignalStrategy)]


@cache
def ran(name, feeds=3):
    return play(find(name), dict(list(FRAMES.items())[:feeds]), commission=0.001)


@pytest.mark.parametrize("name", names())
def test_it_trades(name):
    assert ran(name).fills()


@pytest.mark.parametrize("name", names())
def test_the_same_bars_give_the_same_orders(name):
    again = play(find(name), FRAMES, commission=0.001)
    assert (again.orders, again.value) == (ran(name).orders, ran(name).value)


@pytest.mark.parametrize("feeds", [1, 3])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", names())
def test_bar_by_bar_it_does_what_it_does_preloaded(name, mode, feeds):
    frames = dict(list(FRAMES.items())[:feeds])
    stepped = play(find(name), frames, options=MODES[mode], commission=0.001)
    assert (stepped.orders, stepped.value) == (ran(name, feeds).orders, ran(name, feeds).value)


@pytest.mark.parametrize("name", names())
def test_a_guard_that_refuses_nothing_changes_nothing(name):
    guard = GuardedBroker(bt.brokers.BackBroker())
    guarded = play(find(name), FRAMES, broker=guard, commission=0.001)
    assert (guarded.orders, guarded.value) == (ran(name).orders, ran(name).value)


@pytest.mark.parametrize("cut", [120, 250])
@pytest.mark.parametrize("name", names())
def test_the_past_does_not_depend_on_the_future(name, cut):
    scrambled = {}
    for seed, (feed, frame) in enumerate(FRAMES.items(), 50):
        later = frame.index > FRAMES["A"].index[cut - 1]
        other = walk(len(frame), seed).set_axis(frame.index)
        scrambled[feed] = pd.concat([frame[~later], other[later]])
    other = play(find(name), scrambled, commission=0.001)
    # What was decided at bar `cut` is submitted at the bar after it.
    assert known(other, cut) == known(ran(name), cut)
    assert other.value != ran(name).value


def known(run, cut):
    before = [row for row in run.orders if row[0] <= cut]
    sent = [row[:5] for row in run.orders if row[0] == cut + 1 and row[2] == "Submitted"]
    return before, sent


@pytest.mark.parametrize("bars", [0, 1, 2])
@pytest.mark.parametrize("name", names())
def test_hardly_any_bars_do_no_harm(name, bars):
    assert play(find(name), walk(5)[:bars]).value == pytest.approx(100_000, abs=100)


@pytest.mark.parametrize("name", names())
def test_flat_bars_do_no_harm(name):
    assert play(find(name), {"A": flat([50.0] * 260), "B": flat([9.0] * 260)}).value == 100_000


@pytest.mark.parametrize("name", names())
def test_every_order_has_a_reason(name):
    reasons = []

    class Says(find(name)):
        def notify_order(self, order):
            reasons.append(order.info.get("reason"))

    play(Says, FRAMES)
    assert all(reasons)


@pytest.mark.parametrize("name", names())
def test_its_parameters_can_be_set_by_name(name):
    cls = find(name)
    given = {parameter.name: parameter.default for parameter in parameters(cls)}
    strategy = play(cls, FRAMES["A"][:3], **given).strategy
    assert {key: getattr(strategy.p, key) for key in given} == given


@pytest.mark.parametrize("name", [name for name in names() if issubclass(find(name), Strategy)])
def test_its_context_is_numbers_by_name(name):
    strategy = ran(name).strategy
    for feed in strategy.datas:
        assert all(isinstance(value, float) for value in strategy.context(feed).values())


@pytest.mark.parametrize("feeds", [1, 3])
@pytest.mark.parametrize("name", SIGNAL_STRATEGIES)
def test_its_signals_are_those_of_any_longer_series(name, feeds):
    cls = find(name)
    shape = BARS if feeds == 1 else (BARS, feeds)
    rng = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_t(3, shape), axis=0))
    bars = Bars(close, close * 1.01, close * 0.99, close, close)
    whole = tables(cls.signals(cls.Config(), bars))
    for cut in (1, 2, 50, 201, BARS - 1):
        part = tables(cls.signals(cls.Config(), Bars(*(field[:cut] for field in bars))))
        for short, long in zip(part, whole, strict=True):
            np.testing.assert_array_equal(short, long[:cut])


@pytest.mark.parametrize("name", [name for name in SIGNAL_STRATEGIES if find(name).columnwise])
def test_its_signals_for_several_columns_are_those_of_each_alone(name):
    cls, rng = find(name), np.random.default_rng(8)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_t(3, (BARS, 4)), axis=0)).round(2)
    close[:, 3] = close[0, 3]
    close[:40, 1] = close[:299, 2] = np.nan
    fields = (close, close * 1.01, close * 0.99, close, close)
    together = tables(cls.signals(cls.Config(), Bars(*fields)))
    for column, first in enumerate((0, 40, 299, 0)):
        own = Bars(*(field[first:, column] for field in fields))
        for table, alone in zip(together, tables(cls.signals(cls.Config(), own)), strict=True):
            np.testing.assert_array_equal(table[first:, column], alone)
            assert np.isnan(table[:first, column]).all()


def tables(answer):
    answer = answer if isinstance(answer, Signals) else Signals(answer)
    return [table for table in answer if table is not None]
