import math

import pytest

from backtest import search
from backtest.grid import Grid
from backtest.search import Estimated, drawn, every
from brokers.errors import ConfigError

GRID = Grid({"a": tuple(range(10)), "b": tuple(range(10))})


def anything(params):
    return True


def is_ordered(params):
    return params["a"] < params["b"]


def gone_through(chosen, score):
    """All sets that a search proposes when each is told its score."""
    sets = []
    while batch := chosen.propose():
        chosen.tell(batch, [score(params) for params in batch])
        sets += batch
    return sets


def near(params):
    """Best at a=7, b=2."""
    return -((params["a"] - 7) ** 2) - (params["b"] - 2) ** 2


def test_a_grid_search_tries_every_set_that_makes_sense_once():
    chosen = every(GRID, is_ordered)
    sets = chosen.propose()
    assert len(sets) == chosen.total == chosen.width == 45
    assert chosen.left_out == 55
    assert sets[0] == {"a": 0, "b": 1}
    assert chosen.propose() == []


def test_a_random_search_draws_without_repetition_and_the_same_again():
    first, second, other = (drawn(GRID, is_ordered, 20, seed).propose() for seed in (1, 1, 2))
    assert first == second != other
    assert len({tuple(params.values()) for params in first}) == 20
    assert all(is_ordered(params) for params in first)


def test_a_random_search_without_trials_tries_all_in_another_order():
    sets = drawn(GRID, anything, None, 0).propose()
    assert sorted(tuple(params.values()) for params in sets) == [
        (a, b) for a in range(10) for b in range(10)
    ]


def test_a_random_search_never_holds_a_huge_grid():
    huge = Grid({name: tuple(range(1000)) for name in "abcd"})
    assert len(drawn(huge, anything, 5, 0).propose()) == 5


@pytest.mark.parametrize("make", [every, lambda grid, allows: drawn(grid, allows, 3, 0)])
def test_a_grid_without_a_set_that_makes_sense_is_refused(make):
    with pytest.raises(ConfigError, match="every one of its 100 sets violates"):
        make(GRID, lambda params: False)


def test_a_grid_that_nobody_could_finish_is_refused():
    huge = Grid({name: tuple(range(1000)) for name in "abcd"})
    with pytest.raises(ConfigError, match="search at random or with tpe"):
        every(huge, anything)


def estimated(allows=anything, trials=40, seed=3, width=1, grid=GRID):
    return Estimated(grid, allows, trials, seed, width)


@pytest.mark.parametrize("width", [1, 4])
def test_the_estimator_repeats_nothing_and_does_the_same_again(width):
    first, second = (gone_through(estimated(width=width), near) for _ in range(2))
    assert first == second
    assert len({tuple(params.values()) for params in first}) == len(first) == 40


def test_the_estimator_learns():
    sets = gone_through(estimated(trials=30), near)
    early, late = ([near(params) for params in part] for part in (sets[:10], sets[-10:]))
    assert sum(late) / 10 > sum(early) / 10
    assert max(near(params) for params in sets) >= -2


def test_the_estimator_leaves_out_what_makes_no_sense():
    chosen = estimated(is_ordered, trials=15)
    assert all(is_ordered(params) for params in gone_through(chosen, near))
    assert chosen.left_out > 0


def test_the_estimator_ends_when_there_is_nothing_new():
    small = Grid({"a": (1, 2), "b": ("x", "y")})
    chosen = estimated(grid=small)
    assert chosen.total == 4
    assert len(gone_through(chosen, lambda params: math.nan)) <= 4


def test_the_estimator_says_when_nothing_makes_sense():
    with pytest.raises(ConfigError, match="no set was found"):
        estimated(lambda params: False).propose()


def test_the_most_that_a_random_search_takes_is_bounded():
    assert drawn(GRID, anything, 10**12, 0).total == 100 <= search.MOST


def test_the_first_set_goes_on_from_a_part_and_a_worse_one_does_not():
    chosen = estimated(width=4)
    sets = chosen.propose()
    assert chosen.given_up(sets, 0, [1.0, 0.5, math.nan, 2.0]) == [False, True, False, False]
    rest = [params for place, params in enumerate(sets) if place != 1]
    assert chosen.given_up(rest, 1, [1.0, 3.0, 2.0]) == [False, False, True]
    chosen.tell(rest[:2], [1.0, 3.0])
    assert len(chosen.propose()) == 4


def test_a_search_that_lists_its_sets_gives_none_up():
    chosen = every(GRID, anything)
    assert chosen.given_up(chosen.propose()[:3], 0, [1.0, 0.0, -1.0]) == [False] * 3
