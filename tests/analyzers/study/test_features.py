import numpy as np
import pandas as pd
import pytest

from analyzers.columns import Columns
from analyzers.study.features import FEATURES, Known
from feeds.passport import stamp

ROWS = 320
SECTORS = {"S0": "Energy", "S1": "Energy", "S2": "Utilities"}
NAMES = [feature.name for feature in FEATURES]


def market(rows=ROWS, repairs=()):
    rng = np.random.default_rng(5)
    index = pd.bdate_range("2020-01-01", periods=rows, tz="UTC")
    frames = {}
    for number in range(4):
        close = 50 * np.exp(np.cumsum(rng.normal(0.0003, 0.015, rows)))
        open_ = close * (1 + rng.normal(0, 0.004, rows))
        high = np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 0.004, rows)))
        low = np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 0.004, rows)))
        table = {"open": open_, "high": high, "low": low, "close": close}
        frame = pd.DataFrame({**table, "volume": rng.uniform(1e5, 1e6, rows)}, index=index)
        name = f"S{number}"
        frames[name] = stamp(frame, symbol=name, source="files", timeframe="1d", repairs=repairs)
    return Columns.of(frames)


BARS = market()
KNOWN = Known(BARS, SECTORS)


def value(name, known=KNOWN, column=1):
    return next(it for it in FEATURES if it.name == name).values(known)[-1, column]


@pytest.mark.parametrize("feature", FEATURES, ids=NAMES)
def test_a_feature_is_known_as_soon_as_its_look_back_is_full(feature):
    column = feature.values(KNOWN)[:, 0]
    assert np.isnan(column[: feature.lookback - 1]).all()
    assert not np.isnan(column[feature.lookback - 1 :]).any()


@pytest.mark.parametrize("feature", FEATURES, ids=NAMES)
def test_a_feature_depends_on_its_look_back_alone(feature):
    first, last = 290 - feature.lookback + 1, 290
    table = Columns(
        BARS.index[first : last + 1], BARS.symbols,
        *(getattr(BARS, name)[first : last + 1] for name in ("open", "high", "low")),
        BARS.close[first : last + 1], BARS.volume[first : last + 1], BARS.passports,
    )  # fmt: skip
    alone = feature.values(Known(table, SECTORS))[-1]
    assert alone == pytest.approx(feature.values(KNOWN)[290], rel=1e-9, nan_ok=True)


def test_the_returns_by_hand():
    close = BARS.close[:, 1]
    assert value("return_5") == pytest.approx(close[-1] / close[-6] - 1)
    assert value("gap") == pytest.approx(BARS.open[-1, 1] / close[-2] - 1)
    assert value("body") == pytest.approx(close[-1] / BARS.open[-1, 1] - 1)
    assert value("range") == pytest.approx((BARS.high[-1, 1] - BARS.low[-1, 1]) / close[-1])


def test_means_and_places_by_hand():
    close, volume = BARS.close[:, 1], BARS.volume[:, 1]
    low, high = min(close[-20:]), max(close[-20:])
    assert value("above_mean_50") == pytest.approx(close[-1] / np.mean(close[-50:]) - 1)
    assert value("range_place_20") == pytest.approx((close[-1] - low) / (high - low))
    assert value("volume_ratio") == pytest.approx(volume[-1] / np.mean(volume[-20:]))
    assert value("volume_trend") == pytest.approx(np.mean(volume[-5:]) / np.mean(volume[-63:]))


def test_strength_by_hand():
    moves = np.diff(BARS.close[-15:, 1])
    up, down = moves[moves > 0].sum(), -moves[moves < 0].sum()
    assert value("strength_14") == pytest.approx(100 * up / (up + down))


def test_illiquidity_by_hand():
    close, volume = BARS.close[:, 1], BARS.volume[:, 1]
    days = range(ROWS - 21, ROWS)
    cost = [abs(close[i] / close[i - 1] - 1) / (close[i] * volume[i] / 1e6) for i in days]
    assert value("illiquidity") == pytest.approx(np.mean(cost))


def test_a_standing_is_the_share_of_symbols_below():
    moves = BARS.close[-1] / BARS.close[-22] - 1
    order = np.argsort(np.argsort(moves))
    got = [value("standing_return_21", column=place) for place in range(4)]
    assert got == pytest.approx((order + 0.5) / 4)


def test_a_return_stands_against_its_sector():
    moves = BARS.close[-1] / BARS.close[-6] - 1
    assert value("against_sector_5", column=0) == pytest.approx(
        moves[0] - (moves[0] + moves[1]) / 2
    )
    assert value("against_sector_5", column=2) == pytest.approx(0.0)
    assert np.isnan(value("against_sector_5", column=3))


def test_the_calendar_is_known_in_advance():
    last = BARS.index[-1]
    assert value("weekday") == last.weekday()
    assert value("month_progress") == last.day / last.days_in_month


@pytest.mark.parametrize(
    ("repairs", "missing"),
    [
        (("no volume in the file: it is 0",), {"volume"}),
        (("closes only: open, high and low are the close, volume is 0",), {"volume", "range"}),
    ],
)
def test_what_the_bars_do_not_have_is_unknown(repairs, missing):
    known = Known(market(repairs=repairs), SECTORS)
    unknown = {it.name for it in FEATURES if np.isnan(it.values(known)).all()}
    assert unknown == {it.name for it in FEATURES if it.needs in missing}


def test_prices_that_never_move_divide_by_nothing():
    flat = Columns(BARS.index, BARS.symbols, *[np.full(BARS.shape, 7.0)] * 4, 0.0 * BARS.volume)
    known = Known(flat, SECTORS)
    assert value("strength_14", known) == 50.0
    assert value("range_place_252", known) == 0.5
    assert np.isnan(value("volume_ratio", known))
