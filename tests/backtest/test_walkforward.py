import json
from dataclasses import dataclass

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from backtest.cli import main
from backtest.spec import RunSpec
from backtest.sweep_spec import SweepSpec
from backtest.walkforward import walk_forward
from brokers.errors import ConfigError
from strategies import SignalStrategy
from tests.strategies.stage import walk

NOISE = walk(260, 3).tz_localize("UTC")


def hill():
    """Up for sixty bars, down for sixty: long is best first, then short."""
    close = 100.0 + np.concatenate([np.arange(60.0), 60.0 - np.arange(60.0)])
    close += np.tile([0.0, 0.3], 60)
    prices = {"open": close - 0.25, "high": close + 1, "low": close - 1, "close": close}
    index = pd.date_range("2024-01-01", periods=120, tz="UTC")
    return pd.DataFrame({**prices, "volume": 1.0}, index=index)


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


def spec(strategy, grid, **how):
    run = RunSpec(strategy, cash=1000.0)
    return SweepSpec(run, grid, backend="sequential", ledger=":memory:", **how)


HILL = hill()


@pytest.fixture(scope="module")
def walked():
    grid = {"side": [1, -1]}
    return walk_forward(spec(Side, grid, objective="total_return"), HILL, train=20, test=20)


def test_each_window_trades_what_was_best_before_it(walked):
    assert [walk.params["side"] for walk in walked.walks] == [1, 1, 1, -1, -1]


def test_a_test_begins_flat_and_fills_at_its_first_open(walked):
    first = walked.walks[0]
    opens, closes = HILL["open"].to_numpy(), HILL["close"].to_numpy()
    assert first.equity.iloc[0] == 1000.0 - opens[20] + closes[20]
    assert first.final_value == pytest.approx(1000.0 - opens[20] + closes[39])
    assert first.trades["entry_at"].tolist() == [HILL.index[21]]


def test_capital_goes_on_from_test_to_test(walked):
    opens, closes = HILL["open"].to_numpy(), HILL["close"].to_numpy()
    gains = sum(
        s * (closes[a + 19] - opens[a])
        for a, s in zip(range(20, 120, 20), [1, 1, 1, -1, -1], strict=True)
    )
    assert walked.final_value == pytest.approx(1000.0 + gains)
    assert len(walked.equity) == 100
    assert walked.equity.index.is_monotonic_increasing


def test_training_results_stand_beside_the_tests(walked):
    row = walked.windows().iloc[0]
    closes, opens = HILL["close"].to_numpy(), HILL["open"].to_numpy()
    gain = (closes[19] - opens[1]) / 1000.0
    assert row["objective"] == pytest.approx(gain)
    assert row["train_return"] == pytest.approx((1 + gain) ** (252 / 20) - 1)


def test_efficiency_is_return_in_tests_over_return_in_training(walked):
    table = walked.windows()
    expected = table["test_return"].mean() / table["train_return"].mean()
    assert walked.efficiency == pytest.approx(expected)


def test_stability_by_hand(walked):
    row = walked.stability().iloc[0]
    assert (row["distinct"], row["most_common"]) == (2, 1)
    assert (row["share"], row["step"]) == (0.6, 0.25)


def test_an_anchored_walk_remembers_the_beginning():
    how = {"grid": {"side": [1, -1]}, "objective": "total_return"}
    result = walk_forward(spec(Side, **how), HILL, train=20, test=20, anchored=True)
    assert [walk.params["side"] for walk in result.walks] == [1, 1, 1, 1, 1]
    assert {walk.window.train_from for walk in result.walks} == {HILL.index[0]}


def test_without_an_objective_the_test_is_spent_in_cash():
    result = walk_forward(spec(Idle, {"nothing": [1, 2]}), HILL, train=50, test=50)
    assert [walk.params for walk in result.walks] == [None, None]
    assert set(result.equity) == {1000.0}
    assert result.walks[0].why_idle == "no set has a sharpe in training"
    assert np.isnan(result.efficiency)
    assert result.stability()["distinct"].tolist() == [0]


