"""What a traced strategy computes is what NumPy would have computed."""

import math
import operator as o

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.compiled.rooms import registers_for
from backtest.compiled.tape import BLOCK, Sets, play_tape
from backtest.compiled.tracing import Recorder, Series, TracingNumpy, Untraceable
from strategies import arrays

VALUES = st.sampled_from([math.nan, 0.0, -0.0, 1.0, -1.0, 2.0, 0.1]) | st.floats(-9, 9)
traced_np = TracingNumpy()


def played(function, *columns):
    """The function of series, by tape, where it is not NaN."""
    recorder = Recorder()
    series = [Series(recorder, row=row) for row in range(len(columns))]
    program = recorder.program([function(*series), None, None, None])
    tape, steps = program.tape(), len(columns[0])
    table = np.array(columns)
    sets = Sets(np.array([recorder.rows]), np.array([recorder.numbers]).reshape(1, -1), table)
    room = registers_for(64, np.full((steps + 1, 4, 1), np.nan), np.zeros(steps, np.int64))
    count = play_tape(tape, sets, 0, room)
    out = np.full(steps, np.nan)
    out[room.events[:count]] = room.wishes[:count, 0, 0]
    return out


BINARY = [o.add, o.sub, o.mul, o.truediv, o.gt, o.ge, o.lt, o.le, o.eq, o.ne]


@pytest.mark.parametrize("operation", BINARY, ids=lambda each: each.__name__)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=40))
@settings(max_examples=25)
def test_operators_are_those_of_numpy(operation, pairs):
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    with np.errstate(all="ignore"):
        for function in (operation, lambda x, y: operation(x, 3), lambda x, y: operation(0.5, y)):
            np.testing.assert_array_equal(played(function, a, b), function(a, b).astype(float))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=40))
def test_logic_choice_and_isnan_are_those_of_numpy(pairs):
    a, b = (np.array(column) for column in zip(*pairs, strict=True))

    def by(numpy):
        def function(a, b):
            either = ((a > b) & ~numpy.isnan(a)) | (b == 0)
            return numpy.where(either, -a, numpy.where(a < 1.0, 2, b))

        return function

    np.testing.assert_array_equal(played(by(traced_np), a, b), by(np)(a, b))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=1500))
@settings(max_examples=40)
def test_what_remembers_rows_is_that_of_strategies_arrays(pairs):
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    crosses = played(lambda x, y: x.recorder.push(13, x, y), a, b)
    np.testing.assert_array_equal(crosses, arrays.crossover(a, b))
    latched = played(lambda x, y: x.recorder.push(14, x > y, x < 0.5), a, b)
    np.testing.assert_array_equal(latched, arrays.latch(a > b, a < 0.5))
    changed = played(lambda x, _: x.recorder.push(15, x, None), a, b)
    np.testing.assert_array_equal(changed, arrays.changes(a))


@pytest.mark.parametrize("gap", [0.0, 1e-9], ids=["touching", "apart"])
def test_crosses_are_those_of_strategies_arrays_beyond_a_block(gap):
    fast = np.round(np.cumsum(np.random.default_rng(1).normal(size=3 * BLOCK)), 1)
    fast[:5] = np.nan
    slow = np.zeros(len(fast)) - gap
    crosses = played(lambda x, y: x.recorder.push(13, x, y), fast, slow)
    np.testing.assert_array_equal(crosses, arrays.crossover(fast, slow))


REFUSED = {
    "truth": lambda s: bool(s > 1),
    "length": len,
    "item": lambda s: s[0],
    "writing": lambda s: o.setitem(s, 0, 1.0),
    "iteration": list,
    "ufunc": np.exp,
    "function": np.cumsum,
    "reflected ufunc": lambda s: np.float64(2.0) * s,
    "attribute": lambda s: s.mean(),
    "sum of truths": lambda s: (s > 1) + (s > 2),
    "and of numbers": lambda s: s & True,
    "not of numbers": o.invert,
    "choice of truths": lambda s: traced_np.where(s > 1, True, False),
    "choice by numbers": lambda s: traced_np.where(s, 1.0, 0.0),
    "a whole number beyond floats": lambda s: s + (2**53 + 1),
    "a text": lambda s: s + "1",
    "in place": lambda s: o.iadd(s, 1.0),
    "nothing traced": lambda s: np.ones(3),
}


@pytest.mark.parametrize("function", REFUSED.values(), ids=REFUSED)
def test_whatever_wants_to_see_values_is_not_traced(function):
    with pytest.raises(Untraceable):
        played(function, np.ones(3))


def test_a_series_passes_for_an_array():
    assert isinstance(Series(Recorder(), row=0), np.ndarray)


def test_other_functions_of_numpy_are_its_own():
    assert traced_np.arange is np.arange
    assert traced_np.where(np.array([True]), 1, 2).tolist() == [1]
    assert traced_np.isnan(np.array([np.nan])).tolist() == [True]
