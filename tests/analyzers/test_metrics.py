import math

import numpy as np
import pandas as pd
import pytest

from analyzers import metrics
from analyzers.trades import TRADES, frame

SORTINO_AND_PRICE = np.array([17, 15, 23, -5, 12, 9, 13, -4]) / 100
MONTHLY = np.array([259, 198, 364, -81, 57, 55, 188, 317, 240, 184, -10, 526]) / 1000
FLAT = np.array([100.0, 100.0, 100.0])


@pytest.fixture(scope="module")
def walk():
    """A random walk of three years, daily, as returns by date."""
    values = np.random.default_rng(7).normal(0.0004, 0.011, 756)
    return pd.Series(values, index=pd.bdate_range("2020-01-01", periods=756))


@pytest.fixture(scope="module")
def reference():
    return pytest.importorskip("quantstats.stats")


def equity_of(returns, cash=1000.0):
    return cash * np.cumprod(1.0 + np.asarray(returns))


def closed(*pnl):
    rows = [("A", "long", 1.0, 738_000.0, 1.0, 738_001.0, 1.0, p, p, 0.0, 1, False) for p in pnl]
    return frame(rows, TRADES)


def test_sortino_of_the_published_example():
    assert metrics.sortino(SORTINO_AND_PRICE, 1) == pytest.approx(4.417261, abs=5e-7)


def test_sharpe_of_the_worked_example():
    assert metrics.sharpe(MONTHLY, 1, rf=0.05) == pytest.approx(0.834364, abs=5e-7)


def test_sharpe_scales_with_the_root_of_the_periods():
    assert metrics.sharpe(MONTHLY, 12) == pytest.approx(math.sqrt(12) * metrics.sharpe(MONTHLY, 1))


def test_first_return_is_against_the_starting_cash():
    found = metrics.returns(np.array([110.0, 99.0, 99.0]), 100.0)
    assert found == pytest.approx([0.1, -0.1, 0.0])


def test_no_return_follows_ruin():
    found = metrics.returns(np.array([0.0, 50.0, -5.0, 10.0]), 100.0)
    assert found[0] == -1.0
    assert np.isnan(found[[1, 3]]).all()
    assert found[2] == pytest.approx(-1.1)


def test_starting_cash_is_the_first_peak():
    equity = np.array([80.0, 100.0, 125.0, 75.0, 130.0])
    assert metrics.drawdowns(equity, 100.0) == pytest.approx([-0.2, 0.0, 0.0, -0.4, 0.0])
    assert metrics.max_drawdown(equity, 100.0) == pytest.approx(-0.4)


def test_cagr_compounds_over_the_periods_of_a_year():
    assert metrics.cagr(np.array([150.0, 121.0]), 100.0, 1) == pytest.approx(0.1)
    assert metrics.cagr(np.array([110.0]), 100.0, 2) == pytest.approx(0.21)


def test_calmar_divides_growth_by_the_deepest_fall():
    assert metrics.calmar(np.array([80.0, 121.0]), 100.0, 1) == pytest.approx(0.1 / 0.2)


def test_time_under_water_counts_periods_and_the_longest_stretch():
    equity = np.array([90.0, 110.0, 100.0, 105.0, 109.0, 111.0, 100.0])
    assert metrics.time_under_water(equity, 100.0) == pytest.approx(5 / 7)
    assert metrics.longest_under_water(equity, 100.0) == 3


def test_trades_by_hand():
    pnl = np.array([10.0, -4.0, 0.0, 6.0])
    assert metrics.win_rate(pnl) == 0.5
    assert metrics.profit_factor(pnl) == 4.0
    assert metrics.expectancy(pnl) == 3.0


def test_exposure_counts_periods_that_end_with_any_position():
    index = pd.date_range("2024-01-01", periods=8, tz="UTC")
    entries, exits = index[[1, 2, 6]], pd.DatetimeIndex([index[3], index[4], pd.NaT])
    assert metrics.exposure(index, entries, exits) == 5 / 8


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.bdate_range("2024-01-01", periods=300, tz="UTC"), 252),
        (pd.DatetimeIndex(["2024-07-05", "2024-07-08"], tz="UTC"), 252),
        (pd.date_range("2024-01-05", periods=9, freq="7D", tz="UTC"), 52),
        (pd.date_range("2024-01-31", periods=9, freq="ME", tz="UTC"), 12),
        (pd.date_range("2024-01-02 14:31", periods=390, freq="min", tz="UTC"), 252 * 390),
    ],
)
def test_spacing_tells_the_periods_of_a_year(index, expected):
    assert metrics.periods_per_year(index) == expected


