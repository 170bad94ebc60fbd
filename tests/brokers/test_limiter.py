from datetime import UTC, datetime
from itertools import pairwise
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import ConfigError
from brokers.wire.limiter import Limiter

START_AT = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)


@pytest.fixture
def clock():
    return ManualClock(START_AT)


def leave(limiter, clock, priority="read"):
    clock.sleep(limiter.reserve(priority))
    return clock.monotonic()


def crowded(departures, calls, per_s):
    """Pairs of departures that are `calls` apart in number but less than `per_s` in time."""
    ordered = sorted(departures)
    pairs = zip(ordered, ordered[calls:], strict=False)
    return [(first, late) for first, late in pairs if late < first + per_s]


def test_five_calls_a_minute_leave_at_once_and_the_sixth_waits_for_the_first_to_age(clock):
    limiter = Limiter(5, 60.0, clock)
    waits = []
    for _ in range(5):
        waits.append(limiter.reserve())
        clock.sleep(2.0)
    assert waits == [0.0] * 5
    assert limiter.reserve() == 50.0
    assert limiter.reserve() == 52.0


def test_a_caller_that_waits_as_told_never_waits_again_for_the_same_call(clock):
    limiter = Limiter(2, 1.0, clock)
    assert [leave(limiter, clock) for _ in range(6)] == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]


def test_a_quiet_minute_gives_the_whole_window_back(clock):
    limiter = Limiter(3, 60.0, clock)
    for _ in range(3):
        limiter.reserve()
    clock.sleep(60.0)
    assert [limiter.reserve() for _ in range(4)] == [0.0, 0.0, 0.0, 60.0]


def test_reads_leave_the_share_of_the_orders_free(clock):
    limiter = Limiter(5, 60.0, clock, order_calls=2)
    assert [limiter.reserve() for _ in range(4)] == [0.0, 0.0, 0.0, 60.0]
    assert [limiter.reserve("order") for _ in range(2)] == [0.0, 0.0]


def test_an_order_leaves_before_reads_that_asked_first(clock):
    limiter = Limiter(4, 60.0, clock, order_calls=1)
    reads = [limiter.reserve() for _ in range(9)]
    assert reads == [0.0] * 3 + [60.0] * 3 + [120.0] * 3
    assert limiter.reserve("order") == 0.0
    assert limiter.reserve("order") == 60.0
    assert limiter.reserve("order") == 120.0


def test_an_order_beyond_its_share_takes_the_first_free_instant(clock):
    limiter = Limiter(2, 10.0, clock, order_calls=1)
    assert limiter.reserve() == 0.0
    clock.sleep(4.0)
    assert limiter.reserve("order") == 0.0
    assert limiter.reserve() == 6.0
    assert limiter.reserve("order") == 10.0
    assert limiter.reserve("order") == 16.0


def test_an_order_may_leave_between_calls_that_are_a_whole_window_apart(clock):
    limiter = Limiter(2, 10.0, clock, order_calls=1)
    assert [limiter.reserve() for _ in range(2)] == [0.0, 10.0]
    clock.sleep(4.0)
    assert limiter.reserve("order") == 0.0


def test_orders_may_fill_the_window_and_reads_then_wait(clock):
    limiter = Limiter(3, 60.0, clock, order_calls=1)
    assert [limiter.reserve("order") for _ in range(3)] == [0.0] * 3
    assert limiter.reserve() == 60.0


def test_nothing_is_booked_before_the_instant_that_the_venue_named(clock):
    limiter = Limiter(2, 1.0, clock)
    limiter.penalise(30.0)
    limiter.penalise(5.0)
    assert limiter.reserve("order") == 30.0
    assert [limiter.reserve() for _ in range(2)] == [30.0, 31.0]


def test_a_penalty_ends_by_itself(clock):
    limiter = Limiter(2, 1.0, clock)
    limiter.penalise(30.0)
    clock.sleep(30.0)
    assert limiter.reserve() == 0.0


@pytest.mark.parametrize(
    ("calls", "per_s", "order_calls", "text"),
    [
        (0, 60.0, 0, "calls of at least 1, not 0"),
        (5, 0.0, 0, "per_s above 0, not 0.0"),
        (5, float("nan"), 0, "per_s above 0, not nan"),
        (5, float("inf"), 0, "per_s above 0, not inf"),
        (5, 60.0, 5, r"order_calls \(5\) must be at least 0 and below calls \(5\)"),
        (5, 60.0, -1, r"order_calls \(-1\) must be at least 0"),
    ],
)
def test_numbers_out_of_range_are_refused(clock, calls, per_s, order_calls, text):
    with pytest.raises(ConfigError, match=text):
        Limiter(calls, per_s, clock, order_calls=order_calls)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["order", "read", "read", "hold"]),
        st.floats(0.0, 2.5, allow_subnormal=False) | st.sampled_from([0.0, 0.1, 1.0]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 6), st.sampled_from([0.1, 0.3, 1.0, 1.7]), st.data(), STEPS)
def test_no_window_ever_holds_more_than_its_calls(calls, per_s, data, steps):
    """Nobody waits for anybody: every departure is worked out from the wait that was answered."""
    order_calls = data.draw(st.integers(0, calls - 1))
    clock = ManualClock(START_AT)
    limiter = Limiter(calls, per_s, clock, order_calls=order_calls)
    departures = {"order": [], "read": []}
    for kind, pause_s in steps:
        if kind == "hold":
            limiter.penalise(pause_s)
        else:
            departures[kind].append(clock.monotonic() + limiter.reserve(kind))
            clock.sleep(pause_s)
    assert crowded(departures["order"] + departures["read"], calls, per_s) == []
    assert crowded(departures["read"], calls - order_calls, per_s) == []
    assert all(early <= late for early, late in pairwise(departures["read"]))


def test_a_wait_is_never_rounded_down_below_the_instant_that_is_free(clock):
    assert 0.1747 + (0.13 + 0.3 - 0.1747) < 0.13 + 0.3  # what subtracting alone would answer
    limiter = Limiter(1, 0.3, clock)
    clock.sleep(0.13)
    limiter.reserve()
    clock.sleep(0.1747 - 0.13)
    assert clock.monotonic() == 0.1747
    assert leave(limiter, clock) >= 0.13 + 0.3


def test_threads_together_get_no_more_than_one_alone(clock):
    limiter = Limiter(10, 60.0, clock)
    waits = []
    threads = [
        Thread(target=lambda: waits.extend(limiter.reserve() for _ in range(25))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [60.0 * (n // 10) for n in range(100)]
