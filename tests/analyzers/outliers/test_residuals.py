"""Betas and residuals against NumPy's least squares, column by column."""

import numpy as np
import pytest

from analyzers.outliers.residuals import exposure
from analyzers.outliers.sectors import Sectors

RNG = np.random.default_rng(3)
MARKET = RNG.normal(0, 0.01, 60)
EXCESS = RNG.normal(0, 0.01, (60, 2))
RETURNS = 0.001 + 1.2 * MARKET[:, None] + 0.5 * EXCESS + RNG.normal(0, 0.002, (60, 2))


def test_two_factors_are_fitted_as_least_squares_fit_them() -> None:
    found = exposure(RETURNS, MARKET, EXCESS, 40)
    design = np.column_stack((np.ones(60), MARKET, EXCESS[:, 0]))
    alpha, beta, beta_sector = np.linalg.lstsq(design, RETURNS[:, 0])[0]
    left = RETURNS[:, 0] - beta * MARKET - beta_sector * EXCESS[:, 0]
    assert found.beta[0] == pytest.approx(beta)
    assert found.beta_sector[0] == pytest.approx(beta_sector)
    assert found.mean[0] == pytest.approx(alpha)
    assert found.deviation[0] == pytest.approx(left.std(ddof=1))


def test_without_a_sector_the_benchmark_alone_explains() -> None:
    found = exposure(RETURNS, MARKET, np.full((60, 2), np.nan), 40)
    assert found.beta[1] == pytest.approx(np.polyfit(MARKET, RETURNS[:, 1], 1)[0])
    assert np.isnan(found.beta_sector).all()


def test_a_sector_that_moves_with_the_benchmark_explains_nothing_more() -> None:
    found = exposure(RETURNS, MARKET, np.column_stack((MARKET, 2 * MARKET)), 40)
    assert np.isnan(found.beta_sector).all()
    assert found.beta[0] == pytest.approx(np.polyfit(MARKET, RETURNS[:, 0], 1)[0])


def test_missing_days_are_left_out_and_too_few_give_nothing() -> None:
    holed = RETURNS.copy()
    holed[:25, 0] = np.nan
    found = exposure(holed, MARKET, EXCESS, 40)
    assert (found.count[0], found.count[1]) == (35, 60)
    assert np.isnan([found.beta[0], found.mean[0]]).all()
    assert found.beta[1] == pytest.approx(exposure(RETURNS, MARKET, EXCESS, 40).beta[1])


def test_a_symbol_is_no_part_of_the_sector_it_is_measured_against() -> None:
    sectors = Sectors.of(["A", "B", "C", "D"], {"A": "x", "B": "x", "C": "x", "D": "y"})
    returns = np.array([[0.3, 0.1, 0.2, 0.5], [np.nan, 0.1, 0.2, 0.5]])
    found = sectors.excess(returns, np.array([0.05, 0.0]))
    expected = [[0.10, 0.20, 0.15, np.nan], [0.15, 0.2, 0.1, np.nan]]
    np.testing.assert_allclose(found, expected)


def test_nobody_with_a_sector_has_no_excess() -> None:
    found = Sectors.of(["A"], {}).excess(np.array([[0.1]]), np.array([0.0]))
    assert np.isnan(found).all()
