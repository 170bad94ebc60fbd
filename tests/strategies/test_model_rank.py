"""A model of a training set, traded through the seam of every strategy."""

import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from analyzers.study.dataset import DatasetSettings, dataset
from analyzers.study.splits import PurgedKFold
from backtest import run
from feeds import history
from strategies.model_rank import FEATURES, Learned, ModelRank, features, learn
from tests.strategies.stage import flat, play, walk

SYMBOLS = ("XLK", "XLF", "XLE", "XLV")
THEN = datetime(2023, 6, 30, tzinfo=UTC)
CHOSEN = DatasetSettings(features=FEATURES, label="return", horizon=10)


@pytest.fixture(scope="module")
def frames():
    return history("synthetic", SYMBOLS, "2022-01-03", "2024-06-28")


@pytest.fixture(scope="module")
def table(frames):
    return dataset(frames, CHOSEN).table


@pytest.fixture(scope="module")
def known(table):
    """What was known by the end of June 2023."""
    return table[table["label_end"] <= pd.Timestamp(THEN)]


@pytest.fixture
def saved(known, tmp_path):
    model = learn(known[list(FEATURES)], known["outcome"], known["weight"])
    until = known["label_end"].max().to_pydatetime()
    return Learned(model, until).save(tmp_path / "model.joblib")


def test_its_features_are_those_of_the_training_set(frames, table):
    close = np.stack([frames[name]["close"] for name in SYMBOLS], axis=1)
    rows = pd.DataFrame(features(close)[:, 2], columns=FEATURES, index=frames["XLE"].index)
    own = table[table["symbol"] == "XLE"].set_index("time")[list(FEATURES)]
    pd.testing.assert_frame_equal(rows.loc[own.index], own, rtol=1e-9, check_freq=False)


def test_a_model_of_the_set_trades_what_comes_after_it_alone(frames, saved):
    result = run("model_rank", frames, params={"model": str(saved), "top": 2})
    filled = pd.DatetimeIndex(result.fills["at"])
    assert len(filled) > 10
    assert filled.min() > pd.Timestamp(THEN)
    assert result.final_value != 100_000


def test_purged_folds_of_the_set_never_train_on_what_they_test(known):
    starts, ends = (known[name].to_numpy() for name in ("time", "label_end"))
    for train, test in PurgedKFold(starts, ends, 3, np.timedelta64(5, "D")).split(known):
        model = learn(known.iloc[train][list(FEATURES)], known.iloc[train]["outcome"])
        assert np.isfinite(model.predict(known.iloc[test][list(FEATURES)].to_numpy())).all()
        assert not set(train) & set(test)


def test_what_it_learns_is_ridge_regression_by_its_formula():
    rng = np.random.default_rng(3)
    rows, outcomes = rng.normal(size=(60, 6)), rng.normal(size=60)
    weights = rng.uniform(0.5, 2.0, 60)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    middle = np.average(z, axis=0, weights=weights)
    mean = np.average(outcomes, weights=weights)
    left = (z - middle).T @ (weights[:, None] * (z - middle)) + np.eye(6)
    slopes = np.linalg.solve(left, (z - middle).T @ (weights * (outcomes - mean)))
    expected = mean + (z - middle) @ slopes
    assert learn(rows, outcomes, weights).predict(rows) == pytest.approx(expected)


def test_too_little_past_teaches_nothing():
    assert play(ModelRank, walk(160)).orders == []


def test_what_is_expected_to_fall_is_not_held():
    falling = flat(list(100 * 0.99 ** np.arange(300)))
    assert play(ModelRank, falling).orders == []


def test_what_is_expected_to_rise_is_held_and_the_reason_says_how_much():
    reasons = []

    class Says(ModelRank):
        def notify_order(self, order):
            reasons.append(order.info.get("reason"))

    played = play(Says, flat(list(100 * 1.001 ** np.arange(300))))
    assert played.fills()[0][2] > 0
    assert reasons[0] == "the model expects +1.00%, rank 1"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"horizon": 0}, r"horizon \(0\) must be at least 1"),
        ({"top": 0}, r"top \(0\)"),
        ({"invested": 1.5}, r"invested \(1.5\)"),
        ({"model": "nowhere.joblib"}, r"nowhere.joblib cannot be read"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params, text):
    with pytest.raises(ValueError, match=text):
        play(ModelRank, walk(30), **params)


def test_a_file_that_holds_something_else_is_refused(tmp_path):
    import joblib  # noqa: PLC0415

    joblib.dump({"a": 1}, tmp_path / "x.joblib")
    with pytest.raises(ValueError, match="holds a dict: save a Learned"):
        Learned.load(str(tmp_path / "x.joblib"))


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="needs a time zone"):
        Learned(None, datetime(2024, 1, 1))


def test_without_scikit_learn_the_extra_is_named():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from strategies import find, names\n"
        "from strategies.model_rank import learn\n"
        "assert 'model_rank' in names() and find('model_rank')\n"
        "learn([[0.0]], [0.0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "model_rank needs scikit-learn: pip install 'seawall[ml]'" in done.stderr
