"""The kernel against stock Cerebro behind the guard: fills and final value to the last bit."""

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
from tests.backtest.scripted import runs

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
    spec, frames = run
    with (
        closing(Evaluation(spec, frames)) as fast,
        closing(Evaluation(spec, frames, functions=INTERPRETED)) as plain,
    ):
        one, other = fast.chunk([{}], 0), plain.chunk([{}], 0)
        assert str(confirmation._fills(fast, {})) == str(confirmation._fills(plain, {}))
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
