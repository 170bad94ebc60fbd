import math

import numpy as np
import pytest

from strategies.panel import Bars
from strategies.sector_rotation import SectorRotation
from tests.strategies.stage import flat, play

QUICK = {"lookback": 2, "top": 1, "every": 2, "trend": 0, "invested": 0.5}


def bars_of(*closes):
    table = np.stack([np.array(close, dtype=float) for close in closes], axis=1)
    return Bars(table, table, table, table, table)


def test_the_strongest_feed_has_the_place():
    config = SectorRotation.Config(**QUICK)
    weights = SectorRotation.signals(config, bars_of([1, 1, 2, 2, 2], [1, 1, 1, 1, 9]))
    nan = math.nan
    wanted = [[0, 0], [nan, nan], [0.5, 0], [nan, nan], [0, 0.5]]
    np.testing.assert_array_equal(weights, wanted)


def test_places_share_equally_and_those_out_of_trend_stay_in_cash():
    config = SectorRotation.Config(**{**QUICK, "top": 2, "every": 1, "trend": 3})
    weights = SectorRotation.signals(config, bars_of([1, 2, 3], [3, 2, 1], [1, 1, 1]))
    np.testing.assert_array_equal(weights[-1], [0.25, 0, 0])


def test_there_are_no_more_places_than_feeds():
    config = SectorRotation.Config(**{**QUICK, "top": 5, "every": 1})
    weights = SectorRotation.signals(config, bars_of([1, 2, 3], [3, 2, 1]))
    np.testing.assert_array_equal(weights[-1], [0.25, 0.25])


def test_a_feed_that_has_not_begun_is_left_alone():
    config = SectorRotation.Config(**{**QUICK, "every": 1})
    weights = SectorRotation.signals(config, bars_of([1, 2, 3], [math.nan, math.nan, 5]))
    np.testing.assert_array_equal(weights[-1], [0.5, 0])
    assert np.isnan(weights[1, 1])


def test_the_latest_bars_may_be_left_out_of_the_momentum():
    config = SectorRotation.Config(**{**QUICK, "lookback": 3, "skip": 1, "every": 1})
    weights = SectorRotation.signals(config, bars_of([1, 1, 2, 1], [1, 1, 1, 9]))
    np.testing.assert_array_equal(weights[-1], [0.5, 0])


def test_the_old_leader_is_sold_before_the_new_one_is_bought():
    frames = {"A": flat([1, 1, 2, 2, 2, 2, 2]), "B": flat([1, 1, 1, 1, 9, 9, 9])}
    ran = play(SectorRotation, frames, cash=100.0, **{**QUICK, "invested": 1.0})
    assert [fill[:3] for fill in ran.fills()][:3] == [(4, "A", 50), (6, "A", -50), (6, "B", 11)]


def test_one_feed_alone_is_held_while_it_is_in_a_trend():
    prices = [10, 10, 11, 12, 13, 14, 9, 8, 7, 7]
    ran = play(SectorRotation, flat(prices), **{**QUICK, "every": 1, "trend": 3, "top": 3})
    held = [fill[2] for fill in ran.fills()]
    assert held[0] == 4545
    assert ran.strategy.position.size == 0


def test_the_reason_names_the_momentum_and_its_rank():
    reasons = {}

    class Says(SectorRotation):
        def notify_order(self, order):
            reasons.setdefault(order.data._name, []).append(order.info.reason)

    frames = {"A": flat([1, 1, 2, 2, 1, 1]), "B": flat([1, 1, 1, 1, 1, 1])}
    play(Says, frames, **{**QUICK, "trend": 2})
    assert reasons["A"][0] == "2-bar momentum 100.00% ranks 1, the first 1 are held"
    assert reasons["A"][-1] == "2-bar momentum -50.00%: not in a trend, or not enough bars"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"skip": 126}, r"skip \(126\) must be below lookback \(126\)"),
        ({"top": 0}, r"top \(0\) and every \(21\) must be at least 1"),
        ({"trend": -1}, r"trend \(-1\) must not be negative"),
        ({"invested": 1.5}, r"invested \(1.5\) must be above 0 and at most 1"),
    ],
)
def test_contradictory_parameters_are_refused(words, problem):
    with pytest.raises(ValueError, match=problem):
        SectorRotation.Config(**words)
