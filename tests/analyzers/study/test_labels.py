import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.study.labels import (
    UNKNOWN,
    Labels,
    forward_return,
    meta_labels,
    triple_barrier,
    uniqueness,
)

NAN = np.nan


def column(*values):
    return np.array(values, dtype=float)[:, None]


def barriers(close, width=0.1, spread=0.0, **how):
    price = column(*close)
    given_width = np.full(price.shape, width)
    return triple_barrier(price + spread, price - spread, price, given_width, **how)


def test_a_forward_return_is_known_at_its_end():
    labels = forward_return(column(10, 11, 12, 9), horizon=2)
    assert labels.value[:2, 0] == pytest.approx([0.2, 9 / 11 - 1])
    assert labels.end[:, 0].tolist() == [2, 3, UNKNOWN, UNKNOWN]


def test_a_symbol_that_ends_before_the_horizon_has_no_forward_return():
    labels = forward_return(column(10, 11, NAN, NAN), horizon=2)
    assert labels.known.sum() == 0


def test_the_barrier_that_is_touched_first_decides():
    labels = barriers([100, 105, 111, 80, 89], horizon=3)
    assert labels.value[0, 0] == 1.0
    assert labels.end[0, 0] == 2
    assert labels.outcome[0, 0] == pytest.approx(0.1)
    assert (labels.value[1, 0], labels.end[1, 0]) == (-1.0, 3)


def test_the_end_of_the_time_is_a_label_of_its_own():
    labels = barriers([100, 101, 102, 103], horizon=2)
    assert labels.value[:2, 0].tolist() == [0.0, 0.0]
    assert labels.outcome[0, 0] == pytest.approx(0.02)
    assert labels.end[:, 0].tolist() == [2, 3, UNKNOWN, UNKNOWN]


def test_a_bar_that_touches_both_barriers_is_a_loss():
    assert barriers([100, 100], spread=20.0, horizon=1).value[0, 0] == -1.0


def test_a_barrier_may_be_left_out():
    close = [100, 80, 130, 100]
    assert barriers(close, horizon=2, stop_loss=0.0).value[0, 0] == 1.0
    assert barriers(close, horizon=3, take_profit=0.0, stop_loss=3.0).value[0, 0] == 0.0


def test_no_width_is_no_label():
    assert barriers([100, 200], width=NAN, horizon=1).known.sum() == 0
    assert barriers([100, 200], width=0.0, horizon=1).known.sum() == 0


def test_a_symbol_that_ends_before_any_barrier_has_no_label():
    assert barriers([100, 101, NAN, NAN], horizon=2).known.sum() == 0


def walk_by_walk(high, low, close, width, up, down, horizon):
    """The definition, one label and one bar at a time."""
    for row in range(len(close)):
        for step in range(1, horizon + 1):
            if row + step >= len(close):
                yield NAN, UNKNOWN
                break
            if low[row + step] <= close[row] * (1 - down * width):
                yield -1.0, row + step
                break
            if high[row + step] >= close[row] * (1 + up * width):
                yield 1.0, row + step
                break
        else:
            yield 0.0, row + horizon


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9999), st.integers(1, 8), st.floats(0.2, 3), st.floats(0.2, 3))
def test_barriers_against_their_definition(seed, horizon, up, down):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, 30)))
    high, low = close * (1 + rng.uniform(0, 0.02, 30)), close * (1 - rng.uniform(0, 0.02, 30))
    got = triple_barrier(
        *(column(*it) for it in (high, low, close)), np.full((30, 1), 0.03),
        take_profit=up, stop_loss=down, horizon=horizon,
    )  # fmt: skip
    expected = list(walk_by_walk(high, low, close, 0.03, up, down, horizon))
    assert np.array_equal(got.value[:, 0], [value for value, _ in expected], equal_nan=True)
    assert got.end[:, 0].tolist() == [end for _, end in expected]


@pytest.mark.parametrize("how", [{"horizon": 0}, {"take_profit": -1.0}, {"stop_loss": -1.0}])
def test_barriers_that_make_no_sense_are_refused(how):
    with pytest.raises(ValueError, match="barriers need"):
        barriers([1, 2], **how)


def test_a_horizon_of_nothing_is_refused():
    with pytest.raises(ValueError, match="one or more"):
        forward_return(column(1, 2), 0)


def test_a_meta_label_says_whether_the_side_was_right():
    primary = forward_return(column(100, 110, 99, 99, 100), horizon=1)
    labels = meta_labels(column(1, 1, -1, 0, NAN), primary)
    assert labels.value[:2, 0].tolist() == [1.0, 0.0]
    assert labels.value[2, 0] == 0.0
    assert labels.known[:, 0].tolist() == [True, True, True, False, False]


def test_uniqueness_by_hand():
    # Three labels span the bars 1-2, 2-3 and 4: 1 and 4 are each one label's own, 2 is shared.
    end = np.array([[2], [3], [UNKNOWN], [4], [UNKNOWN]])
    nothing = np.zeros(end.shape)
    got = uniqueness(Labels(nothing, end, nothing))
    assert got[[0, 1, 3], 0] == pytest.approx([(1 + 1 / 2) / 2, (1 / 2 + 1) / 2, 1.0])
    assert np.isnan(got[[2, 4]]).all()


def test_labels_of_one_bar_are_their_own():
    weights = uniqueness(forward_return(column(1, 2, 3, 4), 1))
    assert weights[:3, 0] == pytest.approx(1.0)
