"""The kernel against stock Cerebro behind the guard: fills and final value to the last bit."""

import math
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings

from backtest import compiled
from backtest.compiled import confirmation
from backtest.compiled.evaluation import Evaluation
from backtest.outcomes import METRICS
from backtest.spec import RunSpec
from feeds import history
from tests.backtest.interpreted import INTERPRETED
from tests.backtest.scripted import ClosesFirst, Scripted, runs
from tests.backtest.test_compiled_evaluation import bars

STRATEGIES = ("buy_and_hold", "sma_cross", "rsi_reversion", "donchian_bracket", "sector_rotation")
SETS = {
    "buy_and_hold": [{}],
    "sma_cross": [{"fast": 3, "slow": 8}, {"fast": 5, "slow": 60}],
    "rsi_reversion": [{"period": 5}, {"oversold": 40.0, "overbought": 60.0}],
    "donchian_bracket": [
        {"channel": 10, "exit_channel": 5, "take_profit": 1.5, "stop_loss": 1.0},
        {
            "channel": 15,
            "entry": "limit",
            "take_profit": 0.0,
            "distance": "frac",
            "stop_loss": 0.03,
        },
    ],
    "sector_rotation": [{"lookback": 20, "top": 2, "every": 5, "trend": 30}, {"trend": 0}],
}
ACCOUNTS = [
    {"cash": 100_000, "size": "95%", "commission": 0.001, "slippage_bps": 4},
    {"cash": 3_000, "size": 20, "commission": 0.002},
]

random_runs = given(runs())


def confirmed_by_cerebro(run):
    """The proof's check: raises when anything differs."""
    spec, frames = run
    assert compiled.reason_not_compilable(spec, frames) is None
    compiled.confirm(spec, frames, [{}])


@settings(max_examples=40)
@random_runs
def test_random_targets_limits_exits_and_calendars_fill_as_in_cerebro(run):
    confirmed_by_cerebro(run)


@settings(max_examples=120)
@random_runs
def test_compiled_and_interpreted_kernel_are_the_same(run):
    same_interpreted(*run)


NO = math.nan
ROWS = {
    "reverses with exits": [(1, NO, 130.0, 60.0)] * 2 + [(-1, NO, 60.0, 130.0)] * 4,
    "lays exits for what is held": [(2, NO, NO, NO)] * 3 + [(1, NO, 130.0, 60.0)] * 3,
    "lays one exit, then another": [(1, NO, NO, NO)] * 2
    + [(1, NO, NO, 99.9), (1, NO, 90.0, NO)] * 2,
    "lays exits that are refused": [(1, NO, NO, NO)] * 3 + [(1, NO, 130.0, -1.0)] * 3,
    "grows in brackets": [(1, NO, 130.0, 60.0), (2, NO, 130.0, 60.0), (3, NO, 130.0, 60.0)] * 2,
    "gives up a limit": [(1, 60.0, 130.0, 50.0)] * 3 + [(0, NO, NO, NO)] * 3,
    "asks for a ladder upside down": [(1, NO, 60.0, 130.0), (-1, 70.0, 90.0, 80.0)] * 3,
    "sells at a negative limit": [(-1, -5.0, NO, NO), (NO, NO, NO, NO), (1, NO, NO, NO)] * 2,
    "reverses": [(1, NO, NO, NO), (-1, NO, NO, NO)] * 3,
    "is short of cash": [(60, NO, 130.0, 60.0), (-80, NO, NO, NO), (90, NO, NO, NO)] * 2,
}


@pytest.mark.parametrize("cls", [Scripted, ClosesFirst])
@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_a_strategy_that(rows, cls):
    frames = {"X": bars(len(rows)).assign(volume=1.0)}
    spec = RunSpec(cls, {"script": (tuple(rows),)}, cash=5_000, commission=0.01, turbo=False)
    compiled.confirm(spec, frames, [{}])
    same_interpreted(spec, frames)


def same_interpreted(spec, frames):
    """Raises when the functions as Python and as compiled do not do the same."""
    with (
        closing(Evaluation(spec, frames)) as fast,
        closing(Evaluation(spec, frames, functions=INTERPRETED)) as plain,
    ):
        [one], [other] = fast.chunk([{}], 0), plain.chunk([{}], 0)
        assert str(confirmation.noted_fills(fast, {})) == str(confirmation.noted_fills(plain, {}))
    assert one.metrics["final_value"] == other.metrics["final_value"]
    for name in METRICS:
        np.testing.assert_allclose(
            one.metrics[name], other.metrics[name], 1e-9, 1e-12, err_msg=name
        )
    np.testing.assert_allclose(one.blocks, other.blocks, 1e-9, 1e-12)


@pytest.fixture(scope="module")
def sectors():
    """A year and a half of three synthetic feeds."""
    return history("synthetic", ("XLE", "XLF", "XLK"), "2020-01-01", "2021-06-30")


@pytest.mark.parametrize("account", ACCOUNTS, ids=["percent", "small"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_our_strategies_on_synthetic_feeds_are_those_of_cerebro(strategy, account, sectors):
    compiled.confirm(RunSpec(strategy, **account, turbo=False), sectors, SETS[strategy])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_our_strategies_on_real_prices_are_those_of_cerebro(strategy, market):
    frames = {}
    for name in ("AAPL-2012-2014.csv", "KO-2012-2014.csv"):
        frames |= history("files", (), path=market / name)
    frames["KO"] = frames["KO"].iloc[40:-7:2]  # another calendar
    compiled.confirm(RunSpec(strategy, **ACCOUNTS[0], turbo=False), frames, SETS[strategy])
