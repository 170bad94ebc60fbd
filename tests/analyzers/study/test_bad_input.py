"""Bars that are poor, odd or wrong: a reason or null, never a silent zero."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from analyzers.study.dataset import DatasetSettings, dataset
from analyzers.study.ranking import RankingReport, RankingSettings, ranking
from brokers.errors import DataError
from tests.analyzers.study.test_ranking import FRAMES

AT = datetime(2024, 1, 2, tzinfo=UTC)
SMALL = DatasetSettings(features=("return_5", "above_mean_20", "standing_return_5"), horizon=5)


def ranked(frames, **settings):
    report = ranking(frames, generated_at=AT, settings=RankingSettings(**settings))
    return {row.symbol: row for row in report.ranking}


def test_one_bar_only_ranks_nobody_and_is_no_set():
    single = {name: frame.iloc[-1:] for name, frame in FRAMES.items()}
    rows = ranked(single)
    assert {row.rank for row in rows.values()} == {None}
    assert "1 bars do not determine momentum_12_1" in rows["S0"].reason
    assert set(rows["S0"].factors.values()) == {None}
    with pytest.raises(DataError, match="no row is left of 1 days and 9 symbols"):
        dataset(single)


def test_one_bar_of_one_symbol_leaves_the_others_as_they_are():
    without = {name: frame for name, frame in FRAMES.items() if name != "S3"}
    rows = ranked({**FRAMES, "S3": FRAMES["S3"].iloc[-1:]})
    assert rows["S3"].rank is None
    wanted = {name: row.score for name, row in ranked(without).items()}
    assert {name: rows[name].score for name in without} == pytest.approx(wanted)


def test_prices_that_never_move_make_no_labels_and_rank_alike():
    still = {name: frame.assign(open=5, high=5, low=5, close=5) for name, frame in FRAMES.items()}
    still = {name: frame.astype("float64") for name, frame in still.items()}
    report = ranking(still, generated_at=AT)
    assert {row.score for row in report.ranking} == {0.0}
    assert {(it.ic_mean, it.ic_t) for it in report.judged} == {(None, None)}
    with pytest.raises(DataError, match="no row is left"):
        dataset(still)


def test_zero_volume_has_no_liquidity_and_no_illiquidity():
    dry = {name: frame.assign(volume=0.0) for name, frame in FRAMES.items()}
    rows = ranked(dry, weights={"liquidity": 1.0, "reversal": 1.0})
    assert {row.factors["liquidity"] for row in rows.values()} == {None}
    assert rows["S0"].reason == "400 bars do not determine liquidity"
    made = dataset(dry, DatasetSettings(features=("illiquidity", "return_5"), horizon=5))
    assert made.manifest["left_out"] == ["illiquidity"]


def test_missing_sessions_are_bridged_by_the_last_close_and_make_no_row():
    holes = FRAMES["S3"].index[[100, 250, 251, 300]]
    frames = {**FRAMES, "S3": FRAMES["S3"].drop(holes)}
    assert ranked(frames)["S3"].factors["reversal"] == pytest.approx(
        1 - FRAMES["S3"]["close"].iloc[-1] / FRAMES["S3"]["close"].iloc[-22]
    )
    table = dataset(frames, SMALL).table
    times = table[table["symbol"] == "S3"]["time"]
    assert not times.isin(holes).any()
    assert len(table) == len(dataset(FRAMES, SMALL).table) - 4


def test_symbols_of_different_calendars_meet_on_the_days_of_either():
    every_day = pd.date_range("2020-01-01", periods=560, tz="UTC")
    close = 50 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.02, 560)))
    coin = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index=every_day)
    frames = {**FRAMES, "COIN": coin.assign(volume=1.0)}
    assert ranked(frames)["COIN"].rank is not None
    table = dataset(frames, SMALL).table
    weekend = table[table["time"].dt.day_of_week > 4]
    assert set(weekend["symbol"]) == {"COIN"}


def test_a_split_that_nobody_adjusted_is_doubted():
    split = FRAMES["S3"].copy()
    split.iloc[300:, :4] /= 4
    split.attrs = {}
    report = ranking({**FRAMES, "S3": split}, generated_at=AT)
    assert list(report.doubts) == ["S3"]
    assert report.doubts["S3"].startswith(f"its close of {split.index[300]:%Y-%m-%d} is 0.2")


def test_a_ranking_of_an_older_schema_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "ranking.json"
    path.write_text('{"schema_version": 1}')
    with pytest.raises(DataError, match="has schema version 1, this program reads 2: write it"):
        RankingReport.load(path)
