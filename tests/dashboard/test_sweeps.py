import dataclasses
import os

import numpy as np
import pytest

from analyzers.overfit import deflated_sharpe
from backtest import sweep
from backtest.sweep_archive import save
from dashboard.views.sweeps import deflated
from tests.dashboard.shown import shown
from tests.strategies.stage import flat, walk

GRID = {"fast": [5, 10], "slow": [30, 60]}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    place = tmp_path_factory.mktemp("sweep") / "ledger.sqlite"
    frame = walk(400, 3).tz_localize("UTC")
    return sweep("sma_cross", {"SPY": frame}, GRID, backend="sequential", confirm=0, ledger=place)


@pytest.fixture
def out(tmp_path, result):
    save(result, tmp_path / "one" / "sweep")
    return tmp_path


@pytest.fixture(scope="module")
def text(result, tmp_path_factory):
    """The page before anybody touched it."""
    return shown("sweeps", save(result, tmp_path_factory.mktemp("out") / "sweep").parent).text


def test_the_best_set_is_told_with_what_chance_explains(text, result):
    chance = result.overfit
    assert "Sweeps sma_cross on SPY · 4 sets" in text
    assert f"DSR {chance.dsr:.1%} left after 4 trials" in text
    assert f"PBO {chance.pbo:.1%}" in text
    assert f"PSR {chance.psr:.1%}" in text


def test_every_sharpe_ratio_has_its_deflated_one_and_the_sweeps_pbo_beside_it(text, result):
    variance, trials = result.tried.variance, result.tried.trials
    for number, row in result.ranked().iterrows():
        mean, deviation, skew, kurtosis = result.outcomes.moments[number]
        periods = int(result.outcomes.periods[number])
        dsr = deflated_sharpe(mean / deviation, periods, skew, kurtosis, trials, variance)
        found = (
            f"{row['fast']} {row['slow']} {row['sharpe']:.2f} {dsr:.1%} {result.overfit.pbo:.1%}"
        )
        assert found in text


def test_the_deflated_sharpe_of_the_best_is_the_sweeps_own(result):
    assert deflated(result, int(result.best().name)) == result.overfit.dsr


def test_the_objective_is_drawn_over_any_two_parameters(out):
    page = shown("sweeps", out)
    assert {"fast", "slow", "sharpe"} <= page.titles()
    page.then(lambda app: app.selectbox(key="metric").select("max_drawdown"))
    assert "max drawdown" in page.titles()
    page.then(lambda app: app.selectbox(key="down").select("fast"))
    assert {"fast", "all sets"} <= page.titles()
    assert "A cell is the best over slow." in page.text


def test_chance_that_explains_much_is_said_aloud(text, result):
    assert result.overfit.dsr < 0.95
    assert "Chance explains much of this" in text


def test_an_interrupted_sweep_says_so(tmp_path, result):
    save(dataclasses.replace(result, partial=True), tmp_path / "part")
    assert "This sweep was interrupted" in shown("sweeps", tmp_path).text


def test_sets_without_an_objective_are_no_table(tmp_path):
    still = {"SPY": flat([50.0] * 200).tz_localize("UTC")}
    ledger = tmp_path / "ledger.sqlite"
    save(sweep("sma_cross", still, GRID, backend="sequential", confirm=0, ledger=ledger), tmp_path)
    page = shown("sweeps", tmp_path)
    assert "No set has a sharpe: none traded enough." in page.text
    assert page.charts == []


def test_what_is_not_determined_is_a_dash(tmp_path, result):
    outcomes = result.outcomes
    blind = dataclasses.replace(outcomes, moments=np.zeros_like(outcomes.moments))
    save(dataclasses.replace(result, outcomes=blind), tmp_path)
    assert "DSR - left after" in shown("sweeps", tmp_path).text


def test_the_newest_sweep_is_shown_first(out, result):
    save(dataclasses.replace(result, partial=True), out / "two")
    os.utime(out / "two" / "sweep.json", (1, 1))
    page = shown("sweeps", out)
    assert page.app.selectbox(key="sweep").options == ["one/sweep", "two"]
    assert "interrupted" not in page.text


def test_without_a_sweep_the_command_is_named(tmp_path):
    assert "Make one: python -m backtest sweep" in shown("sweeps", tmp_path).text
