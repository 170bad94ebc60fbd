from math import log, sqrt
from statistics import stdev

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, zscore

from analyzers.columns import Columns
from analyzers.study.factors import FACTORS, standardised

ROWS = 300


def market(symbols=3, rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2020-01-01", periods=rows, tz="UTC")
    frames = {}
    for number in range(symbols):
        close = 50 * np.exp(np.cumsum(rng.normal(0.0003, 0.015, rows)))
        table = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
        volume = rng.uniform(1e5, 1e6, rows)
        frames[f"S{number}"] = pd.DataFrame({**table, "volume": volume}, index=index)
    return Columns.of(frames)


BARS = market()
CLOSE, VOLUME = BARS.close[:, 1], BARS.volume[:, 1]


def trend():
    fit = linregress(np.arange(90), np.log(CLOSE[-90:]))
    return fit.slope * 252 * fit.rvalue**2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("momentum_12_1", CLOSE[-22] / CLOSE[-253] - 1),
        ("reversal", -(CLOSE[-1] / CLOSE[-22] - 1)),
        (
            "low_volatility",
            -sqrt(252) * stdev(log(CLOSE[i] / CLOSE[i - 1]) for i in range(ROWS - 63, ROWS)),
        ),
        ("near_high", CLOSE[-1] / max(CLOSE[-252:]) - 1),
        ("trend_quality", trend()),
        ("liquidity", log(sum(CLOSE[-63:] * VOLUME[-63:]) / 63)),
    ],
)
def test_a_factor_by_its_definition(name, expected):
    assert FACTORS[name](BARS)[-1, 1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", FACTORS)
def test_later_bars_change_no_earlier_value(name):
    whole = FACTORS[name](BARS)[:270]
    assert np.array_equal(FACTORS[name](BARS.until(BARS.index[269])), whole, equal_nan=True)


@pytest.mark.parametrize("name", FACTORS)
def test_fewer_bars_than_the_look_back_give_nothing(name):
    assert np.isnan(FACTORS[name](market(rows=20))).all()


def test_prices_that_never_move_have_no_trend():
    bars = market(1)
    flat = Columns(bars.index, bars.symbols, *[np.full((ROWS, 1), 7.3)] * 5)
    assert FACTORS["trend_quality"](flat)[-1].tolist() == [0.0]


def test_a_missing_bar_leaves_the_trend_unknown_until_it_is_out_of_the_window():
    bars = market(2)
    bars.close[150, 0] = np.nan
    quality = FACTORS["trend_quality"](bars)[:, 0]
    assert np.isnan(quality[150:239]).all()
    assert not np.isnan(quality[[149, 240]]).any()


def test_scores_across_a_row_are_scipys():
    values = np.random.default_rng(1).normal(size=(4, 9))
    assert standardised(values, None, 10) == pytest.approx(zscore(values, axis=1))


def test_a_sector_is_compared_with_itself():
    values = np.array([[1.0, 3.0, 10.0, 30.0, 20.0]])
    got = standardised(values, np.array([0, 0, 1, 1, 1]), 10)
    assert got[0, :2] == pytest.approx([-1, 1])
    assert got[0, 2:] == pytest.approx(zscore([10, 30, 20]))


def test_scores_are_cut_at_the_limit_and_nan_stays():
    values = np.array([[0.0] * 20 + [100.0, np.nan]])
    got = standardised(values, None, 3.0)
    assert got[0, 20] == 3.0
    assert np.isnan(got[0, 21])


def test_values_that_do_not_vary_score_zero():
    assert standardised(np.full((2, 3), 0.1), None, 3.0).tolist() == [[0.0] * 3] * 2
