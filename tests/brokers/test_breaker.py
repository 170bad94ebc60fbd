import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import BreakerOpen, Transient, Unknown, VenueRefused
from brokers.wire.breaker import Breaker, Failure

START_AT = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
LIMIT_TEXT = "429 Too Many Requests"


def error_of(letter):
    """What a request comes to: a(nswered), r(efused), t(hrottled), f(ailed), u(nknown)."""
    return {
        "a": None,
        "r": VenueRefused("40310000", "insufficient buying power"),
        "t": Transient(LIMIT_TEXT),
        "f": Transient("no connection"),
        "u": Unknown("no answer in 10 s", client_order_id="a1"),
    }[letter]


class Flight:
    """One request that is out until it is told what it came to."""

    def __init__(self, breaker):
        self.has_left = False
        self._outcome = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._fly(breaker))

    async def _fly(self, breaker):
        async with breaker.attempt() as self.attempt:
            self.has_left = True
            await self._outcome

    async def land(self, letter):
        if letter == "t":
            self.attempt.throttled()
        if error := error_of(letter):
            self._outcome.set_exception(error)
        else:
            self._outcome.set_result(None)
        await self.end()

    async def end(self):
        with suppress(Transient, Unknown, VenueRefused, asyncio.CancelledError):
            await self._task

    async def cancel(self):
        self._task.cancel()
        await self.end()


async def launch(breaker, count=1):
    flights = [Flight(breaker) for _ in range(count)]
    await settle()
    return flights


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def play(breaker, letters):
    """One request after the other, until the breaker is open."""
    for letter in letters:
        if breaker.state != "open":
            (flight,) = await launch(breaker)
            await flight.land(letter)
    return breaker.state


@pytest.fixture
def opened():
    return []


@pytest.fixture
def clock():
    return ManualClock(START_AT)


@pytest.fixture
def breaker(clock, opened):
    return Breaker(clock, opened.append)


@pytest.mark.parametrize(
    ("letters", "state"),
    [
        ("", "closed"),
        ("a", "closed"),
        ("f", "probing"),
        ("fu", "probing"),
        ("fuf", "open"),
        ("uuu", "open"),
        ("fua", "closed"),
        ("fur", "closed"),
        ("fuafu", "probing"),
        ("rrrrr", "closed"),
        ("ttttt", "closed"),
        ("ftutt", "probing"),
        ("ftutf", "open"),
    ],
)
def test_three_failures_in_a_row_open_it_and_only_they(breaker, opened, letters, state):
    assert asyncio.run(play(breaker, letters)) == state
    assert len(opened) == (state == "open")


def test_the_opening_is_told_once_with_what_failed_and_when(breaker, clock, opened):
    async def scenario():
        for letter in "fuf":
            clock.sleep(10.0)
            await play(breaker, letter)

    asyncio.run(scenario())
    texts = ["no connection", "no answer in 10 s (order a1)", "no connection"]
    expected = tuple(
        Failure(START_AT + timedelta(seconds=10 * n), text, True) for n, text in enumerate(texts, 1)
    )
    assert opened == [expected]
    assert breaker.failures == expected


def test_an_open_breaker_lets_nothing_go_and_never_closes(breaker, opened):
    async def scenario():
        (late,) = await launch(breaker)
        await play(breaker, "fff")
        with pytest.raises(
            BreakerOpen, match="3 broker calls in a row failed, the last with: no c"
        ):
            async with breaker.attempt():
                pytest.fail("the request left")
        await late.land("a")
        assert breaker.state == "open"

    asyncio.run(scenario())
    assert len(opened) == 1


def test_three_reads_failing_at_once_count_once(breaker):
    async def scenario():
        reads = await launch(breaker, 3)
        for read in reads:
            await read.land("f")
        assert breaker.state == "probing"
        assert [failure.counted for failure in breaker.failures] == [True, False, False]
        assert await play(breaker, "f") == "probing"
        assert await play(breaker, "f") == "open"

    asyncio.run(scenario())


def test_a_request_that_was_out_before_the_second_failure_adds_nothing_to_the_row(breaker):
    async def scenario():
        first, slow = await launch(breaker, 2)
        await first.land("f")
        await play(breaker, "u")
        await slow.land("u")
        assert breaker.state == "probing"

    asyncio.run(scenario())


def test_an_answer_that_was_under_way_still_empties_the_row(breaker):
    async def scenario():
        first, second, third = await launch(breaker, 3)
        await first.land("f")
        await second.land("r")
        assert breaker.state == "closed"
        await third.land("f")
        assert breaker.state == "probing"

    asyncio.run(scenario())


def test_requests_go_one_at_a_time_after_a_failure_and_overlap_again_after_an_answer(breaker):
    async def scenario():
        await play(breaker, "f")
        flights = await launch(breaker, 4)
        assert [flight.has_left for flight in flights] == [True, False, False, False]
        await flights[0].land("t")
        await settle()
        assert [flight.has_left for flight in flights] == [True, True, False, False]
        await flights[1].land("a")
        await settle()
        assert all(flight.has_left for flight in flights)
        for flight in flights[2:]:
            await flight.land("a")

    asyncio.run(scenario())


def test_requests_that_wait_for_their_turn_are_refused_when_it_opens(breaker):
    async def scenario():
        await play(breaker, "ff")
        probe, waiting = await launch(breaker, 2)
        await probe.land("f")
        with pytest.raises(BreakerOpen):
            await waiting.end()
        assert not waiting.has_left

    asyncio.run(scenario())


def test_a_cancelled_request_counts_as_nothing_and_gives_its_turn_back(breaker):
    async def scenario():
        await play(breaker, "f")
        probe, waiting, last = await launch(breaker, 3)
        await waiting.cancel()
        await probe.cancel()
        await settle()
        assert breaker.state == "probing"
        assert last.has_left

    asyncio.run(scenario())


def test_our_own_mistakes_count_as_nothing(breaker):
    async def scenario():
        await play(breaker, "f")
        with pytest.raises(ZeroDivisionError):
            async with breaker.attempt():
                raise ZeroDivisionError

    asyncio.run(scenario())
    assert breaker.state == "probing"


def test_a_throttled_call_counts_once_when_its_deadline_passes(breaker):
    async def scenario():
        for state in ("probing", "probing", "open"):
            (flight,) = await launch(breaker)
            await flight.land("t")
            await play(breaker, "tt")
            breaker.overdue(flight.attempt, LIMIT_TEXT)
            assert breaker.state == state

    asyncio.run(scenario())
    assert [failure.text for failure in breaker.failures] == [LIMIT_TEXT] * 3


def test_calls_throttled_side_by_side_count_once_together(breaker):
    async def scenario():
        calls = await launch(breaker, 3)
        for call in calls:
            await call.land("t")
        for call in calls:
            breaker.overdue(call.attempt, LIMIT_TEXT)
        assert breaker.state == "probing"

    asyncio.run(scenario())


def test_only_the_last_twenty_failures_are_kept(breaker):
    async def scenario():
        for _ in range(15):
            await play(breaker, "fua")

    asyncio.run(scenario())
    assert len(breaker.failures) == 20


@settings(deadline=None, max_examples=60)
@given(st.text("artfu", max_size=25))
def test_one_after_the_other_it_opens_at_three_failures_without_an_answer_between(letters):
    row = letters.replace("t", "").replace("r", "a").replace("u", "f")
    breaker = Breaker(ManualClock(START_AT), lambda failures: None)
    assert (asyncio.run(play(breaker, letters)) == "open") == ("fff" in row)
