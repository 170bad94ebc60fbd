import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import ConfigError, RiskRefused, Transient, Unknown
from brokers.wire.backoff import Backoff

START_AT = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)


class Highest(random.Random):
    """Draws the widest wait that is allowed."""

    def uniform(self, a, b):
        return b


class Flaky:
    """Raises what it is given, one error a call, then answers "done"; notes when it was called."""

    def __init__(self, clock, *errors):
        self.clock, self.errors, self.called_at = clock, list(errors), []
        self.began_s = clock.monotonic()

    def __call__(self):
        self.called_at.append(self.clock.monotonic() - self.began_s)
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def acall(self):
        return self()


@pytest.fixture
def clock():
    clock = ManualClock(START_AT)
    clock.sleep(1024.0)
    return clock


@pytest.fixture(params=["sync", "async"])
def run(request, clock):
    def call(backoff, flaky, rng=None):
        rng = rng or Highest()
        if request.param == "sync":
            return backoff.call(flaky, clock=clock, rng=rng)
        return asyncio.run(backoff.acall(flaky.acall, clock=clock, rng=rng))

    return call


def down(times):
    return [Transient("no connection") for _ in range(times)]


def test_an_answer_at_once_waits_for_nothing(clock, run):
    assert run(Backoff(), Flaky(clock)) == "done"
    assert clock.monotonic() == 1024.0


def test_the_widest_waits_double_up_to_the_cap(clock, run):
    flaky = Flaky(clock, *down(5))
    assert run(Backoff(first_s=1.0, cap_s=5.0), flaky) == "done"
    assert flaky.called_at == [0.0, 1.0, 3.0, 7.0, 12.0, 17.0]


def test_waits_are_drawn_from_the_generator_passed_in(clock, run):
    flaky = Flaky(clock, *down(3))
    run(Backoff(), flaky, random.Random(7))
    dice = random.Random(7)
    assert [late - early for early, late in pairwise(flaky.called_at)] == pytest.approx(
        [dice.uniform(0.0, widest_s) for widest_s in (0.5, 1.0, 2.0)]
    )


def test_the_far_sides_own_wait_comes_in_front_of_the_jitter(clock, run):
    flaky = Flaky(clock, Transient("too many requests", retry_after_s=20.0))
    run(Backoff(first_s=0.5), flaky)
    assert flaky.called_at == [0.0, 20.5]


@pytest.mark.parametrize(
    "verdict",
    [
        Unknown("no answer", client_order_id="a1"),
        RiskRefused("max_order_notional", 1000, 2000),
        ValueError("a mistake of ours"),
    ],
)
def test_whatever_is_not_surely_unaccepted_is_never_tried_again(clock, run, verdict):
    flaky = Flaky(clock, *down(1), verdict)
    with pytest.raises(type(verdict)) as raised:
        run(Backoff(), flaky)
    assert raised.value is verdict
    assert len(flaky.called_at) == 2


def test_the_last_error_is_raised_at_the_deadline_with_tries_and_seconds(clock, run):
    flaky = Flaky(clock, *down(3), last := Transient("503 from the venue"), *down(9))
    with pytest.raises(Transient) as raised:
        run(Backoff(first_s=1.0, deadline_s=10.0), flaky)
    assert raised.value is last
    assert str(last) == "503 from the venue (gave up after 4 tries in 7.0 s)"


def test_a_try_may_begin_at_the_deadline_but_not_after_it(clock, run):
    flaky = Flaky(clock, *down(9))
    with pytest.raises(Transient, match=r"4 tries in 7\.0 s"):
        run(Backoff(first_s=1.0, deadline_s=7.0), flaky)


def test_a_wait_asked_for_beyond_the_deadline_is_not_begun(clock, run):
    flaky = Flaky(clock, Transient("come back tomorrow", retry_after_s=86_400.0))
    with pytest.raises(Transient, match=r"after 1 try in 0\.0 s"):
        run(Backoff(), flaky)
    assert clock.monotonic() == 1024.0


def test_a_deadline_of_zero_tries_once(clock, run):
    flaky = Flaky(clock, *down(2))
    with pytest.raises(Transient, match="no connection"):
        run(Backoff(deadline_s=0.0), flaky)
    assert flaky.called_at == [0.0]


def test_time_spent_inside_the_calls_counts_towards_the_deadline(clock):
    def slow():
        clock.sleep(50.0)
        raise Transient("timed out")

    with pytest.raises(Transient, match=r"3 tries in 151\.5 s"):
        Backoff().call(slow, clock=clock, rng=Highest())


def test_thousands_of_tries_do_not_overflow(clock):
    class Lowest(random.Random):
        def uniform(self, a, b):
            assert b <= 30.0
            return a

    flaky = Flaky(clock, *down(2000))
    assert Backoff().call(flaky, clock=clock, rng=Lowest()) == "done"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"first_s": 0.0}, r"first_s \(0.0\)"),
        ({"first_s": 60.0}, r"first_s \(60.0\) <= cap_s \(30.0\)"),
        ({"cap_s": float("inf")}, r"cap_s \(inf\)"),
        ({"cap_s": float("nan")}, r"cap_s \(nan\)"),
        ({"deadline_s": -1.0}, "deadline_s of at least 0, not -1.0"),
        ({"deadline_s": float("nan")}, "deadline_s of at least 0, not nan"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers, text):
    with pytest.raises(ConfigError, match=text):
        Backoff(**numbers)


ERRORS = st.lists(st.none() | st.floats(0.0, 40.0), max_size=12)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), ERRORS)
def test_no_try_begins_too_early_or_after_the_deadline(seed, asked):
    clock = ManualClock(START_AT)
    flaky = Flaky(clock, *(Transient("busy", retry_after_s=wait_s) for wait_s in asked))
    with suppress(Transient):
        Backoff().call(flaky, clock=clock, rng=random.Random(seed))
    assert flaky.called_at[-1] <= 120.0
    for n, (early, late) in enumerate(pairwise(flaky.called_at)):
        least_s = asked[n] or 0.0
        assert least_s <= late - early + 1e-9 <= least_s + min(30.0, 0.5 * 2**n) + 2e-9


def test_what_returns_a_coroutine_is_awaited_at_every_try(clock):
    flaky = Flaky(clock, Transient("no"), Transient("no"))

    def plain():
        return flaky.acall()

    assert asyncio.run(Backoff().acall(plain, clock=clock, rng=Highest())) == "done"
    assert flaky.called_at == [0.0, 0.5, 1.5]
