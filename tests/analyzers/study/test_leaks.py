import numpy as np
import pytest

from analyzers.columns import Columns
from analyzers.study.features import FEATURES, Feature, Known
from analyzers.study.leaks import check_leaks
from brokers.errors import DataError
from tests.analyzers.study.test_features import BARS, SECTORS


def check(features, days=3):
    check_leaks(BARS, features, SECTORS, days=days, rng=np.random.default_rng(0))


def test_no_feature_knows_the_future():
    check(FEATURES)


def tomorrow(known):
    return np.roll(known.bars.close, -1, axis=0)


def against_the_mean_of_all(known):
    return known.bars.close - np.nanmean(known.bars.close)


def full_rank(known):
    return known.bars.close.argsort(axis=0).argsort(axis=0).astype(float)


@pytest.mark.parametrize("leak", [tomorrow, against_the_mean_of_all, full_rank])
def test_a_planted_leak_is_caught_and_named(leak):
    with pytest.raises(DataError, match=r"feature planted knows the future: .* with later bars"):
        check([*FEATURES[:2], Feature("planted", 1, leak)])


def test_a_single_bar_has_no_future():
    check_leaks(
        BARS.until(BARS.index[0]), [Feature("planted", 1, tomorrow)], {}, days=1,
        rng=np.random.default_rng(0),
    )  # fmt: skip


def test_a_gap_is_no_leak_and_its_symbol_is_compared_with_nobody_meanwhile():
    close = BARS.close.copy()
    close[300, 1] = np.nan
    tables = [np.where(np.isnan(close), np.nan, table) for table in (BARS.open, BARS.high)]
    low = np.where(np.isnan(close), np.nan, BARS.low)
    holed = Columns(BARS.index, BARS.symbols, *tables, low, close, BARS.volume, BARS.passports)
    until = holed.until(holed.index[301])
    check_leaks(until, FEATURES, SECTORS, days=3, rng=np.random.default_rng(0))
    [standing] = [it for it in FEATURES if it.name == "standing_return_5"]
    known = standing.values(Known(holed, SECTORS))[300]
    assert np.isnan(known[1])
    assert sorted(known[[0, 2, 3]]) == pytest.approx([1 / 6, 3 / 6, 5 / 6])
