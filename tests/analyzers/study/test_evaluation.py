import numpy as np
import pytest
from scipy.stats import spearmanr
from statsmodels.regression.linear_model import OLS

from analyzers.study.evaluation import (
    forward_returns,
    information_coefficients,
    newey_west_t,
    quantile_returns,
    quantiles,
    turnover,
)

NAN = np.nan


def test_a_forward_return_by_hand():
    close = np.array([[10.0], [11.0], [12.0], [15.0], [30.0]])
    got = forward_returns(close, horizon=2, lag=1)
    assert got[:2, 0] == pytest.approx([15 / 11 - 1, 30 / 12 - 1])
    assert np.isnan(got[2:]).all()


def test_a_symbol_that_ends_is_sold_at_its_last_close():
    close = np.array([[10.0, 1], [11.0, 1], [9.0, 1], [NAN, 1], [NAN, 1]])
    got = forward_returns(close, horizon=3, lag=1)[:, 0]
    assert got[0] == pytest.approx(9 / 11 - 1)
    assert np.isnan(got[1:]).all()


def test_a_future_that_is_not_known_is_no_return():
    assert np.isnan(forward_returns(np.ones((3, 2)), horizon=5)).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_coefficient_is_spearmans(seed):
    rng = np.random.default_rng(seed)
    scores, returns = rng.integers(0, 6, (5, 12)).astype(float), rng.normal(size=(5, 12))
    returns[2, 3] = scores[1, 0] = NAN
    expected = [spearmanr(a, b, nan_policy="omit")[0] for a, b in zip(scores, returns, strict=True)]
    assert information_coefficients(scores, returns) == pytest.approx(expected)


def test_two_symbols_have_no_correlation():
    got = information_coefficients(np.array([[1.0, 2.0, NAN]]), np.array([[1.0, 2.0, 3.0]]))
    assert np.isnan(got).all()


def test_scores_that_do_not_vary_have_no_correlation():
    got = information_coefficients(np.ones((1, 4)), np.arange(4.0)[None, :])
    assert np.isnan(got).all()


@pytest.mark.parametrize("lags", [0, 1, 5])
def test_the_t_statistic_by_its_definition(lags):
    values = np.random.default_rng(4).normal(0.1, 1, 50).cumsum() / 10
    away = values - values.mean()
    gamma = [sum(away[i] * away[i - lag] for i in range(lag, 50)) / 50 for lag in range(lags + 1)]
    variance = gamma[0] + 2 * sum((1 - k / (lags + 1)) * gamma[k] for k in range(1, lags + 1))
    assert newey_west_t(values, lags) == pytest.approx(values.mean() / (variance / 50) ** 0.5)


@pytest.mark.parametrize("lags", [0, 3, 12])
def test_the_t_statistic_is_that_of_statsmodels(lags):
    values = np.random.default_rng(5).normal(0.05, 1, 80).cumsum() / 10
    robust = {"maxlags": lags, "use_correction": False}
    fitted = OLS(values, np.ones(80)).fit(cov_type="HAC", cov_kwds=robust)
    assert newey_west_t(values, lags) == pytest.approx(fitted.tvalues[0], rel=1e-10)


@pytest.mark.parametrize("values", [[], [0.3], [0.2, 0.2], [NAN, 0.1]])
def test_too_little_for_a_statistic(values):
    assert np.isnan(newey_west_t(np.array(values), 3))


def test_quantiles_by_hand():
    got = quantiles(np.array([[5.0, 1.0, NAN, 3.0, 4.0, 2.0], [1.0, NAN, NAN, NAN, NAN, NAN]]), 2)
    assert got.tolist() == [[1, 0, -1, 0, 1, 0], [-1] * 6]


def test_returns_of_the_quantiles_by_hand():
    groups = np.array([[1, 0, -1, 1]])
    got = quantile_returns(groups, np.array([[0.1, 0.3, 9.0, NAN]]), 3)
    assert got[0, :2] == pytest.approx([0.3, 0.1])
    assert np.isnan(got[0, 2])


def test_turnover_by_hand():
    groups = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [-1] * 4, [1, 1, 0, 0]])
    got = turnover(groups, 1)
    assert got[1] == 0.5
    assert np.isnan(got[[0, 2, 3]]).all()
