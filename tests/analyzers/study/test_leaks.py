import numpy as np
import pytest

from analyzers.study.features import FEATURES, Feature
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
