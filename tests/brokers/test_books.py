"""Our books keep in step with the venue's, whatever was missed."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers.errors import Transient
from brokers.facts import Mismatch
from tests.brokers.room import OPEN, PACE, REFUSED, Room, filled, on_stage
from tests.brokers.test_blotter import bracket, order
from tests.fakes import FakeVenue, quiet


def test_what_was_missed_while_the_stream_was_down_is_told_once():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(bracket())
        room.venue.lose(9)
        room.venue.fill("b")
        room.venue.fill("b-sl")
        await quiet()
        assert filled(room.facts) == []
        room.venue.silent_for = 0
        room.venue.reconnect()
        room.venue.reconnect()
        await quiet()

    room = on_stage(scenario)
    assert filled(room.facts) == [("b", 10), ("b-sl", -10)]


def test_a_lost_update_shows_in_the_next_and_is_looked_up():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order())
        room.venue.lose(1)
        room.venue.fill("a", "4")
        room.venue.fill("a", "2")
        await quiet()
        assert filled(room.facts) == [("a", 2)]
        await room.clock.advance(1)

    assert filled(on_stage(scenario).facts) == [("a", 2), ("a", 4)]


def test_updates_that_only_overtook_each_other_cause_no_comparison():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order())
        room.venue.lose(2)
        room.venue.fill("a", "4")
        room.venue.fill("a", "2")
        for late in reversed(room.venue.said[-2:]):
            room.venue._send(late)
        await quiet()
        await room.clock.advance(1)

    room = on_stage(scenario)
    assert len(room.venue.made("account")) == 1
    assert filled(room.facts) == [("a", 2), ("a", 4)]


def test_fills_that_the_venue_counts_and_never_tells_are_a_mismatch():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order())
        room.venue.lose(1)
        room.venue.fill("a")
        room.venue.fills.clear()
        room.venue.reconnect()
        await quiet()
        for _ in range(5):
            await room.clock.advance(1)

    assert on_stage(scenario).facts[-1] == Mismatch("S", Decimal(0), Decimal(10), "v1")


def test_a_poll_finds_what_nothing_else_tells_while_orders_are_at_work():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.clock.advance(30)
        assert len(room.venue.made("account")) == 1
        await room.put(order())
        room.venue.lose(1)
        room.venue.fill("a")
        await room.clock.advance(30)

    room = on_stage(scenario, replace(PACE, poll_s=30))
    assert filled(room.facts) == [("a", 10)]


def test_a_comparison_is_made_again_until_the_venue_answers():
    async def scenario(room: Room) -> None:
        for call in ("positions", "account"):
            room.venue.fail_next(call, Transient("no connection"))
        await room.open()
        assert not room.books.compared.is_set()
        assert room.books.is_comparing
        await room.clock.advance(1)
        await room.clock.advance(1)

    room = on_stage(scenario)
    assert room.books.compared.is_set()
    assert room.books.account is not None


def test_an_open_breaker_ends_a_comparison_and_the_stream_goes_on():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order())
        room.venue.fail_next("fills_since", OPEN)
        room.venue.reconnect()
        await quiet()
        room.venue.fill("a")
        await quiet()

    room = on_stage(scenario)
    assert (filled(room.facts), room.errors) == ([("a", 10)], [])


def test_a_refused_read_is_an_error():
    async def scenario(room: Room) -> None:
        room.venue.fail_next("positions", REFUSED)
        await room.open()

    assert on_stage(scenario).errors == [REFUSED]


def test_a_stream_that_ends_is_an_error():
    async def scenario(room: Room) -> None:
        await room.open()
        room.venue.break_stream()
        await quiet()

    assert "stream of order updates ended" in str(on_stage(scenario).errors[0])


class Busy(FakeVenue):
    """Fills between the reads of a comparison, as often as it is told."""

    fills_left = 0

    async def positions(self) -> Any:
        answer = await super().positions()
        if self.fills_left:
            self.fills_left -= 1
            self.lose(1)
            self.fill("a", "1")
        return answer


@pytest.mark.parametrize(("busy", "differs"), [(2, False), (9, True)])
def test_positions_are_read_again_when_a_fill_came_between(busy, differs):
    async def run() -> Room:
        room = Room(Busy())
        await room.open()
        await room.put(order())
        room.venue.fills_left = busy
        room.venue.reconnect()
        await quiet()
        return room

    room = asyncio.run(run())
    assert any(isinstance(fact, Mismatch) for fact in room.facts) == differs
    assert len(filled(room.facts)) == min(busy, 5)
