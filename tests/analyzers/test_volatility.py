from math import log, sqrt
from statistics import variance

import numpy as np
import pytest

from analyzers import volatility

# Ten daily bars written down for this test.
OPEN = [100.0, 101.5, 101.0, 103.0, 102.2, 100.9, 101.7, 104.0, 103.1, 105.2]
HIGH = [102.0, 102.4, 103.3, 104.1, 102.9, 102.0, 104.2, 105.0, 105.5, 106.3]
LOW = [99.1, 100.2, 100.6, 101.8, 100.3, 100.1, 101.2, 102.7, 102.9, 104.1]
CLOSE = [101.2, 100.9, 102.8, 102.0, 100.8, 101.6, 103.9, 103.0, 105.0, 104.4]
BARS = [np.array(column) for column in (OPEN, HIGH, LOW, CLOSE)]
N, YEAR = 5, 252


def mean_of(term, row):
    """A term of one bar's four prices, over the window that ends with `row`."""
    days = range(row - N + 1, row + 1)
    return sum(term(OPEN[i], HIGH[i], LOW[i], CLOSE[i]) for i in days) / N


def parkinson(o, h, low, c):
    return log(h / low) ** 2 / (4 * log(2))


def garman_klass(o, h, low, c):
    return 0.5 * log(h / low) ** 2 - (2 * log(2) - 1) * log(c / o) ** 2


def rogers_satchell(o, h, low, c):
    return log(h / c) * log(h / o) + log(low / c) * log(low / o)


def yang_zhang(row):
    days = range(row - N + 1, row + 1)
    overnight = variance(log(OPEN[i] / CLOSE[i - 1]) for i in days)
    within = variance(log(CLOSE[i] / OPEN[i]) for i in days)
    k = 0.34 / (1.34 + (N + 1) / (N - 1))
    return overnight + k * within + (1 - k) * mean_of(rogers_satchell, row)


@pytest.mark.parametrize(
    ("got", "term"),
    [
        (volatility.parkinson(BARS[1], BARS[2], N, YEAR), parkinson),
        (volatility.garman_klass(*BARS, N, YEAR), garman_klass),
        (volatility.rogers_satchell(*BARS, N, YEAR), rogers_satchell),
    ],
)
def test_ranges_by_their_published_definitions(got, term):
    expected = [sqrt(YEAR * mean_of(term, row)) for row in range(N - 1, 10)]
    assert got[N - 1 :] == pytest.approx(expected, rel=1e-12)
    assert np.isnan(got[: N - 1]).all()


def test_yang_and_zhang_by_their_published_definition():
    got = volatility.yang_zhang(*BARS, N, YEAR)
    assert got[N:] == pytest.approx([sqrt(YEAR * yang_zhang(i)) for i in range(N, 10)], rel=1e-12)
    assert np.isnan(got[:N]).all()


def test_parkinson_of_a_constant_range():
    # ln(1.02)^2 / (4 ln 2) a day.
    got = volatility.parkinson(np.full(6, 102.0), np.full(6, 100.0), N, YEAR)
    assert got[-1] == pytest.approx(sqrt(252) * log(1.02) / sqrt(4 * log(2)), rel=1e-12)


def test_deviation_of_closes_is_the_sample_deviation():
    got = volatility.close_to_close(BARS[3], N, YEAR)
    moves = [log(CLOSE[i] / CLOSE[i - 1]) for i in range(5, 10)]
    assert got[-1] == pytest.approx(sqrt(YEAR * variance(moves)), rel=1e-12)
    assert np.isnan(got[:N]).all()


def test_columns_do_not_know_of_each_other():
    other = [column[::-1].copy() for column in BARS]
    both = [np.stack(pair, axis=1) for pair in zip(BARS, other, strict=True)]
    got = volatility.yang_zhang(*both, N, YEAR)
    assert np.array_equal(got[:, 0], volatility.yang_zhang(*BARS, N, YEAR), equal_nan=True)


def test_prices_that_never_move_have_no_volatility():
    flat = np.full(8, 10.0)
    assert volatility.yang_zhang(flat, flat, flat, flat, N, YEAR)[N:].tolist() == [0.0] * 3


@pytest.mark.parametrize("bad", [np.nan, 0.0, -1.0])
def test_a_window_with_a_price_that_is_none_is_unknown(bad):
    low = BARS[2].copy()
    low[4] = bad
    got = volatility.parkinson(BARS[1], low, N, YEAR)
    assert np.isnan(got[:9]).all()
    assert not np.isnan(got[9])


def test_fewer_bars_than_the_window_are_unknown():
    assert np.isnan(volatility.garman_klass(*(b[:3] for b in BARS), N, YEAR)).all()
    assert np.isnan(volatility.close_to_close(BARS[3][:3], N, YEAR)).all()


def test_a_window_of_one_bar_has_no_variance():
    with pytest.raises(ValueError, match="two bars or more"):
        volatility.yang_zhang(*BARS, 1, YEAR)
