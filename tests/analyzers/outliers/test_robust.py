"""Medians, scores and false discoveries against published numbers and SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analyzers.outliers.robust import Spread, adjusted, two_sided
from strategies.arrays import modified_zscore

KNOWN = np.array([10.0, 12.0, 12.0, 13.0, 12.0, 11.0, 14.0, 300.0])
NAN = np.nan


def test_the_published_sample_scores_194() -> None:
    assert Spread.of(KNOWN).score(KNOWN)[-1] == pytest.approx(194.256)


def test_the_score_is_that_of_the_strategies_to_the_last_bit() -> None:
    sample = np.random.default_rng(1).normal(size=21)
    assert Spread.of(sample).score(sample)[-1] == modified_zscore(sample, 21)[-1]


def test_without_mad_the_mean_deviation_takes_its_place() -> None:
    sample = np.array([5.0, 5.0, 5.0, 5.0, 9.0])
    assert Spread.of(sample).score(sample)[-1] == pytest.approx(4 / (1.253314 * 0.8))


def test_a_constant_sample_has_no_score_rather_than_zero() -> None:
    sample = np.full(8, 3.0)
    assert np.isnan(Spread.of(sample).score(sample)).all()


@given(st.lists(st.floats(-1e6, 1e6) | st.just(NAN), min_size=1, max_size=12))
def test_what_is_missing_does_not_count(values: list[float]) -> None:
    sample = np.array(values)
    known = sample[~np.isnan(sample)]
    spread = Spread.of(sample)
    assert spread.count == len(known)
    if len(known):
        assert spread.median == np.median(known)
        assert spread.mad == np.median(np.abs(known - np.median(known)))
    else:
        assert np.isnan([spread.median, spread.mad, spread.mean_deviation]).all()


def test_too_few_values_have_no_spread() -> None:
    assert np.isnan(Spread.of(KNOWN).beyond(9).score(KNOWN)).all()
    assert not np.isnan(Spread.of(KNOWN).beyond(8).score(KNOWN)).any()


def test_p_values_are_those_of_the_normal_distribution() -> None:
    z = np.array([-8.0, -1.5, 0.0, 3.5, NAN])
    np.testing.assert_allclose(two_sided(z), 2 * stats.norm.sf(np.abs(z)), rtol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_those_of_scipy(values: list[float]) -> None:
    p = np.array(values)
    np.testing.assert_allclose(adjusted(p), stats.false_discovery_control(p), rtol=1e-12)


def test_what_was_not_tested_does_not_weigh_on_the_others() -> None:
    table = np.array([[0.01, NAN, 0.02, 0.9], [NAN, NAN, NAN, NAN]])
    expected = stats.false_discovery_control([0.01, 0.02, 0.9])
    np.testing.assert_allclose(adjusted(table)[0, [0, 2, 3]], expected)
    assert np.isnan(adjusted(table)[0, 1])
    assert np.isnan(adjusted(table)[1]).all()
