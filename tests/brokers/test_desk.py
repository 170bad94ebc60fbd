"""What leaves for the venue, in which order, and what is learnt from it."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers.desk import LAPSED, NEVER_ARRIVED, UNEXPLAINED, Cancel, Replace
from brokers.errors import Transient, Unknown
from brokers.facts import Accepted, Ended, Replaced
from brokers.orders import OrderSchema
from brokers.wire.transport import Replacement
from tests.brokers.room import OPEN, PACE, REFUSED, Room, filled, on_stage
from tests.brokers.test_blotter import bracket, order
from tests.fakes import FakeVenue, quiet


def test_an_order_leaves_after_the_first_comparison():
    async def scenario(room: Room) -> None:
        await room.put(order())
        assert room.venue.calls == []
        await room.open()

    room = on_stage(scenario)
    names = [name for name, _ in room.venue.calls]
    assert names == ["fills_since", "positions", "orders_since", "fills_since", "account", "submit"]
    assert room.facts == [Accepted("a", "v1")]
    assert (room.desk.done, room.desk.is_open) == (1, True)


def test_when_the_books_differ_from_the_start_cancels_leave_and_no_order_does():
    async def scenario(room: Room) -> None:
        room.venue.held["S"] = Decimal(5)
        room.blotter.expect(order("old"))
        room.venue.place(order("old"))
        await room.put(order())
        await room.open()
        await room.put(Cancel("old"), order("b"))

    room = on_stage(scenario)
    assert (room.venue.made("submit"), room.venue.made("cancel")) == ([], ["v1"])
    assert Ended("a", "rejected", UNEXPLAINED) in room.facts


def test_a_difference_found_later_is_for_the_session_to_judge():
    async def scenario(room: Room) -> None:
        await room.open()
        room.venue.held["S"] = Decimal(5)
        room.venue.reconnect()
        await quiet()
        await room.put(order())

    assert on_stage(scenario).venue.made("submit") == ["a"]


@pytest.mark.parametrize("error", [REFUSED, OPEN, Transient("gave up")])
def test_an_order_that_surely_did_not_arrive_ends_with_the_reason(error):
    async def scenario(room: Room) -> None:
        await room.open()
        room.venue.fail_next("submit", error)
        await room.put(order())

    assert on_stage(scenario).facts == [Ended("a", "rejected", str(error))]


def test_an_order_accepted_without_an_answer_is_found_and_not_sent_again():
    async def scenario(room: Room) -> None:
        await room.open()
        room.venue.lose(1)
        room.venue.fail_next("submit", Unknown("timed out", "a"), after=True)
        room.venue.fail_next("find", Transient("no connection"))
        await room.put(order())
        await room.clock.advance(1)

    room = on_stage(scenario)
    assert room.facts == [Accepted("a", "v1")]
    assert (room.venue.made("submit"), room.venue.made("find")) == (["a"], ["a", "a"])


def test_an_order_without_an_answer_that_the_venue_does_not_have_ends():
    async def scenario(room: Room) -> None:
        await room.open()
        room.venue.fail_next("submit", Unknown("timed out", "a"))
        await room.put(order())

    assert on_stage(scenario).facts == [Ended("a", "rejected", NEVER_ARRIVED)]


def test_an_order_whose_fate_cannot_be_asked_for_stays_open():
    async def scenario(room: Room) -> None:
        await room.open()
        room.venue.fail_next("submit", Unknown("timed out", "a"))
        room.venue.fail_next("find", OPEN)
        await room.put(order())

    room = on_stage(scenario)
    assert (room.facts, room.blotter.unanswered, room.errors) == ([], ("a",), [])


def test_a_cancel_is_confirmed_before_the_opposite_side_leaves():
    async def scenario(room: Room) -> None:
        await room.open()
        room.venue.lose(2)
        await room.put(order(), Cancel("a"), order("b", side="sell"))
        assert room.venue.made("submit") == ["a"]
        await room.clock.advance(10)

    room = on_stage(scenario)
    assert room.venue.made("submit") == ["a", "b"]
    assert room.facts[1:] == [Ended("a", "canceled"), Accepted("b", "v2")]


def test_a_confirmed_cancel_lets_the_next_order_go_at_once():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order(), Cancel("a"), order("b", side="sell"))

    assert on_stage(scenario).venue.made("submit") == ["a", "b"]


def test_a_cancel_that_never_ends_leaves_the_verdict_to_the_venue():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order())
        room.venue.end = lambda *_: None
        await room.put(Cancel("a"), order("b", side="sell"))
        await room.clock.advance(10)

    room = on_stage(scenario)
    assert room.venue.made("submit") == ["a", "b"]
    assert room.blotter.alive == ("a", "b")


def test_a_cancel_of_another_symbol_holds_nothing_up():
    async def scenario(room: Room) -> None:
        await room.open()
        room.venue.lose(2)
        await room.put(order(), Cancel("a"), order("b", symbol="T"))

    assert on_stage(scenario).venue.made("submit") == ["a", "b"]


def test_a_leg_is_cancelled_by_the_venues_id():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(bracket(), Cancel("b-sl"), Cancel("b-sl"))

    assert on_stage(scenario).venue.made("cancel") == ["v2"]


def test_a_leg_not_heard_of_is_looked_for_before_its_cancel():
    async def scenario(room: Room) -> None:
        await room.open()
        room.blotter.expect(bracket())
        room.venue.lose(1)
        room.venue.place(bracket())
        await room.put(Cancel("b-tp"))

    assert on_stage(scenario).venue.made("cancel") == ["v4"]


def test_a_leg_that_the_venue_does_not_have_is_not_cancelled():
    async def scenario(room: Room) -> None:
        await room.open()
        room.blotter.expect(bracket())
        await room.put(Cancel("b-tp"))

    room = on_stage(scenario)
    assert (room.venue.made("cancel"), room.desk.done) == ([], 1)


def test_a_cancel_of_an_order_that_never_came_here_is_done():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(Cancel("x"))

    room = on_stage(scenario)
    assert (room.venue.made("cancel"), room.desk.done) == ([], 1)


@pytest.mark.parametrize(("error", "comparisons"), [(REFUSED, 2), (OPEN, 1)])
def test_a_cancel_that_failed_is_followed_by_a_comparison_if_one_can_be_made(error, comparisons):
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order())
        room.venue.fail_next("cancel", error)
        await room.put(Cancel("a"), order("b"))

    room = on_stage(scenario)
    assert len(room.venue.made("account")) == comparisons
    assert room.venue.made("submit") == ["a", "b"]


def test_a_replacement_goes_on_under_our_id():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order(), Replace("a", 1, Replacement(quantity=Decimal(7))))
        room.venue.fill("a")
        await quiet()

    room = on_stage(scenario)
    assert room.venue.made("replace") == ["a-r1"]
    assert Replaced("a", "v2") in room.facts
    assert filled(room.facts) == [("a", 7)]


class Slow(FakeVenue):
    """Keeps every submit waiting until it is told to answer."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: dict[str, asyncio.Event] = {}

    async def submit(self, schema: OrderSchema) -> Any:
        self.calls.append(("left", schema.client_order_id))
        gate = self.gates[schema.client_order_id] = asyncio.Event()
        await gate.wait()
        return await super().submit(schema)

    async def answer(self, order_id: str) -> None:
        self.gates[order_id].set()
        await quiet()


