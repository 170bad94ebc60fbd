from dataclasses import dataclass

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from analyzers.metrics import returns, sharpe
from backtest import run
from backtest.folds import purged_folds
from backtest.spec import RunSpec
from backtest.sweep_spec import SweepSpec
from brokers.errors import ConfigError, DataError
from strategies import SignalStrategy
from tests.strategies.stage import walk

NOISE = walk(200, 4).tz_localize("UTC")


class Side(SignalStrategy):
    """Always in, on one side."""

    @dataclass(frozen=True)
    class Config:
        side: int = 1

    @staticmethod
    def signals(config, bars):
        return np.full(len(bars.close), float(config.side))


class Idle(bt.Strategy):
    params = (("nothing", 1),)


def spec(strategy=Side, grid=None, **how):
    run_spec = RunSpec(strategy, cash=10_000.0)
    return SweepSpec(
        run_spec, grid or {"side": [1, -1]}, backend="sequential", ledger=":memory:", **how
    )


def equity(side, rows):
    return run(Side, NOISE.iloc[rows], params={"side": side}, cash=10_000.0).equity.to_numpy()


def test_the_score_in_a_fold_is_that_of_its_bars_alone():
    result = purged_folds(spec(), NOISE, folds=4)
    expected = run(Side, NOISE.iloc[50:100], params={"side": -1}, cash=10_000.0)
    assert result.table["fold_2"][1] == pytest.approx(expected.metrics["sharpe"])


def test_training_before_and_after_a_fold_is_scored_as_one_series():
    result = purged_folds(spec(), NOISE, folds=4, purge=3, embargo=2)
    # The second fold is bars 50 to 99; a position may last 3 bars, and 2 more are left out.
    scores = []
    for side in (1, -1):
        both = [returns(equity(side, rows), 10_000.0) for rows in (slice(0, 47), slice(105, 200))]
        scores.append(sharpe(np.concatenate(both), 252))
    row = result.folds.iloc[1]
    assert row["train"] == pytest.approx(max(scores))
    assert row["side"] == [1, -1][int(np.argmax(scores))]


@pytest.mark.parametrize("objective", ["total_return", "max_drawdown"])
def test_other_objectives_of_two_stretches(objective):
    result = purged_folds(spec(objective=objective, grid={"side": [1]}), NOISE, folds=4)
    halves = [
        run(Side, NOISE.iloc[rows], cash=10_000.0) for rows in (slice(0, 50), slice(100, 200))
    ]
    if objective == "total_return":
        expected = np.prod([half.final_value / 10_000.0 for half in halves]) - 1
    else:
        values = [half.metrics["max_drawdown"] for half in halves]
        expected = (values[0] * 50 + values[1] * 100) / 150
    assert result.folds["train"][1] == pytest.approx(expected)


def test_the_best_set_has_the_largest_mean_over_the_folds():
    result = purged_folds(spec(), NOISE, folds=4)
    means = result.table[[f"fold_{n}" for n in range(1, 5)]].mean(axis=1)
    assert result.best_params == {"side": [1, -1][int(means.argmax())]}
    assert result.folds["beats"].isin([0.0, 1.0]).all()


def test_one_set_beats_nobody():
    assert purged_folds(spec(grid={"side": [1]}), NOISE, folds=2).folds["beats"].isna().all()


def test_sets_without_a_score_leave_no_choice():
    result = purged_folds(spec(Idle, {"nothing": [1, 2]}), NOISE, folds=2)
    assert result.folds["train"].isna().all()
    with pytest.raises(DataError, match="fewer folds"):
        _ = result.best_params


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"folds": 1}, "folds=1"),
        ({"folds": 2, "purge": 120}, "leave nothing to train on"),
    ],
)
def test_folds_that_do_not_fit_are_refused(how, text):
    with pytest.raises(ConfigError, match=text):
        purged_folds(spec(), NOISE, **how)


def test_a_search_that_tries_other_sets_each_time_is_refused():
    with pytest.raises(ConfigError, match="use grid or random"):
        purged_folds(spec(search="tpe", trials=2), NOISE)


def test_times_of_the_folds_are_bars():
    result = purged_folds(spec(grid={"side": [1]}), NOISE, folds=4)
    assert list(result.folds["from"]) == list(NOISE.index[::50])
    assert pd.Timestamp(result.folds["to"][3]) == NOISE.index[-1]
