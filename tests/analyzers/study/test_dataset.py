import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analyzers.study.dataset import Dataset, DatasetSettings, dataset
from analyzers.study.splits import PurgedKFold
from brokers.errors import ConfigError, DataError
from feeds.passport import stamp

SOME = ("return_5", "volatility_21", "standing_return_21", "against_sector_5", "month")
SECTORS = {"A": "Energy", "B": "Energy", "C": "Utilities"}


def bars(seed, rows=200, start="2020-01-01"):
    rng = np.random.default_rng(seed)
    index = pd.bdate_range(start, periods=rows, tz="UTC")
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.015, rows)))
    table = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    frame = pd.DataFrame({**table, "volume": rng.uniform(1e5, 1e6, rows)}, index=index)
    return stamp(frame, symbol="X", source="files", timeframe="1d")


FRAMES = {name: bars(seed) for seed, name in enumerate("ABC")}
MADE = dataset(FRAMES, DatasetSettings(features=SOME, horizon=5), SECTORS)


def made(frames=FRAMES, sectors=SECTORS, **how):
    return dataset(frames, DatasetSettings(**{"features": SOME, "horizon": 5, **how}), sectors)


def test_a_row_holds_what_was_known_and_what_became_of_it():
    set_ = made(label="return")
    row = set_.table[(set_.table["symbol"] == "B")].iloc[40]
    close = FRAMES["B"]["close"]
    at = close.index.get_loc(row["time"])
    assert row["return_5"] == pytest.approx(close.iloc[at] / close.iloc[at - 5] - 1)
    assert row["label"] == pytest.approx(close.iloc[at + 5] / close.iloc[at] - 1)
    assert row["label_end"] == close.index[at + 5]


def test_rows_are_in_order_of_time_and_symbol_whatever_the_order_of_the_frames():
    other = made(dict(reversed(FRAMES.items())))
    assert other.manifest == MADE.manifest
    pd.testing.assert_frame_equal(other.table, MADE.table)
    keys = list(zip(MADE.table["time"], MADE.table["symbol"], strict=True))
    assert keys == sorted(keys)


def test_the_same_bars_give_the_same_bytes(tmp_path):
    one, other = (made().save(tmp_path / name) for name in ("one", "other"))
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) > 5
    assert [(one / f).read_bytes() for f in files] == [(other / f).read_bytes() for f in files]


def test_another_bar_gives_another_hash():
    frame = FRAMES["A"].copy()
    frame.iloc[100, 3] *= 1.001
    assert made({**FRAMES, "A": frame}).manifest["sha256"] != MADE.manifest["sha256"]


def test_a_saved_set_is_read_as_it_was(tmp_path):
    again = Dataset.load(MADE.save(tmp_path / "set"))
    pd.testing.assert_frame_equal(again.table, MADE.table, check_exact=True)


def test_a_set_is_written_over_an_earlier_one_and_over_nothing_else(tmp_path):
    made(horizon=9).save(tmp_path / "set")
    MADE.save(tmp_path / "set")
    assert len(Dataset.load(tmp_path / "set").table) == len(MADE.table)
    (tmp_path / "set" / "thesis.txt").touch()
    with pytest.raises(ConfigError, match=r"thesis\.txt"):
        MADE.save(tmp_path / "set")


def test_a_set_that_was_changed_is_refused(tmp_path):
    folder = MADE.save(tmp_path / "set")
    next(folder.glob("month=*/part.parquet")).unlink()
    with pytest.raises(DataError, match="was changed"):
        Dataset.load(folder)


def test_a_set_without_its_manifest_is_none(tmp_path):
    with pytest.raises(DataError, match="no complete set"):
        Dataset.load(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write the set"):
        MADE.save(tmp_path / "file" / "set")


def test_classes_weigh_the_same_together():
    sums = MADE.table.groupby("label")["weight"].sum()
    assert sums.to_numpy() == pytest.approx(np.full(len(sums), sums.mean()))
    assert MADE.manifest["classes"] == {
        f"{label:g}": count for label, count in MADE.table["label"].value_counts().items()
    }


def test_weights_without_balance_are_the_uniqueness():
    weights = made(balanced=False, label="direction").table["weight"]
    assert weights.between(0.2 - 1e-12, 1.0).all()


def test_rows_with_an_unknown_feature_are_dropped_or_kept():
    kept, dropped = (made(missing=how, label="direction").table for how in ("keep", "drop"))
    assert kept["volatility_21"].isna().sum() == 3 * 21
    assert not dropped.isna().any().any()
    assert len(kept) == len(dropped) + 3 * 21


def test_features_that_nothing_determines_are_left_out_and_named():
    without = made(sectors=None)
    assert without.manifest["left_out"] == ["against_sector_5"]
    assert "against_sector_5" not in without.table


def test_a_symbol_has_no_row_before_its_first_bar():
    late = {**FRAMES, "C": bars(2, 100, start=str(FRAMES["A"].index[100].date()))}
    table = made(late, missing="keep", label="return").table
    assert table.loc[table["symbol"] == "C", "time"].min() == late["C"].index[0]


def test_too_few_bars_are_no_set():
    with pytest.raises(DataError, match="no row is left of 10 days"):
        made({"A": bars(0, 10)})


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"features": ("luck",)}, "no feature 'luck'"),
        ({"features": ()}, "at least one feature"),
        ({"label": "up"}, "choose return"),
        ({"missing": "guess"}, "choose drop"),
        ({"horizon": 0}, "at least 1"),
        ({"stop_loss": -1.0}, "at least 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(how, text):
    with pytest.raises(ConfigError, match=text):
        DatasetSettings(**how)


def test_a_model_is_scaled_and_trained_within_purged_folds():
    table = MADE.table
    ends = table["label_end"].to_numpy(dtype="datetime64[ns]")
    split = PurgedKFold(table["time"].to_numpy(dtype="datetime64[ns]"), ends, 4)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    columns = list(MADE.manifest["features"])
    scores = cross_val_score(model, table[columns], table["label"], cv=split)
    assert len(scores) == 4
    assert np.isfinite(scores).all()