LANES = replace(PACE, lanes=3)


@pytest.mark.parametrize(("lanes", "left"), [(1, ["a"]), (2, ["a", "b"]), (3, ["a", "b"])])
def test_orders_apart_overlap_in_different_symbols_as_far_as_lanes_allow(lanes, left):
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order("a"), order("b", symbol="T"), order("c"), apart=True)
        assert room.venue.made("left") == left
        await room.venue.answer("a")

    room = on_stage(scenario, replace(PACE, lanes=lanes), Slow())
    assert room.venue.made("left") == (["a", "b"] if lanes == 1 else ["a", "b", "c"])


def test_facts_are_held_from_the_second_order_out_until_all_are_answered():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order("a"), order("b", symbol="T"), apart=True)
        await room.venue.answer("a")
        assert room.holds == [True]
        await room.venue.answer("b")

    assert on_stage(scenario, LANES, Slow()).holds == [True, False]


def test_an_order_does_not_leave_before_those_ahead_of_it():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order("a"), order("b"), order("c", symbol="T"), apart=True)
        assert room.venue.made("left") == ["a"]
        await room.venue.answer("a")

    assert on_stage(scenario, LANES, Slow()).venue.made("left") == ["a", "b", "c"]


def test_orders_that_are_not_apart_leave_one_after_the_other():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order("a"), order("b", symbol="T"), order("c", symbol="U"))
        assert room.venue.made("left") == ["a"]
        await room.venue.answer("a")

    assert on_stage(scenario, LANES, Slow()).venue.made("left") == ["a", "b"]


def test_an_order_that_is_not_apart_leaves_alone_between_those_that_are():
    async def scenario(room: Room) -> None:
        await room.open()
        await room.put(order("a"), order("b", symbol="T"), apart=True)
        await room.put(order("c", symbol="U"))
        await room.put(order("d", symbol="V"), apart=True)
        for name, left in (("a", "ab"), ("b", "abc"), ("c", "abcd")):
            await room.venue.answer(name)
            assert room.venue.made("left") == list(left)

    on_stage(scenario, LANES, Slow())


def test_after_a_restart_an_intent_at_the_venue_is_found():
    async def scenario(room: Room) -> None:
        room.blotter.expect(order())
        room.venue.place(order())
        room.venue.fail_next("fills_since", OPEN)
        await room.open(order())

    room = on_stage(scenario)
    assert (room.venue.made("find"), room.venue.made("submit")) == (["a"], [])
    assert room.facts == [Accepted("a", "v1")]


def test_after_a_restart_an_intent_that_the_comparison_found_is_not_asked_for():
    async def scenario(room: Room) -> None:
        room.blotter.expect(order())
        room.venue.place(order())
        await room.open(order())

    assert on_stage(scenario).venue.made("find") == []


@pytest.mark.parametrize(
    ("current", "fact"),
    [(["a"], Accepted("a", "v1")), ([], Ended("a", "rejected", LAPSED))],
)
def test_after_a_restart_an_absent_intent_leaves_only_while_it_is_current(current, fact):
    async def scenario(room: Room) -> None:
        room.blotter.expect(order())
        await room.open(order(), current=current)

    assert on_stage(scenario).facts == [fact]


def test_after_a_restart_an_intent_that_cannot_be_asked_for_stays_open():
    async def scenario(room: Room) -> None:
        room.blotter.expect(order())
        room.venue.fail_next("find", OPEN)
        await room.open(order(), current=["a"])

    room = on_stage(scenario)
    assert (room.blotter.unanswered, room.desk.is_open) == (("a",), True)
