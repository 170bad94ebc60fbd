"""The screen of one session of the embedded market, pinned, and its numbers by pandas and NumPy.

outlier_report.json says where it comes from.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyzers.outlier import OutlierReport, outliers
from feeds import history, universe
from tests.golden.pinned import compare

PINNED = json.loads(Path(__file__).with_name("outlier_report.json").read_text())
DAY = date(2024, 2, 7)
SYMBOLS = ("MED1", "MED2", "MED3", "MED4", "MED5", "MED6", "SPY")


@pytest.fixture(scope="module")
def minutes():
    return history("synthetic", SYMBOLS, "2024-01-08", "2024-02-07", "5m")


@pytest.fixture(scope="module")
def days():
    return history("synthetic", SYMBOLS, "2023-10-12", "2024-02-07", "1d")


@pytest.fixture(scope="module")
def report(minutes, days):
    at = datetime(2024, 2, 8, tzinfo=UTC)
    return outliers(minutes, days, [DAY], generated_at=at, sectors=universe.sectors())


@pytest.fixture(scope="module")
def hit(report):
    """The first bar but one after earnings."""
    return report.days[0].hits[0]


def scores(hit, *names):
    return [hit.scores[name].value for name in names]


def past(days, symbol):
    return days[symbol][days[symbol].index < pd.Timestamp(DAY, tz="UTC")]


def today(minutes, symbol, bars=2):
    return minutes[symbol][minutes[symbol].index >= pd.Timestamp(DAY, tz="UTC")][:bars]


def modified(sample, value):
    middle = np.median(sample)
    return 0.6745 * (value - middle) / np.median(np.abs(sample - middle))


def move(minutes, days, symbol):
    """Return from the last daily close to the second bar's."""
    return today(minutes, symbol)["close"].iloc[-1] / past(days, symbol)["close"].iloc[-1] - 1


def average_true_range(frame):
    before = frame["close"].shift()
    wide = np.maximum(frame["high"], before) - np.minimum(frame["low"], before)
    value = wide.iloc[1:15].mean()
    for true_range in wide.iloc[15:]:
        value = (13 * value + true_range) / 14
    return value


def test_the_report_is_what_was_pinned(report):
    compare(json.loads(report.as_bytes()), PINNED["report"])
    assert OutlierReport.model_validate(PINNED["report"]).as_of == DAY


def test_gap_range_and_price_are_measured_in_true_ranges(hit, minutes, days):
    bars, close = today(minutes, "MED6"), past(days, "MED6")["close"].iloc[-1]
    atr, opened = average_true_range(past(days, "MED6")), bars["open"].iloc[0]
    typical = (bars["high"] + bars["low"] + bars["close"]) / 3
    vwap = (typical * bars["volume"]).sum() / bars["volume"].sum()
    assert scores(hit, "gap", "gap_atr", "range_atr", "vwap_atr") == pytest.approx(
        [
            opened / close - 1,
            (opened - close) / atr,
            (bars["high"].max() - bars["low"].min()) / atr,
            (bars["close"].iloc[-1] - vwap) / atr,
        ]
    )


def test_volume_and_return_stand_among_those_to_the_same_minute(hit, minutes, days):
    frame = minutes["MED6"]
    sessions = frame.groupby(pd.DatetimeIndex(frame.index).date)
    volumes = sessions["volume"].apply(lambda volume: volume.iloc[:2].sum())
    before = past(days, "MED6")["close"].shift().iloc[-20:].to_numpy()
    usual = sessions["close"].apply(lambda close: close.iloc[1]).to_numpy()[-21:-1] / before - 1
    own = move(minutes, days, "MED6")
    assert scores(hit, "rvol", "modified_z") == pytest.approx(
        [volumes.iloc[-1] / volumes.iloc[-21:-1].mean(), modified(np.append(usual, own), own)]
    )


def test_it_is_set_against_the_universe_and_against_its_sector(hit, minutes, days):
    moves = np.array([move(minutes, days, symbol) for symbol in SYMBOLS])
    own = moves[SYMBOLS.index("MED6")]
    assert scores(hit, "universe_z", "sector_z") == pytest.approx(
        [modified(moves, own), modified(moves[:-1], own)]
    )


def test_what_benchmark_and_sector_do_not_explain_is_in_deviations_of_sixty_days(
    hit, minutes, days
):
    returns = pd.DataFrame({name: past(days, name)["close"].pct_change() for name in SYMBOLS})
    market = returns["SPY"]
    excess = returns[list(SYMBOLS[:5])].mean(axis=1) - market
    known = pd.DataFrame({"own": returns["MED6"], "market": market, "excess": excess}).iloc[-60:]
    table = np.column_stack([np.ones(60), known["market"], known["excess"]])
    fitted, *_ = np.linalg.lstsq(table, known["own"], rcond=None)
    usual = known["own"] - known[["market", "excess"]].to_numpy() @ fitted[1:]
    moved = {name: move(minutes, days, name) for name in SYMBOLS}
    others = np.mean([moved[name] for name in SYMBOLS[:5]]) - moved["SPY"]
    residual = moved["MED6"] - fitted[1] * moved["SPY"] - fitted[2] * others
    expected = (residual - usual.mean()) / usual.std(ddof=1)
    assert scores(hit, "residual_z") == pytest.approx([expected])
