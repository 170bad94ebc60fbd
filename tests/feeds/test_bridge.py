import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.bridge import Chance, Day, minutes, peak
from feeds.dice import normals, uniforms


def chance_of(count, seed):
    return Chance(
        steps=normals(count, seed, "steps"),
        above=normals(2 * count, seed, "above"),
        below=normals(2 * count, seed, "below"),
        volume=normals(count, seed, "volume"),
        extremes=uniforms(2, seed, "extremes"),
    )


@st.composite
def any_day(draw):
    low = draw(st.integers(1, 50_000))
    width = draw(st.integers(0, low))
    opened, closed = (low + draw(st.integers(0, width)) for _ in range(2))
    return Day(opened, low + width, low, closed, draw(st.integers(0, 10**9)))


@settings(max_examples=60, deadline=None)
@given(any_day(), st.sampled_from([3, 210, 390]), st.integers(0, 2**32))
def test_minutes_of_any_day_are_bars_that_add_up_to_it(day, count, seed):
    opened, high, low, closed, volume = minutes(day, chance_of(count, seed))
    assert (opened[0], closed[-1]) == (day.open, day.close)
    assert (high.max(), low.min(), volume.sum()) == (day.high, day.low, day.volume)
    assert (opened[1:] == closed[:-1]).all()
    assert (np.maximum(opened, closed) <= high).all()
    assert (np.minimum(opened, closed) >= low).all()
    assert (volume >= 0).all()


def test_minutes_move_more_near_open_and_close():
    day = Day(10_000, 10_400, 9_700, 10_100, 10**6)
    moves = [
        np.abs(bars[3] - bars[0]) for bars in (minutes(day, chance_of(390, n)) for n in range(50))
    ]
    profile = np.mean(moves, axis=0).reshape(13, 30).mean(axis=1)
    assert profile[0] > 1.5 * profile[6] < profile[12]


def test_the_peak_of_a_bridge_has_the_mean_of_the_textbook():
    # From 0 to 0 with deviation 1 the maximum is Rayleigh: its mean is sqrt(2 pi) / 4.
    count = 100_000
    level = np.zeros(count, np.int64)
    peaks = peak(level, level, np.ones(count), normals(2 * count, 7, "peak"))
    assert peaks.mean() == pytest.approx(np.sqrt(2 * np.pi) / 4, rel=0.01)
    assert peaks.min() >= 0
