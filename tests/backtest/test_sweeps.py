import sqlite3

import backtrader as bt
import numpy as np
import pytest

from backtest import run, sweep
from backtest.entries import LOST
from backtest.outcomes import METRICS
from brokers.errors import ConfigError, DataError
from strategies.sma_cross import SmaCross
from tests.backtest.sweep_stage import Above, Prints, walk

BARS = walk()
GRID = {"period": range(2, 12), "factor": [1.0, 1.01]}


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    """A ledger of the test's own."""
    path = tmp_path / "ledger.sqlite"
    monkeypatch.setenv("SEAWALL_LEDGER", str(path))
    return path


def swept(grid=GRID, strategy=Above, bars=BARS, **how):
    usual = {"backend": "sequential", "engine": "cerebro"}
    return sweep(strategy, bars, grid, **{**usual, **how})


def kept(ledger):
    with sqlite3.connect(ledger) as file:
        rows = file.execute("SELECT keys FROM entries").fetchall()
    file.close()
    return sum(len(keys.split("\n")) for (keys,) in rows)


def test_a_sweep_has_a_row_for_each_set_with_the_numbers_of_its_run():
    result = swept(commission=0.001, size=5)
    assert len(result) == 20
    assert list(result.table.columns) == ["period", "factor", *METRICS, "failed"]
    row = result.table.iloc[7]
    params = {"period": int(row["period"]), "factor": row["factor"]}
    whole = run(Above, BARS, params=params, commission=0.001, size=5)
    assert row["final_value"] == pytest.approx(whole.final_value, rel=1e-12)
    assert row["sharpe"] == pytest.approx(whole.metrics["sharpe"], rel=1e-9)


def test_the_best_set_is_the_first_with_the_largest_objective():
    result = swept(objective="max_drawdown")
    assert result.best()["max_drawdown"] == result.table["max_drawdown"].max()
    best = run(Above, BARS, params=result.best_params)
    assert best.metrics["max_drawdown"] == pytest.approx(result.best()["max_drawdown"], rel=1e-9)


def test_fixed_parameters_go_into_every_set():
    usual, never = (swept({"period": [5]}, params={"factor": it}).table for it in (1.0, 2.0))
    assert usual["trades"][0] > never["trades"][0] == 0


def test_sets_that_constraint_or_strategy_deny_are_counted():
    grid = {"fast": range(2, 6), "slow": range(4, 8)}
    result = swept(grid, SmaCross, constraint="slow - fast > 1")
    pairs = set(zip(result.table["fast"], result.table["slow"], strict=True))
    assert pairs == {(f, s) for f in range(2, 6) for s in range(4, 8) if s - f > 1}
    assert result.left_out == 16 - len(pairs)


def test_what_the_ledger_knows_is_not_run_again():
    first = swept({"period": range(2, 7)})
    wider = swept({"period": range(2, 12)})
    again = swept({"period": range(2, 12)})
    assert (first.known, wider.known, again.known) == (0, 5, 10)
    assert again.table.equals(wider.table)
    assert wider.table[:5].equals(first.table)


def test_a_sweep_can_be_run_afresh():
    result = swept()
    assert swept(resume=False).known == 0
    assert swept(resume=False).table.equals(result.table)


def test_all_trials_of_the_strategy_on_the_same_bars_count(ledger):
    first = swept({"period": range(2, 7)})
    second = swept({"period": range(5, 12)}, commission=0.01)
    elsewhere = swept({"period": [3]}, bars=walk(seed=3))
    assert (first.trials, second.trials, elsewhere.trials) == (5, 12, 1)
    assert kept(ledger) == 13


def test_more_trials_deflate_the_same_sharpe_ratio():
    first = swept({"period": range(2, 7)}).overfit
    swept({"period": range(7, 30)})
    second = swept({"period": range(2, 7)}).overfit
    assert second.trials > first.trials
    assert second.psr == first.psr
    assert second.dsr < first.dsr < first.psr


def test_sets_that_raise_are_rows_with_the_reason_and_the_rest_goes_on():
    result = swept({"period": range(2, 8)}, params={"raises": (4,)})
    failed = result.table[result.table["failed"].notna()]
    assert failed["period"].tolist() == [4]
    assert "ValueError: no luck with 4" in failed["failed"].iloc[0]
    assert result.failures == 1
    assert result.table["final_value"].notna().sum() == 5
    assert swept({"period": range(2, 8)}, params={"raises": (4,)}).known == 6


def test_a_sweep_without_any_success_says_why(ledger):
    with pytest.raises(DataError, match=r"every one of the 2 sets failed, the first \(period=3\)"):
        swept({"period": [3, 4]}, params={"raises": (3, 4)})
    assert kept(ledger) == 2


