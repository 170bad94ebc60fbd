"""Sliding windows against Python's own fsum, max and min."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.turbo import windows

PRICES = st.floats(min_value=-1e6, max_value=1e6).map(lambda price: round(price, 4) + 0.0)


def by_python(function, values, period):
    ends = range(period, len(values) + 1)
    return [function(values[end - period : end]) for end in ends]


@given(st.lists(PRICES, min_size=1, max_size=60), st.integers(1, 60))
def test_sums_are_those_of_fsum_to_the_bit(prices, period):
    period = min(period, len(prices))
    found = windows.sums(np.array(prices), period)
    if found is not None:
        assert found.tolist() == by_python(math.fsum, prices, period)


@given(st.lists(PRICES, min_size=1, max_size=60), st.integers(1, 60))
def test_extremes_are_those_of_max_and_min(prices, period):
    period, values = min(period, len(prices)), np.array(prices)
    assert windows.highest(values, period).tolist() == by_python(max, prices, period)
    assert windows.lowest(values, period).tolist() == by_python(min, prices, period)


def test_sums_of_a_long_series_of_prices_are_taken():
    prices = np.round(100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, 5000))), 4)
    assert windows.sums(prices, 200).tolist() == by_python(math.fsum, prices.tolist(), 200)


@pytest.mark.parametrize(
    "odd",
    [float("nan"), float("inf"), 1e300, 5e-324, 1e-30],
    ids=["nan", "infinite", "huge", "subnormal", "tiny"],
)
def test_values_without_a_common_unit_are_left_to_fsum(odd):
    assert windows.sums(np.array([1.0, 2.0, odd, 4.0]), 2) is None


def test_sums_too_large_to_be_exact_are_left_to_fsum():
    assert windows.sums(np.array([1.0, 2.0**31 + 0.5] * 40), 40) is None


def test_zeros_have_the_sum_zero():
    assert windows.sums(np.zeros(4), 2).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("odd", [float("nan"), -0.0])
def test_extremes_that_depend_on_the_order_are_left_to_python(odd):
    assert windows.highest(np.array([1.0, odd, 2.0]), 2) is None
    assert windows.lowest(np.array([1.0, odd, 2.0]), 2) is None


def test_row_sums_are_those_of_fsum():
    rows = np.round(np.random.default_rng(1).normal(100, 20, (50, 7)), 3) * np.arange(1, 8)
    assert windows.row_sums(rows).tolist() == [math.fsum(row) for row in rows]
