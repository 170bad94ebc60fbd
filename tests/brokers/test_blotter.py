"""Whatever order a venue's words come in, each fill is told once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.blotter import FILLED_SHORT, Blotter
from brokers.facts import Accepted, Ended, Fact, Filled, Mismatch, Replaced, Restated, Split
from brokers.orders import Leg, OrderSchema
from brokers.wire.transport import OrderUpdate, VenueFill, VenuePosition
from tests.fakes import NOON, FakeVenue

TEN = Decimal(10)


def order(name: str = "a", side: str = "buy", quantity: str = "10", **more) -> OrderSchema:
    words = {"client_order_id": name, "symbol": "S", "side": side, "quantity": quantity}
    return OrderSchema(**({"order_type": "market"} | words | more))


def bracket(name: str = "b", quantity: str = "10") -> OrderSchema:
    exit_words = {"side": "sell", "quantity": quantity}
    stop = {"role": "stop_loss", "order_type": "stop", "stop_price": "9"}
    limit = {"role": "take_profit", "order_type": "limit", "limit_price": "12"}
    legs = (
        Leg(client_order_id=f"{name}-sl", **exit_words, **stop),
        Leg(client_order_id=f"{name}-tp", **exit_words, **limit),
    )
    return order(name, quantity=quantity, order_class="bracket", legs=legs)


def start(*orders: OrderSchema) -> tuple[Blotter, FakeVenue]:
    blotter, venue = Blotter(), FakeVenue()
    for each in orders:
        blotter.expect(each)
        venue.place(each)
    return blotter, venue


def hear(blotter: Blotter, updates: list[OrderUpdate]) -> list[Fact]:
    return [fact for update in updates for fact in blotter.apply(update)]


def kinds(facts) -> list[tuple[str, str]]:
    return [(type(fact).__name__, fact.order_id) for fact in facts]


def quantities(facts) -> list[tuple[str, Decimal]]:
    return [(fact.order_id, fact.quantity) for fact in facts if isinstance(fact, Filled)]


def test_an_order_is_accepted_then_filled():
    blotter, venue = start(order())
    venue.fill("a", price="10.5")
    facts = hear(blotter, venue.said)
    assert facts[0] == Accepted("a", "v1")
    filled = facts[1]
    assert (filled.quantity, filled.price, filled.execution_id) == (TEN, Decimal("10.5"), "x2")
    assert blotter.alive == ()


def test_a_sell_fills_negative_units():
    blotter, venue = start(order(side="sell"))
    venue.fill("a", "4")
    assert quantities(hear(blotter, venue.said)) == [("a", Decimal(-4))]


def test_partial_fills_are_increments_though_the_venue_counts_on():
    blotter, venue = start(order())
    for part in ("3", "3", "4"):
        venue.fill("a", part)
    assert [q for _, q in quantities(hear(blotter, venue.said))] == [3, 3, 4]


def test_a_pending_order_is_not_accepted_yet():
    blotter, venue = Blotter(), FakeVenue()
    blotter.expect(order())
    venue.place(order(), "pending")
    assert hear(blotter, venue.said) == []
    assert (blotter.unanswered, blotter.venue_order_id("a")) == ((), "v1")


def test_an_order_rejected_before_it_works_was_never_accepted():
    blotter, venue = Blotter(), FakeVenue()
    blotter.expect(order())
    venue.place(order(), "pending")
    venue.end("a", "rejected", "margin")
    assert hear(blotter, venue.said) == [Ended("a", "rejected", "margin")]


def test_a_fill_before_the_answer_of_the_request_is_told_once():
    blotter, venue = Blotter(), FakeVenue()
    blotter.expect(order())
    answer = OrderUpdate(venue.place(order()))
    venue.fill("a")
    facts = hear(blotter, [venue.said[-1], answer])
    assert kinds(facts) == [("Accepted", "a"), ("Filled", "a")]


def test_a_repeated_execution_is_one_fill():
    blotter, venue = start(order())
    venue.fill("a", "4")
    assert len(quantities(hear(blotter, venue.said * 3))) == 1


def test_an_end_waits_for_the_fill_that_came_before_it():
    blotter, venue = start(order())
    venue.fill("a", "4")
    venue.end("a", "canceled")
    accepted, filled, ended = venue.said
    assert kinds(hear(blotter, [accepted, ended])) == [("Accepted", "a")]
    assert blotter.behind == ("S",)
    assert kinds(hear(blotter, [filled])) == [("Filled", "a"), ("Ended", "a")]


def test_a_refused_order_ends_with_its_reason_once():
    blotter, _ = start(bracket())
    assert blotter.refuse("b", "no") == (Ended("b", "rejected", "no"),)
    assert blotter.refuse("b", "no") == ()
    assert blotter.alive == ()


def test_legs_are_known_by_their_entry_whatever_the_venue_calls_them():
    blotter, venue = start(bracket())
    venue.fill("b")
    venue.fill("b-sl", price="9")
    facts = hear(blotter, venue.said)
    assert quantities(facts) == [("b", TEN), ("b-sl", -TEN)]
    assert [fact for fact in facts if isinstance(fact, Ended)] == [Ended("b-tp", "canceled")]


def test_a_leg_heard_of_before_its_entry_is_held_until_it_is_known():
    blotter, venue = start(bracket())
    venue.fill("b")
    venue.fill("b-sl", price="9")
    entry, *rest = venue.said
    alone = [u for u in rest if u.order.venue_order_id != entry.order.venue_order_id]
    assert hear(blotter, alone * 2) == []
    assert quantities(hear(blotter, [entry])) == [("b-sl", -TEN)]


def test_legs_of_an_entry_that_never_filled_are_not_waited_for():
    blotter, venue = start(bracket())
    venue.end("b", "canceled")
    hear(blotter, venue.said[:2])
    assert blotter.alive == ()


def test_a_triggered_leg_may_go_on_under_another_id():
    blotter, venue = start(bracket())
    venue.fill("b")
    successor = venue.supersede("b-sl")
    venue.fill("b-sl", price="8.9")
    facts = hear(blotter, venue.said)
    assert Replaced("b-sl", successor.venue_order_id) in facts
    assert quantities(facts)[-1] == ("b-sl", -TEN)
    assert blotter.alive == ()


@pytest.mark.parametrize("reverse", [False, True])
def test_a_chain_of_replacements_is_followed_from_either_end(reverse):
    blotter, venue = start(order())
    hear(blotter, venue.said[:1])
    venue.fill("a", "2")
    venue.supersede("a")
    last = venue.supersede("a")
    venue.fill("a", "3")
    later = venue.said[1:]
    facts = hear(blotter, later[::-1] if reverse else later)
    assert sorted(q for _, q in quantities(facts)) == [2, 3]
    assert blotter.venue_order_id("a") == last.venue_order_id
    assert sum(isinstance(fact, Replaced) for fact in facts) == 2


def test_a_replacement_for_fewer_units_ends_when_they_are_filled():
    blotter, venue = start(order())
    venue.supersede("a", quantity=Decimal(6))
    venue.fill("a")
    facts = hear(blotter, venue.said)
    assert facts[-1] == Ended("a", "canceled", FILLED_SHORT)


def test_a_replacement_for_the_whole_quantity_again_is_told_fill_by_fill():
    blotter, venue = start(order())
    venue.fill("a", "4")
    venue.supersede("a", quantity=TEN)  # Alpaca-API#165: not the six that are left
    venue.fill("a")
    facts = hear(blotter, venue.said)
    assert quantities(facts) == [("a", Decimal(4)), ("a", TEN)]
    assert blotter.alive == ()
    assert blotter.compare(*venue.snapshot()) == ()


def test_a_fill_only_in_the_comparison_is_told_there_and_once():
    blotter, venue = start(order())
    hear(blotter, venue.said)
    venue.fill("a")
    assert quantities(blotter.compare(*venue.snapshot())) == [("a", TEN)]
    assert blotter.compare(*venue.snapshot()) == ()
    assert hear(blotter, venue.said) == []


def test_an_order_missed_altogether_comes_with_the_comparison():
    blotter, venue = Blotter(), FakeVenue()
    blotter.expect(bracket())
    assert blotter.unanswered == ("b",)
    venue.place(bracket())
    venue.fill("b")
    venue.fill("b-tp", price="12")
    facts = blotter.compare(*venue.snapshot())
    assert quantities(facts) == [("b", TEN), ("b-tp", -TEN)]
    assert blotter.alive == ()


@pytest.mark.parametrize(
    ("status", "filled", "is_strange"),
    [("new", "0", True), ("canceled", "0", False), ("filled", "10", True)],
)
def test_an_order_that_is_not_ours_is_a_mismatch(status, filled, is_strange):
    venue = FakeVenue()
    theirs = replace(venue.place(order("other")), status=status, filled_quantity=Decimal(filled))
    expected = (Mismatch("S", Decimal(0), TEN, "v1"),) if is_strange else ()
    assert Blotter().compare([theirs], [], []) == expected


def test_an_order_at_work_that_we_know_to_have_ended_is_a_mismatch():
    blotter, venue = Blotter(), FakeVenue()
    blotter.expect(order())
    blotter.refuse("a", "surely not accepted")
    venue.place(order())
    assert blotter.compare(*venue.snapshot()) == (Mismatch("S", Decimal(0), TEN, "v1"),)


def test_a_position_that_differs_is_a_mismatch_told_again_only_if_it_comes_back():
    blotter = Blotter({"S": TEN})
    held = [VenuePosition("S", Decimal(7), TEN)]
    assert blotter.compare([], [], held) == (Mismatch("S", TEN, Decimal(7)),)
    assert blotter.compare([], [], held) == ()
    assert blotter.compare([], [], [VenuePosition("S", TEN, TEN)]) == ()
    assert blotter.compare([], [], held) == (Mismatch("S", TEN, Decimal(7)),)


def test_a_position_is_not_judged_while_a_fill_is_on_its_way():
    blotter, venue = start(order())
    venue.fill("a")
    orders, _, positions = venue.snapshot()
    assert kinds(blotter.compare(orders, [], positions)) == [("Accepted", "a")]
    assert blotter.behind == ("S",)


def test_a_fill_of_an_order_that_nobody_knows_shows_in_the_position():
    fill = VenueFill("x", "v9", "S", "buy", TEN, TEN, NOON)
    facts = Blotter().compare([], [fill], [VenuePosition("S", TEN, TEN)])
    assert facts == (Mismatch("S", Decimal(0), TEN),)


def test_adopted_orders_and_positions_are_no_mismatch():
    blotter, venue = start(order())
    venue.place(order("other"))
    orders = venue.snapshot()[0]
    held = [VenuePosition("S", Decimal(7), TEN)]
    blotter.adopt(orders, held)
    assert kinds(blotter.compare(orders, [], held)) == [("Accepted", "a")]


def test_a_leg_without_a_role_we_asked_for_is_a_stranger():
    blotter, venue = start(order())
    entry = venue.said[0].order
    leg = replace(entry, venue_order_id="v7", client_order_id="c7")
    facts = blotter.compare([replace(entry, legs=(leg,))], [], [])
    assert facts[-1] == Mismatch("S", Decimal(0), TEN, "v7")


def test_what_was_told_before_a_restart_is_not_told_again():
    blotter, venue = start(bracket(), order())
    venue.fill("b")
    venue.supersede("b-sl")
    venue.fill("a", "4")
    venue.end("a", "canceled")
    told = hear(blotter, venue.said)
    again = Blotter()
    for each in (bracket(), order()):
        again.expect(each)
    for fact in told:
        again.recall(fact)
    assert again.alive == ("b-sl", "b-tp")
    assert again.compare(*venue.snapshot()) == ()
    venue.fill("b-sl", "3")
    assert quantities(again.compare(*venue.snapshot())) == [("b-sl", Decimal(-3))]


@st.composite
def histories(draw: st.DrawFn) -> FakeVenue:
    """A venue that has lived through something with the orders a, b and c."""
    venue = FakeVenue()
    for each in (order("a"), bracket("b"), order("c", "sell")):
        venue.place(each, draw(st.sampled_from(["new", "pending"])))
    names = ["a", "b", "c", "b-sl", "b-tp"]
    for _ in range(draw(st.integers(0, 10))):
        name = draw(st.sampled_from(names))
        now = venue.orders[venue._tip[name]]
        if now.status not in ("new", "partially_filled", "pending"):
            continue
        act = draw(st.sampled_from(["part", "part", "fill", "cancel", "expire", "supersede"]))
        if act == "part" and now.quantity - now.filled_quantity > 2:
            venue.fill(name, "2")
        elif act == "supersede":
            venue.supersede(name)
        elif act in ("cancel", "expire"):
            venue.end(name, "canceled" if act == "cancel" else "expired")
        else:
            venue.fill(name)
    return venue


@settings(max_examples=200, deadline=None)
@given(venue=histories(), data=st.data())
def test_permuted_doubled_and_lost_updates_come_to_the_same(venue, data):
    def fresh() -> Blotter:
        blotter = Blotter()
        for each in (order("a"), bracket("b"), order("c", "sell")):
            blotter.expect(each)
        return blotter

    def end_state(blotter: Blotter, facts: list[Fact]) -> tuple:
        ended = {fact for fact in facts if isinstance(fact, Ended) and "-" not in fact.order_id}
        fills = sorted(quantities(facts))
        return fills, ended, blotter.alive, [blotter.venue_order_id(n) for n in "abc"]

    plain = fresh()
    told = hear(plain, venue.said)
    told += plain.compare(*venue.snapshot())
    heard = data.draw(st.lists(st.sampled_from(venue.said)).flatmap(st.permutations))
    shaken = fresh()
    facts = hear(shaken, heard) + list(shaken.compare(*venue.snapshot()))
    assert len(quantities(told)) == len(venue.fills)
    assert end_state(shaken, facts) == end_state(plain, told)
    assert len({f.execution_id for f in facts if isinstance(f, Filled)}) == len(venue.fills)
    ends = [fact.order_id for fact in facts if isinstance(fact, Ended)]
    assert len(ends) == len(set(ends))
    assert shaken.compare(*venue.snapshot()) == ()
    assert hear(shaken, venue.said) == []


# -- Splits

TWO_FOR_ONE = Split("S", Decimal(2), Decimal(1), NOON, NOON + timedelta(hours=18))


def split_blotter(units: int = 10) -> Blotter:
    blotter = Blotter({"S": Decimal(units)})
    blotter.recall(TWO_FOR_ONE)
    return blotter


def positions(units: str) -> list[VenuePosition]:
    return [VenuePosition("S", Decimal(units), TEN)]


@pytest.mark.parametrize("units", ["20", "20.5", "19.25"])
def test_a_split_explains_a_position_to_less_than_a_unit_once(units):
    blotter = split_blotter()
    assert blotter.compare((), (), positions("10")) == ()  # the venue has not done it yet
    assert blotter.compare((), (), positions(units)) == (Restated("S", Decimal(units)),)
    assert blotter.compare((), (), positions(units)) == ()
    assert blotter.compare((), (), positions("10")) == (Mismatch("S", Decimal(units), TEN),)


def test_a_split_explains_nothing_else():
    assert split_blotter().compare((), (), positions("15")) == (Mismatch("S", TEN, Decimal(15)),)


def test_a_fill_after_a_split_is_in_new_units():
    blotter = split_blotter()
    blotter.expect(order("a", "sell", "20"))
    after = TWO_FOR_ONE.ex_at + timedelta(minutes=1)
    fill = VenueFill("x1", "v1", "S", "sell", Decimal(5), TEN, after)
    venue = FakeVenue()
    venue.place(order("a", "sell", "20"))
    hear(blotter, venue.said)
    restated, filled = blotter.compare((), (fill,), positions("15"))[-2:]
    assert (restated, filled.quantity) == (Restated("S", Decimal(20)), Decimal(-5))
    assert blotter.compare((), (), positions("15")) == ()


def test_a_restart_recalls_splits():
    told = Blotter({"S": TEN})
    told.recall(TWO_FOR_ONE)
    assert told.compare((), (), positions("20")) == (Restated("S", Decimal(20)),)
    again = Blotter({"S": TEN})
    again.recall(TWO_FOR_ONE)
    again.recall(Restated("S", Decimal(20)))
    assert again.compare((), (), positions("20")) == ()
