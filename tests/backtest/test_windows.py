import pandas as pd
import pytest

from backtest.windows import between, windows
from brokers.errors import ConfigError
from tests.strategies.stage import walk

DAYS = pd.date_range("2024-01-01", periods=10, tz="UTC")
FRAMES = {"A": walk(10).set_axis(DAYS), "B": walk(4, 1).set_axis(DAYS[6:])}


def days(window):
    numbers = [window.train_from, window.test_from, window.test_until]
    return [None if at is None else int(DAYS.searchsorted(at)) for at in numbers]


def test_rolling_windows_by_hand():
    assert [days(w) for w in windows(FRAMES, 4, 3)] == [[0, 4, 7], [3, 7, None]]


def test_the_last_window_may_be_shorter():
    assert [days(w) for w in windows(FRAMES, 4, 4)] == [[0, 4, 8], [4, 8, None]]


def test_anchored_windows_begin_with_the_first_bar():
    assert [days(w)[0] for w in windows(FRAMES, 4, 3, anchored=True)] == [0, 0]


def test_a_feed_without_bars_in_a_window_is_left_out():
    first, second = windows(FRAMES, 4, 3)
    assert list(first.train(FRAMES)) == ["A"]
    assert {name: len(f) for name, f in first.whole(FRAMES).items()} == {"A": 7, "B": 1}
    assert {name: len(f) for name, f in second.whole(FRAMES).items()} == {"A": 7, "B": 4}


def test_bars_between_two_times():
    assert len(between(FRAMES, DAYS[7], DAYS[9])["A"]) == 2
    assert len(between(FRAMES, None, None)["B"]) == 4


@pytest.mark.parametrize(("train", "test"), [(10, 1), (0, 1), (3, 0)])
def test_windows_that_do_not_fit_are_refused(train, test):
    with pytest.raises(ConfigError, match="the 10 bars there are"):
        windows(FRAMES, train, test)