def test_orders_of_the_warm_up_are_no_trades():
    grid = {"fast": [3, 5], "slow": [10, 20]}
    result = walk_forward(spec("sma_cross", grid), NOISE, train=120, test=60)
    for one in result.walks:
        assert (one.trades["entry_at"] >= one.window.test_from).all()
    assert result.trials == 12


def test_the_same_walk_gives_the_same_result():
    grid = {"fast": [3, 5], "slow": [10, 20]}
    one, other = (
        walk_forward(spec("sma_cross", grid), NOISE, train=120, test=60) for _ in range(2)
    )
    pd.testing.assert_series_equal(one.equity, other.equity, check_exact=True)


def test_keywords_describe_the_sweep_as_well():
    how = {"cash": 1000.0, "backend": "sequential", "ledger": ":memory:"}
    grid = {"side": [1, -1]}
    one = walk_forward(Side, HILL, grid, train=40, test=40, **how)
    other = walk_forward(spec(Side, grid), HILL, train=40, test=40)
    pd.testing.assert_series_equal(one.equity, other.equity, check_exact=True)


@pytest.mark.parametrize(
    ("args", "how", "text"),
    [
        ((Side, HILL, {"side": [1]}), {"objectiv": "sharpe"}, "did you mean 'objective'"),
        ((Side, HILL), {}, "no parameters in it"),
        ((spec(Side, {"side": [1]}), HILL), {"cash": 1.0}, "says it all"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(args, how, text):
    with pytest.raises(ConfigError, match=text):
        walk_forward(*args, train=40, test=40, **how)


def test_the_report_counts_windows():
    told = []
    grid = {"side": [1]}
    walk_forward(spec(Side, grid), HILL, train=40, test=40, report=lambda *it: told.append(it))
    assert told == [(1, 2), (2, 2)]


def test_ctrl_c_leaves_the_finished_windows():
    def interrupt(done, _):
        if done == 2:
            raise KeyboardInterrupt

    grid = {"side": [1]}
    result = walk_forward(spec(Side, grid), HILL, train=20, test=20, report=interrupt)
    assert result.partial
    assert len(result.walks) == 2
    assert "PARTIAL" in repr(result)


def test_ctrl_c_before_a_window_is_finished_leaves_nothing():
    class Interrupted(bt.Strategy):
        params = (("nothing", 1),)

        def next(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk_forward(spec(Interrupted, {"nothing": [1]}), HILL, train=20, test=20)


def test_an_account_that_is_lost_ends_the_walk():
    close = np.concatenate([np.linspace(1, 50, 30), np.linspace(100, 3000, 60)])
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    index = pd.date_range("2024-01-01", periods=90, tz="UTC")
    frame = pd.DataFrame({**prices, "volume": 1.0}, index=index)
    how = {"grid": {"side": [-1]}, "objective": "total_return"}
    result = walk_forward(spec(Side, **how), frame, train=30, test=30)
    assert len(result.walks) == 1
    assert result.final_value < 0


def test_feeds_of_backtraders_own_are_refused():
    feed = bt.feeds.PandasData(dataname=HILL)
    with pytest.raises(ConfigError, match="read it into a frame"):
        walk_forward(spec(Side, {"side": [1]}), feed, train=20, test=20)


def test_the_picture_and_the_card_name_the_trials(walked):
    assert walked.figure()._repr_png_().startswith(b"\x89PNG")
    assert "after 10 trials" in walked._repr_html_()


def test_the_command_prints_one_json_object(tmp_path, capsys):
    code = main(
        [
            *("walkforward", "sma_cross", "--grid", "fast=3,5", "--grid", "slow=20,40"),
            *("--train", "200", "--test", "100", "--backend", "sequential", "--json"),
            *("--ledger", ":memory:", "--out", str(tmp_path / "out")),
        ]
    )
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["trials"] == 4 * len(told["windows"])
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {"walkforward.json", "windows.csv", "walkforward.png"}


def test_the_command_shows_windows_and_what_they_came_to(capsys):
    args = ["walkforward", "sma_cross", "--grid", "fast=3,5", "--train", "300", "--test", "200"]
    assert main([*args, "--backend", "sequential", "--ledger", ":memory:"]) == 0
    shown = capsys.readouterr().out
    assert "efficiency" in shown
    assert "trials in training" in shown
