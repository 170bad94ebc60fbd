import json
from math import erf, sqrt

import numpy as np
import pandas as pd
import pytest

from analyzers.overfit import pbo_of_returns
from backtest import SweepResult, run, sweep, sweep_cards
from backtest.sweep_archive import SETS, SUMMARY
from brokers.errors import ConfigError, DataError
from tests.backtest.sweep_stage import Above, Skips, walk

BARS = walk(400)


def swept(grid=None, **how):
    usual = {"backend": "sequential", "engine": "cerebro", "ledger": ":memory:"}
    return sweep(how.pop("strategy", Above), BARS, grid or {"period": range(2, 12)}, **usual, **how)


@pytest.fixture(scope="module")
def result():
    return swept({"period": range(2, 12), "factor": [1.0, 1.01]}, params={"raises": (5,)})


@pytest.fixture(scope="module")
def barren():
    return swept({"period": [3, 4]}, params={"factor": 9.0})


def test_psr_and_pbo_are_those_of_the_returns():
    """PSR by its formula on the best run's returns, PBO from the series of all runs."""
    result = swept()
    runs = [run(Above, BARS, params={"period": period}) for period in range(2, 12)]
    returns = [it.equity.to_numpy() / np.append(1e5, it.equity[:-1]) - 1 for it in runs]
    best = returns[int(result.best()["period"]) - 2]
    away = (best - best.mean()) / best.std()
    ratio = best.mean() / best.std(ddof=1)
    scale = 1 - (away**3).mean() * ratio + ((away**4).mean() - 1) / 4 * ratio**2
    z = ratio * np.sqrt((len(best) - 1) / scale)
    assert result.overfit.sharpe == pytest.approx(ratio)
    assert result.overfit.psr == pytest.approx(normal(z))
    assert result.overfit.pbo == pytest.approx(pbo_of_returns(np.column_stack(returns)).value)


def normal(z):
    return (1 + erf(z / sqrt(2))) / 2


def test_chance_is_the_best_of_all_trials():
    """The ledger has two trials here: E[max] of two is 0.5772 * probit(1 - 1 / (2 e))."""
    result = swept({"period": [3, 9]})
    ratios = result.outcomes.moments[:, 0] / result.outcomes.moments[:, 1]
    expected_max = 0.5772156649 * 0.9002
    assert result.overfit.chance == pytest.approx(np.std(ratios, ddof=1) * expected_max, rel=1e-3)


def test_no_text_shows_a_sharpe_ratio_without_the_number_of_trials(result):
    texts = [result._repr_html_(), repr(result), str(sweep_cards.facts(result))]
    charts = (result.heatmap(), result.parallel_coordinates())
    texts += [chart.axes[0].get_title() for chart in charts]
    assert len(result) == result.trials + 2 == 20
    for text in texts:
        assert "18 trials" in text
    assert result.as_json()["trials"] == 18


def test_the_json_has_no_nan(result, barren):
    for one in (result, barren):
        told = json.loads(json.dumps(one.as_json(), allow_nan=False))
        assert {"best", "sets", "seconds", "engine", "dsr", "pbo", "trials"} <= told.keys()
    assert result.as_json()["best"]["period"] == result.best()["period"]
    assert result.as_json()["failed"] == 2
    assert barren.as_json()["best"] is None


def test_a_saved_sweep_is_the_same_when_it_is_read_again(result, tmp_path):
    again = SweepResult.load(result.save(tmp_path))
    pd.testing.assert_frame_equal(again.table, result.table, check_exact=True)
    assert again.as_json() == result.as_json()
    assert again.overfit == result.overfit
    assert again.passports == result.passports
    assert again._repr_html_() == result._repr_html_()


@pytest.mark.parametrize("name", [SETS, SUMMARY])
def test_a_saved_sweep_that_was_changed_is_refused(result, tmp_path, name):
    result.save(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"was changed after|is not what save"):
        SweepResult.load(tmp_path)


def test_a_folder_without_a_sweep_is_named(result, tmp_path):
    with pytest.raises(DataError, match=r"no saved sweep in .*sweep.json: No such file"):
        SweepResult.load(tmp_path)
    result.save(tmp_path)
    about = json.loads((tmp_path / SUMMARY).read_text()) | {"format": 9}
    (tmp_path / SUMMARY).write_text(json.dumps(about))
    with pytest.raises(DataError, match="has format 9, this version reads 1"):
        SweepResult.load(tmp_path)


def test_the_heatmap_shows_the_best_over_the_other_parameters():
    result = swept({"period": [3, 6], "factor": [1.0, 1.02]})
    image = result.heatmap("period", "factor").axes[0].images[0].get_array()
    table = result.table.pivot_table("sharpe", "factor", "period")
    np.testing.assert_array_equal(image, table)
    alone = result.heatmap("period", "period").axes[0].images[0].get_array()
    np.testing.assert_array_equal(alone[0], table.max())
    assert result.heatmap("period", "period").axes[0].get_title().count("the best over factor") == 1


def test_a_heatmap_of_what_was_not_swept_is_refused(result):
    with pytest.raises(ConfigError, match="did you mean 'period'"):
        result.heatmap("perid")


def test_parallel_coordinates_have_a_line_for_each_set_that_has_an_objective(result):
    chart = result.parallel_coordinates()
    assert len(chart.axes[0].collections[0].get_segments()) == 18
    assert chart._repr_png_().startswith(b"\x89PNG")


def test_pictures_and_cards_stand_one_parameter_texts_and_no_numbers(barren):
    one = swept({"raises": [(), (1,)]}, params={"period": 4})
    assert len(one.parallel_coordinates().axes[0].collections[0].get_segments()) == 2
    assert "none has a sharpe" in barren._repr_html_()
    few = swept({"period": [1, 2]}, strategy=Skips, objective="final_value")
    assert few.heatmap().axes
    assert "not determined" in few._repr_html_()


def test_a_sweep_tells_itself_in_one_line(result):
    name = "tests.backtest.sweep_stage:Above"
    assert repr(result) == f"SweepResult({name}: 20 sets, 2 failed of 18 trials in all, cerebro)"
