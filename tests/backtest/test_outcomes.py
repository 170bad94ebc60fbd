import numpy as np
import pandas as pd
import pytest
from quantstats.stats import kurtosis, skew

from analyzers.metrics import summary
from backtest.outcomes import METRICS, concat, failed, from_returns, of_run

TIMES = pd.date_range("2024-01-02", periods=50, freq="D", tz="UTC")
NO_TRADES = pd.DataFrame(
    {
        "entry_at": pd.DatetimeIndex([], tz="UTC"),
        "exit_at": pd.DatetimeIndex([], tz="UTC"),
        "pnl_net": pd.Series([], dtype=float),
        "open": pd.Series([], dtype=bool),
    }
)


def equity_of(returns):
    return pd.Series(100.0 * np.cumprod(1.0 + np.array(returns)), TIMES[: len(returns)])


def test_moments_of_four_returns_by_hand():
    # mean 0.01, away 0.01 -0.02 0.01 0 -> m2 1.5e-4, m3 -1.5e-6, m4 4.5e-8
    moments, periods, _ = from_returns(equity_of([0.02, -0.01, 0.02, 0.01]), 100.0)
    expected = [0.01, np.sqrt(2e-4), -1.5e-6 / 1.5e-4**1.5, 2.0]
    assert moments == pytest.approx(expected, rel=1e-9)
    assert periods == 4


def test_kurtosis_is_raw_where_pandas_says_excess():
    returns = np.random.default_rng(7).standard_normal(50) / 100
    moments, _, _ = from_returns(equity_of(returns), 100.0)
    n = len(returns)
    excess = (moments[3] - 3) * (n * n - 1) / ((n - 2) * (n - 3)) + 6 * (n - 1) / (
        (n - 2) * (n - 3)
    )
    series = pd.Series(returns)
    assert excess == pytest.approx(kurtosis(series))
    assert moments[2] * np.sqrt(n * (n - 1)) / (n - 2) == pytest.approx(skew(series))


def test_blocks_are_equal_and_leave_the_last_returns_out():
    returns = [0.01] * 16 + [-0.02] * 16 + [0.5] * 3
    _, periods, blocks = from_returns(equity_of(returns), 100.0)
    assert periods == 35
    assert blocks[:, 0].tolist() == [2.0] * 16
    assert blocks[0] == pytest.approx([2.0, 0.02, 2e-4])
    assert blocks[15] == pytest.approx([2.0, -0.04, 8e-4])


def test_fewer_returns_than_blocks_make_empty_blocks():
    _, _, blocks = from_returns(equity_of([0.01] * 15), 100.0)
    assert not blocks.any()


@pytest.mark.parametrize(("returns", "known"), [([], 0), ([0.1], 1), ([0.0, 0.0, 0.0], 2)])
def test_moments_that_the_returns_do_not_determine_are_nan(returns, known):
    moments, periods, _ = from_returns(equity_of(returns), 100.0)
    assert np.isnan(moments).tolist() == [False] * known + [True] * (4 - known)
    assert periods == len(returns)


def test_a_run_has_the_numbers_of_its_summary():
    equity = equity_of([0.02, -0.01, 0.02, 0.01])
    told = summary(equity, 100.0, NO_TRADES)
    row = {name: values[0] for name, values in of_run(equity, 100.0, NO_TRADES).metrics.items()}
    assert tuple(row) == METRICS
    assert row["final_value"] == equity.iloc[-1]
    assert row["total_return"] == told["return"]
    assert [row[name] for name in ("sharpe", "calmar")] == [told["sharpe"], told["calmar"]]
    assert np.isnan(row["win_rate"])
    assert row["trades"] == 0


def test_parts_are_put_together_with_their_failures_in_place():
    run = of_run(equity_of([0.02, -0.01]), 100.0, NO_TRADES)
    whole = concat([run, failed("no"), run, concat([run, failed("nor this")])])
    assert len(whole) == 5
    assert whole.failures == {1: "no", 4: "nor this"}
    assert whole.periods.tolist() == [2, 0, 2, 2, 0]
    assert np.isnan(whole.metrics["sharpe"]).tolist() == [False, True, False, False, True]


def test_nothing_put_together_is_nothing():
    nothing = concat([])
    assert len(nothing) == 0
    assert nothing.blocks.shape == (0, 16, 3)
