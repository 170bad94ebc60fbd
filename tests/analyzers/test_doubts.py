import numpy as np
import pytest

from analyzers.columns import Columns
from analyzers.doubts import doubts
from feeds.passport import stamp
from tests.strategies.stage import flat

TOLD = "its close of 2020-01-03 is 0.25 times the one before, like a split, and its source"


def columns(closes, adjustment="none"):
    frame = flat(closes)
    frame.index = frame.index.tz_localize("UTC")
    stamped = stamp(frame, symbol="A", source="files", timeframe="1d", adjustment=adjustment)
    return Columns.of({"A": stamped})


@pytest.mark.parametrize("adjustment", ["none", "unknown"])
def test_a_move_like_a_split_is_told_where_splits_may_be_in_the_prices(adjustment):
    [told] = doubts(columns([100.0, 101.0, 25.25, 25.0], adjustment)).values()
    assert told.startswith(TOLD)


@pytest.mark.parametrize("adjustment", ["split", "total", "all"])
def test_where_splits_are_adjusted_for_a_move_is_real(adjustment):
    assert doubts(columns([100.0, 25.0], adjustment)) == {}


def test_a_fall_of_four_tenths_is_no_split():
    assert doubts(columns([100.0, 60.0, 100.0])) == {}


def test_a_split_over_a_gap_is_told_too():
    one, other = flat([100.0, 100.0, 25.0]), flat([1.0, 1.0, 1.0])
    frames = {"A": one.iloc[[0, 2]], "B": other}
    frames = {name: it.tz_localize("UTC") for name, it in frames.items()}
    assert list(doubts(Columns.of(frames))) == ["A"]


def test_no_bars_have_no_doubts():
    empty = Columns.of({"A": flat([1.0]).tz_localize("UTC")}).at(np.arange(0))
    assert doubts(empty) == {}