def test_worker_processes_give_the_same_table():
    assert swept(backend="loky", jobs=2).table.equals(swept(resume=False).table)


def test_a_lost_set_is_tried_again_the_next_time():
    grid, params = {"period": range(2, 6)}, {"dies": (4,)}
    first = swept(grid, params=params, backend="loky", jobs=2)
    assert first.table["failed"][2].startswith(LOST)
    second = swept(grid, params=params, backend="loky", jobs=2)
    assert second.known == 3
    assert second.table.equals(first.table)


@pytest.mark.parametrize("search", ["random", "tpe"])
def test_a_search_tries_as_many_sets_as_it_may_and_the_same_again(search):
    first = swept(search=search, trials=12, seed=5)
    again = swept(search=search, trials=12, seed=5)
    other = swept(search=search, trials=12, seed=6)
    assert len(first) == 12
    assert not first.table[["period", "factor"]].duplicated().any()
    assert again.table.equals(first.table)
    assert again.known == 12
    assert not other.table.equals(first.table)


def test_random_search_does_not_depend_on_the_backend():
    one = swept(search="random", trials=6, resume=False)
    other = swept(search="random", trials=6, resume=False, backend="loky", jobs=2)
    assert one.table.equals(other.table)


def test_several_feeds_are_swept_together():
    both = {"A": walk(), "B": walk(symbol="B", seed=2)}
    assert len(swept({"period": [3, 5]}, bars=both)) == 2


def test_what_a_strategy_prints_does_not_stop_the_sweep(capsys):
    assert len(swept({"period": [1, 2]}, Prints, objective="trades")) == 2
    assert "strategy says 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("how", "culprit"),
    [
        ({"grid": {}}, "grid: there are no parameters"),
        ({"grid": {"perod": [1]}}, "did you mean 'period'"),
        ({"grid": {"period": ["x"]}}, "period='x'"),
        ({"params": {"period": 5}}, "period is both in grid and in params"),
        ({"params": {"perod": 5}}, "did you mean 'period'"),
        ({"objective": "sharp"}, "objective='sharp': did you mean 'sharpe'"),
        ({"search": "gird"}, "did you mean 'grid'"),
        ({"engine": "numba"}, "engine='numba'"),
        ({"backend": "spark"}, "backend='spark'"),
        ({"jobs": 0}, "jobs=0"),
        ({"jobs": 1.5}, "jobs=1.5"),
        ({"seed": -1}, "seed=-1"),
        ({"confirm": -1}, "confirm=-1"),
        ({"trials": 5}, "trials: a grid tries every set"),
        ({"trials": 0, "search": "tpe"}, "trials=0"),
        ({"constraint": "period > 100"}, "every one of its 20 sets violates"),
        ({"constraint": lambda params: params["x"]}, "constraint: KeyError: 'x', with"),
        ({"cash": -1}, "cash=-1"),
        ({"bars": 5}, "bars: got int"),
    ],
)
def test_a_wrong_argument_is_named(how, culprit, ledger):
    with pytest.raises(ConfigError, match=culprit):
        swept(**how)
    assert not ledger.exists() or kept(ledger) == 0


def test_no_bars_at_all_are_refused():
    with pytest.raises(DataError, match="there is no bar"):
        swept(bars=BARS[:0])


def test_one_bar_is_too_few():
    with pytest.raises(DataError, match=r"every one of the 20 sets failed.* 1 bars are too few"):
        swept(bars=BARS[:1])


def test_a_set_that_never_trades_has_no_objective():
    result = swept({"period": [3, 4]}, params={"factor": 9.0})
    with pytest.raises(DataError, match="no set has a sharpe: none of 2 traded enough"):
        result.best()
    assert np.isnan(result.table["sharpe"]).all()


def test_a_feed_of_backtraders_own_is_refused():
    feed = bt.feeds.PandasData(dataname=BARS.tz_localize(None), name="mine")
    with pytest.raises(ConfigError, match="mine is a feed of Backtrader's own"):
        swept(bars=feed)


def test_an_interrupted_sweep_is_partial_and_goes_on_later():
    class Interrupted(Above):
        def next(self):
            if self.p.period == 5 and self.p.raises:
                raise KeyboardInterrupt
            super().next()

    result = swept({"period": range(2, 9)}, Interrupted, params={"raises": (99,)})
    assert result.partial
    assert result.table["period"].tolist() == [2, 3, 4]
    with pytest.raises(KeyboardInterrupt):
        swept({"period": [5]}, Interrupted, params={"raises": (99,)})
