import numpy as np
import pytest

from backtest.grid import Grid, contradicts, parse_axis
from brokers.errors import ConfigError
from strategies.sma_cross import SmaCross
from tests.backtest.sweep_stage import Above


def test_the_last_axis_changes_fastest():
    grid = Grid.of(SmaCross, {"fast": [1, 2], "slow": range(5, 8)})
    sets = [tuple(grid.at(number).values()) for number in range(grid.size)]
    assert sets == [(1, 5), (1, 6), (1, 7), (2, 5), (2, 6), (2, 7)]


def test_values_become_plain_ones_and_stay_in_order_without_repetition():
    grid = Grid.of(Above, {"period": np.array([9, 5, 9]), "factor": [1, 2.5]})
    assert grid.axes == {"period": (9, 5), "factor": (1.0, 2.5)}
    assert type(grid.axes["period"][0]) is int


@pytest.mark.parametrize(
    ("given", "culprit"),
    [
        ({}, "no parameters"),
        ([("fast", [1])], "no parameters"),
        ({"fast": []}, "fast has no values"),
        ({"fast": 5}, "fast=5: give several values"),
        ({"fast": "5"}, "fast='5': give several values"),
        ({"fats": [5]}, "did you mean 'fast'?"),
        ({"fast": [5, "x"]}, "fast='x': give a whole number"),
        ({"fast": [5.5]}, "fast=5.5: give a whole number"),
        ({"fast": [True]}, "fast=True: give a whole number"),
    ],
)
def test_a_wrong_grid_is_refused_with_the_place(given, culprit):
    with pytest.raises(ConfigError, match=culprit.replace("?", r"\?")):
        Grid.of(SmaCross, given)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5:8", (5, 6, 7)),
        ("5:26:10", (5, 15, 25)),
        ("0:1:0.25", (0.0, 0.25, 0.5, 0.75)),
        ("0.1:0.4:0.1", (0.1, 0.2, 0.3)),
        ("-2:1", (-2, -1, 0)),
        ("5,10, 20", (5, 10, 20)),
        ("5", (5,)),
    ],
)
def test_an_axis_is_read_from_text_without_the_end_of_a_range(text, values):
    assert parse_axis(Above, "period", text) == values


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("5:", "write a range as start:end"),
        ("a:b", "write a range as start:end"),
        ("1:nan", "write a range as start:end"),
        ("1:2:3:4", "has no values"),
        ("5:5", "has no values"),
        ("5:1", "has no values"),
        ("1:5:0", "has no values"),
        ("1:5:-1", "has no values"),
        ("0:1e9", "has no values"),
        ("five", "period='five'"),
    ],
)
def test_a_text_that_gives_no_values_is_named(text, culprit):
    with pytest.raises(ConfigError, match=culprit):
        parse_axis(Above, "period", text)


def test_a_set_that_the_strategys_own_rules_refuse_contradicts():
    assert contradicts(SmaCross, {"fast": 30, "slow": 30})
    assert not contradicts(SmaCross, {"fast": 5, "slow": 30})
    assert not contradicts(Above, {"period": -1})
