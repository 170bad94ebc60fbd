import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

from analyzers.study.splits import PurgedKFold, WalkForward, purged


@st.composite
def labels(draw):
    """Starts in order, and ends at or after them, as days."""
    starts = np.sort(np.array(draw(st.lists(st.integers(0, 60), min_size=4, max_size=40))))
    spans = draw(st.lists(st.integers(0, 25), min_size=len(starts), max_size=len(starts)))
    return starts, starts + np.array(spans)


@settings(max_examples=150, deadline=None)
@given(labels(), st.integers(2, 4), st.integers(0, 10))
def test_no_training_label_touches_the_test_interval_or_the_embargo(times, folds, embargo):
    starts, ends = times
    for train, test in PurgedKFold(starts, ends, folds, embargo).split():
        opens, closes = starts[test].min(), ends[test].max()
        for one in train:
            assert not (starts[one] <= closes and ends[one] >= opens)
            assert not closes < starts[one] <= closes + embargo


@settings(max_examples=100, deadline=None)
@given(labels(), st.integers(2, 4))
def test_only_what_must_go_is_purged(times, folds):
    starts, ends = times
    for train, test in PurgedKFold(starts, ends, folds).split():
        opens, closes = starts[test].min(), ends[test].max()
        for one in set(range(len(starts))) - set(train.tolist()) - set(test.tolist()):
            assert starts[one] <= closes
            assert ends[one] >= opens


@settings(max_examples=50, deadline=None)
@given(labels(), st.integers(2, 4))
def test_every_label_is_tested_once(times, folds):
    tested = np.concatenate([test for _, test in PurgedKFold(*times, folds).split()])
    assert sorted(tested) == list(range(len(times[0])))


def test_a_fold_by_hand():
    # Labels of three days each; the fold of days 4 and 5 is known on day 8.
    days = np.arange(10)
    train = purged(days, days + 3, np.array([4, 5]), embargo=0)
    assert train.tolist() == [0, 9]


def test_the_embargo_by_hand():
    days = np.arange(12)
    assert purged(days, days, np.array([4, 5]), embargo=2).tolist() == [0, 1, 2, 3, 8, 9, 10, 11]


def test_dates_are_times_too():
    days = np.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]")
    split = PurgedKFold(days, days + np.timedelta64(1), 5, np.timedelta64(2, "D"))
    train, test = list(split.split())[1]
    assert (test.tolist(), train.tolist()) == ([2, 3], [0, 7, 8, 9])
    assert len(list(PurgedKFold(days, days, 5).split())) == 5
    stamps = pd.DatetimeIndex(days).tz_localize("UTC").to_numpy()
    assert len(list(PurgedKFold(stamps, stamps, 5).split())) == 5


def test_walk_forward_by_hand():
    days = np.arange(9)
    rolling = [(a.tolist(), b.tolist()) for a, b in WalkForward(days, days, 4, 2).split()]
    assert rolling == [([0, 1, 2, 3], [4, 5]), ([2, 3, 4, 5], [6, 7]), ([4, 5, 6, 7], [8])]
    assert WalkForward(days, days, 4, 2).get_n_splits() == 3


def test_an_anchored_walk_keeps_its_first_label():
    days = np.arange(8)
    trains = [train.tolist() for train, _ in WalkForward(days, days, 4, 2, anchored=True).split()]
    assert trains == [[0, 1, 2, 3], [0, 1, 2, 3, 4, 5]]


def test_a_walk_trains_on_no_label_that_is_not_known_yet():
    days = np.arange(8)
    train, _ = next(WalkForward(days, days + 2, 4, 2).split())
    assert train.tolist() == [0, 1]


def test_scikit_learn_takes_the_splitters():
    days, rng = np.arange(60), np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    for splitter in (PurgedKFold(days, days + 2, 4), WalkForward(days, days + 2, 30, 10)):
        scores = cross_val_score(LinearRegression(), x, x @ [1.0, 2.0], cv=splitter)
        assert scores == pytest.approx(np.ones(splitter.get_n_splits()))


@pytest.mark.parametrize(
    ("starts", "ends", "text"),
    [
        ([0, 1], [0], "one of each"),
        ([1, 0], [1, 1], "in order of time"),
        ([0, 5], [0, 4], "before it starts"),
        ([0, 1], [0, 1], "choose 2 to 2"),
    ],
)
def test_contradicting_times_are_refused(starts, ends, text):
    with pytest.raises(ValueError, match=text):
        PurgedKFold(np.array(starts), np.array(ends), folds=3)


def test_windows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit into 5"):
        WalkForward(np.arange(5), np.arange(5), 5, 1)


def test_rows_of_another_table_are_refused():
    with pytest.raises(ValueError, match="3 rows for 5 labels"):
        next(PurgedKFold(np.arange(5), np.arange(5)).split(np.zeros((3, 1))))