def test_a_half_day_does_not_change_the_bars_of_a_year():
    days = [pd.date_range(f"2024-07-0{day} 14:00", periods=count, freq="h", tz="UTC")
            for day, count in ((1, 7), (2, 7), (3, 4), (5, 7))]  # fmt: skip
    index = days[0].append(days[1:])
    assert metrics.periods_per_year(index) == 252 * 7
    assert metrics.periods_per_year(index, sessions_per_year=365) == 365 * 7


@pytest.mark.parametrize(
    "value",
    [
        metrics.sharpe(np.array([]), 252),
        metrics.sharpe(np.array([0.1]), 252),
        metrics.sharpe(np.array([0.01] * 5), 252),
        metrics.sharpe(metrics.returns(equity_of([0.01] * 50), 1000.0), 252),
        metrics.sortino(np.array([]), 252),
        metrics.sortino(np.array([0.1, 0.2]), 252),
        metrics.volatility(np.array([0.1]), 252),
        metrics.max_drawdown(np.array([]), 100.0),
        metrics.time_under_water(np.array([]), 100.0),
        metrics.cagr(np.array([]), 100.0, 252),
        metrics.cagr(np.array([-1.0]), 100.0, 252),
        metrics.calmar(FLAT, 100.0, 252),
        metrics.win_rate(np.array([])),
        metrics.profit_factor(np.array([1.0])),
        metrics.expectancy(np.array([])),
        metrics.exposure(*[pd.DatetimeIndex([], tz="UTC")] * 3),
        metrics.periods_per_year(pd.DatetimeIndex(["2024-01-01"], tz="UTC")),
    ],
)
def test_what_is_not_determined_is_not_a_number(value):
    assert math.isnan(value)


def test_what_is_truly_zero_is_zero():
    assert metrics.volatility(np.zeros(3), 252) == 0.0
    assert metrics.max_drawdown(FLAT, 100.0) == 0.0
    assert metrics.longest_under_water(np.array([]), 100.0) == 0
    assert metrics.cagr(np.array([0.0]), 100.0, 252) == -1.0


def test_ratios_agree_with_quantstats(walk, reference):
    ours = [f(walk.to_numpy(), 252) for f in (metrics.sharpe, metrics.sortino, metrics.volatility)]
    theirs = [f(walk) for f in (reference.sharpe, reference.sortino, reference.volatility)]
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_drawdown_and_growth_agree_with_quantstats(walk, reference):
    equity = equity_of(walk)
    depths = reference.to_drawdown_series(walk).to_numpy()
    assert metrics.drawdowns(equity, 1000.0) == pytest.approx(depths, abs=1e-12)
    ours = [metrics.max_drawdown(equity, 1000.0), metrics.cagr(equity, 1000.0, 252)]
    assert ours == pytest.approx([reference.max_drawdown(walk), reference.cagr(walk)], rel=1e-12)
    assert metrics.calmar(equity, 1000.0, 252) == pytest.approx(reference.calmar(walk), rel=1e-12)


def test_profit_factor_agrees_with_quantstats(walk, reference):
    theirs = reference.profit_factor(walk)
    assert metrics.profit_factor(walk.to_numpy()) == pytest.approx(theirs, rel=1e-12)


def test_summary_of_an_empty_run_says_none():
    empty = pd.Series([], index=pd.DatetimeIndex([], tz="UTC"), dtype=float)
    found = metrics.summary(empty, 100.0, closed())
    counts = {"longest_under_water", "closed_trades", "open_trades"}
    assert {found.pop(name) for name in counts} == {0}
    assert set(found.values()) == {None}


def test_summary_leaves_open_trades_out_of_the_win_rate():
    trades = closed(5.0, -1.0, 7.0)
    trades.loc[2, "open"] = True
    index = pd.date_range("2024-01-01", periods=3, tz="UTC")
    found = metrics.summary(pd.Series([101.0, 99.0, 104.0], index=index), 100.0, trades)
    assert (found["closed_trades"], found["open_trades"]) == (2, 1)
    assert (found["win_rate"], found["profit_factor"], found["expectancy"]) == (0.5, 5.0, 2.0)
    assert found["return"] == pytest.approx(0.04)
    assert found["sharpe"] == pytest.approx(
        math.sqrt(252) * np.mean(r := [0.01, 99 / 101 - 1, 104 / 99 - 1]) / np.std(r, ddof=1)
    )


def test_growth_beyond_any_float_is_none():
    index = pd.date_range("2024-01-02 14:31", periods=3, freq="min", tz="UTC")
    found = metrics.summary(pd.Series([1e9, 2e9, 9e12], index=index), 1.0, closed())
    assert found["cagr"] is None
    assert found["return"] == pytest.approx(9e12)
