"""Shared results are those of strategies.arrays, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.compiled.kernel import kernel
from backtest.compiled.library import Library
from backtest.compiled.tracing import Untraceable
from strategies import arrays
from tests.backtest.interpreted import INTERPRETED

PRICES = st.floats(0.01, 1e6) | st.integers(1, 300).map(lambda cents: cents / 100)
CALLS = {
    "sma": lambda at, x: at["sma"](x, 3),
    "ema": lambda at, x: at["ema"](x, 4),
    "wilder": lambda at, x: at["wilder"](x, 2),
    "rsi": lambda at, x: at["rsi"](x, 3),
    "atr": lambda at, x: at["atr"](x, x, x, 3),
    "highest": lambda at, x: at["highest"](x, period=2),
    "momentum": lambda at, x: at["momentum"](x, 4, skip=1),
    "zscore": lambda at, x: at["zscore"](x, 3),
}


def library(steps, functions=INTERPRETED):
    return Library(functions, np.empty((40, steps)))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@given(st.lists(PRICES, min_size=1, max_size=30))
@settings(max_examples=30)
def test_functions_of_series_and_arrays_are_those_of_strategies(call, prices):
    values = np.array(prices)
    if len(values) < 5:
        values = np.resize(values, 5)
    expected = call(vars(arrays), values)
    for functions in (INTERPRETED, kernel()):
        shared = library(len(values), functions)
        row = call(shared.functions, shared.series("close", values)).row
        np.testing.assert_array_equal(shared.table[row], expected)
        np.testing.assert_array_equal(call(shared.functions, shared.know(values)), expected)


@pytest.mark.parametrize(
    "values",
    [[1.0, np.nan, 2.0, 3.0], [1e300, 1e-300, 1.0, 2.0], [0.0] * 4, [1.0, np.inf, 1.0, 2.0]],
    ids=["missing", "far apart", "zero", "infinite"],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_mean_of_odd_values_is_that_of_strategies(values):
    values = np.array(values)
    found = library(4).functions["sma"](values, 2)
    np.testing.assert_array_equal(found, arrays.sma(values, 2))


def test_several_columns_are_smoothed_one_by_one():
    table = np.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(library(6).functions["ema"](table, 2), arrays.ema(table, 2))


def test_a_result_is_made_once_and_cannot_be_written_to():
    shared = library(5)
    close = shared.know(np.arange(5.0))
    found = shared.functions["sma"](close, 2)
    assert shared.functions["sma"](close, 2) is found
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1.0


def test_an_array_that_nobody_knows_is_computed_anew():
    shared = library(5)
    first = shared.functions["sma"](np.arange(5.0), 2)
    assert shared.functions["sma"](np.arange(5.0), 2) is not first


def test_a_result_without_a_last_value_is_told():
    shared = library(5)
    close = shared.series("close", np.arange(5.0))
    shared.functions["sma"](close, 5)
    assert not shared.is_unready
    shared.functions["sma"](close, 6)
    assert shared.is_unready
    shared.is_unready = False
    shared.functions["sma"](close, 6)
    assert shared.is_unready


def test_cleared_it_has_room_again():
    shared = library(5)
    shared.series("close", np.arange(5.0))
    shared.functions["sma"](shared.know(np.arange(5.0)), 2)
    assert (shared.room, shared.held_bytes) == (39, 40 + 2 * 40)
    shared.clear()
    assert (shared.room, shared.held_bytes) == (40, 0)


REFUSED = {
    "of a result": lambda at, x: at["sma"](x + 1.0, 2),
    "a list": lambda at, x: at["sector_scores"](x, ["a"]),
    "latch of numbers": lambda at, x: at["latch"](x, x),
    "crossing a number": lambda at, x: at["crossover"](x, 30.0),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_traced_is_given_back(call):
    shared = library(5)
    with pytest.raises(Untraceable):
        call(shared.functions, shared.series("close", np.arange(5.0)))


def test_a_full_table_is_given_back():
    shared = Library(INTERPRETED, np.empty((1, 5)))
    close = shared.series("close", np.arange(5.0))
    with pytest.raises(Untraceable):
        shared.functions["sma"](close, 2)
