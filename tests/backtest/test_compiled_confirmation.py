from dataclasses import replace

import pandas as pd
import pytest

from backtest import compiled, run
from backtest.compiled import confirmation
from brokers.errors import DataError
from tests.backtest.test_compiled_evaluation import SPEC, Misshapen, bars

FRAMES = {"X": bars()}
PARAMS = {"fast": 3, "slow": 9}


@pytest.fixture(scope="module")
def result():
    return run("sma_cross", FRAMES, params=PARAMS, cash=10_000, commission=0.001, size=10)


@pytest.fixture(scope="module")
def fills():
    return compiled.fills_of(SPEC, FRAMES, PARAMS)


def test_fills_are_those_of_the_run(result, fills):
    assert len(fills) == len(result.fills) > 10
    assert fills.price.tolist() == result.fills["price"].tolist()
    assert fills.commission.tolist() == result.fills["commission"].tolist()
    assert fills.size.tolist() == result.fills["quantity"].tolist()
    assert list(fills.at) == result.fills["at"].tolist()
    assert set(fills.symbol) == {"X"}
    assert fills.final_value == result.final_value


def test_fills_carry_the_number_of_their_bar(fills):
    starts = FRAMES["X"].index[fills.bar]
    assert list(starts + pd.Timedelta(hours=1)) == list(fills.at)


def test_a_confirmation_names_the_set(result):
    (confirmed,) = compiled.confirm(SPEC, FRAMES, [PARAMS])
    assert confirmed == compiled.Confirmation(PARAMS, len(result.fills), result.final_value)


def test_a_fill_that_differs_is_named_with_set_bar_and_both_values(result, fills):
    price = fills.price.copy()
    price[4] += 1e-9
    with pytest.raises(
        DataError, match=r"fast=3, slow=9: .* fill 5: the kernel has .* on the bar to 2024"
    ):
        confirmation._compare_fills(PARAMS, replace(fills, price=price), result.fills)


def test_a_fill_that_only_cerebro_has_is_named(result, fills):
    longer = result.fills.iloc[[*range(len(fills)), 0]]
    with pytest.raises(DataError, match="the kernel has none, Cerebro 10"):
        confirmation._compare_fills(PARAMS, fills, longer)


@pytest.mark.parametrize(("name", "error"), [("final_value", 1e-10), ("sharpe", 1e-6)])
def test_a_metric_that_differs_is_named(result, name, error):
    ((_, outcomes),) = compiled.evaluate(SPEC, FRAMES, [PARAMS])
    confirmation._compare_metrics(PARAMS, outcomes, result, 10_000.0)
    outcomes.metrics[name] *= 1 + error
    with pytest.raises(DataError, match=f"{name} at the last bar, 2024.* the kernel has"):
        confirmation._compare_metrics(PARAMS, outcomes, result, 10_000.0)


def test_a_set_without_parameters_is_named_too(fills, result):
    with pytest.raises(DataError, match=r"^no parameters: the compiled run differs"):
        confirmation._compare_fills({}, fills, result.fills.iloc[:0])


def test_a_set_that_fails_in_cerebro_fails_to_confirm_in_its_words():
    with pytest.raises(ValueError, match="of shape"):
        compiled.confirm(replace(SPEC, strategy=Misshapen), FRAMES, [{}])
