"""One connection, one thread: what may leave, and when."""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from brokers.blotter import Blotter
from brokers.books import Pace
from brokers.clock import ManualClock
from brokers.errors import ConfigError, Transient, VenueRefused
from brokers.facts import Accepted, Broken, Ended, Fact, Filled, Mismatch
from brokers.inbox import Inbox
from brokers.remote import RemoteBroker
from brokers.store import PARTNER_LEFT, Link, Store
from brokers.wire.transport import Replacement
from tests.brokers.stage import FLAT, perform
from tests.brokers.test_blotter import bracket, order
from tests.fakes import NOON, FakeVenue

Wait = Callable[[int], list[Fact]]


class Wired:
    """A store on a fake venue, and the inbox behind it."""

    def __init__(self, **how: Any) -> None:
        self.venue = FakeVenue()
        self.inbox = Inbox()
        self.lane = self.inbox.lane("facts")
        self.syncs: list[int] = []
        how = {"sync": lambda: self.syncs.append(len(self.venue.made("submit")))} | how
        self.store = Store(self.connect, self.lane, clock=ManualClock(NOON), since=NOON, **how)

    async def connect(self) -> Link:
        return Link(self.venue)

    def wait(self, count: int) -> list[Fact]:
        """The next facts; fails when they do not come."""
        facts: list[Fact] = []
        while len(facts) < count:
            assert self.inbox.wait(10), f"only {facts} came"
            facts += self.lane.drain()
        return facts

    def open(self) -> None:
        self.store.start()
        self.store.go_live()


@pytest.fixture
def wired() -> Iterator[Wired]:
    wired = Wired()
    yield wired
    wired.store.stop()


def stores() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "store"]


def turn(wired: Wired) -> None:
    """Let the loop come round once."""

    async def knock(_: Link) -> None:
        knocked.set()

    knocked = threading.Event()
    wired.store.attend(knock)
    assert knocked.wait(10)


def test_an_order_leaves_when_the_turn_is_released(wired):
    wired.open()
    wired.store.send(order())
    wired.store.release()
    assert wired.wait(1) == [Accepted("a", "v1")]
    wired.venue.fill("a")
    (filled,) = wired.wait(1)
    assert isinstance(filled, Filled)


def test_the_log_is_synced_once_a_turn_before_its_first_order_leaves(wired):
    wired.open()
    for name in "abc":
        wired.store.send(order(name))
    wired.store.release()
    wired.wait(3)
    wired.store.release()
    wired.store.send(order("d"))
    wired.store.release()
    wired.wait(1)
    assert wired.syncs == [0, 3]
    assert wired.venue.made("submit") == ["a", "b", "c", "d"]


def test_a_log_that_cannot_be_synced_refuses_the_turns_orders_and_lets_its_cancels_leave():
    disk: list[OSError | None] = [None, OSError(28, "No space left on device")]

    def sync() -> None:
        if error := disk.pop(0):
            raise error

    wired = Wired(sync=sync)
    wired.open()
    wired.store.send(order())
    wired.store.release()
    wired.wait(1)
    wired.store.cancel("a")
    wired.store.send(order("b"))
    wired.store.cancel("b")
    wired.store.release()
    facts = wired.wait(2)
    wired.store.stop()
    assert {fact.order_id: fact.status for fact in facts} == {"a": "canceled", "b": "rejected"}
    (reason,) = {fact.reason for fact in facts if fact.order_id == "b"}
    assert "No space left on device" in reason
    assert wired.venue.made("submit") == ["a"]


def test_cancels_and_replacements_leave_in_the_order_of_the_calls(wired):
    wired.open()
    wired.store.send(order())
    for quantity in ("8", "7"):
        wired.store.replace("a", Replacement(quantity=Decimal(quantity)))
    wired.store.cancel("a")
    wired.store.release()
    facts = wired.wait(4)
    assert [type(fact).__name__ for fact in facts] == ["Accepted", "Replaced", "Replaced", "Ended"]
    assert wired.venue.made("replace") == ["a-r1", "a-r2"]


def test_what_connect_raises_comes_out_of_start_and_leaves_no_thread():
    async def connect() -> Link:
        raise Transient("127.0.0.1:8765 does not answer")

    store = Store(connect, Inbox().lane("facts"), clock=ManualClock(NOON), since=NOON)
    with pytest.raises(Transient, match="does not answer"):
        store.start()
    assert stores() == []
    store.stop()


def test_the_thread_is_joined_and_the_connection_closed_at_the_end(wired):
    wired.open()
    assert stores() == ["store"]
    wired.store.stop()
    wired.store.stop()
    assert (stores(), wired.venue.is_closed, wired.store.state) == ([], True, "stopped")


def test_a_store_that_is_not_connected_says_what_to_do(wired):
    assert wired.store.state == "new"
    with pytest.raises(ConfigError, match="start"):
        assert wired.store.progress
    wired.store.stop()


def test_account_and_progress_are_plain_reads(wired):
    wired.store.start()
    assert (wired.store.state, wired.store._wiring.books.account, wired.store.is_idle) == (
        "connected",
        None,
        True,
    )
    wired.store.go_live()
    wired.store.send(order())
    wired.store.release()
    wired.wait(1)
    turn(wired)
    assert (wired.store.state, wired.store._wiring.books.account.cash) == ("live", 100000)
    while not wired.store.is_idle:
        turn(wired)


@pytest.mark.parametrize(
    "error", [VenueRefused("401", "the key is wrong"), ValueError("a frame that is no JSON")]
)
def test_an_error_on_the_loop_breaks_the_store_and_refuses_orders(wired, error):
    wired.open()
    wired.store.send(order())
    wired.store.release()
    wired.wait(1)
    wired.venue.break_stream(error)
    (broken,) = wired.wait(1)
    assert broken == Broken(f"{type(error).__name__}: {error}")
    assert (wired.store.failure, wired.store.state) == (error, "failed")
    wired.store.send(order("b"))
    wired.store.release()
    (ended,) = wired.wait(1)
    assert ended == Ended("b", "rejected", f"the connection broke: {error}")


def test_an_error_inside_the_lane_is_told_as_itself(wired):
    wired.open()
    wired.venue.fail_next("submit", ConfigError("the key is of another environment"))
    wired.store.send(order())
    wired.store.release()
    assert wired.wait(1) == [Broken("ConfigError: the key is of another environment")]


def test_an_error_while_closing_is_kept():
    wired = Wired()

    async def close() -> None:
        raise OSError("reset by peer")

    wired.venue.close = close
    wired.open()
    wired.store.stop()
    assert str(wired.store.failure) == "reset by peer"


def test_other_streams_run_on_the_same_loop_and_bars_are_closed_too():
    wired, bars = Wired(), FakeVenue()

    async def connect() -> Link:
        return Link(wired.venue, bars)  # type: ignore[arg-type]

    async def pump(link: Link) -> None:
        wired.inbox.lane("bars").put((link.bars is bars, threading.current_thread().name))

    store = Store(connect, wired.lane, clock=ManualClock(NOON), since=NOON)
    store.start()
    store.attend(pump)
    assert wired.inbox.wait(10)
    store.stop()
    assert wired.inbox.lane("bars").drain() == [(True, "store")]
    assert bars.is_closed


def test_differences_from_the_positions_of_the_beginning_are_told_first():
    wired = Wired(blotter=Blotter({"S": 5}))
    wired.open()
    (mismatch,) = wired.wait(1)
    wired.store.stop()
    assert mismatch == Mismatch("S", 5, 0)


def test_a_restart_settles_what_was_left_open():
    wired = Wired()
    venue, store = wired.venue, wired.store
    for each in (order("a"), bracket("b"), order("c", quantity="3")):
        venue.place(each)
    venue.fill("c", "1")
    venue.fill("b")
    store.start()
    for each in (order("a"), bracket("b"), order("c", quantity="3"), order("d"), order("e")):
        store.send(each)
    store.cancel("a")
    store.cancel("x")
    store.release()
    store.recall(Accepted("c", venue._tip["c"]))
    store.recall(Filled("c", venue.fills[0].execution_id, 1, 10, NOON, None, venue._tip["c"]))
    assert venue.calls == []
    store.go_live(current=["d"])
    facts = wired.wait(8)
    store.stop()
    by_kind = [(type(fact).__name__, fact.order_id) for fact in facts]
    assert by_kind[:4] == [("Accepted", n) for n in ("a", "b", "b-sl", "b-tp")]
    assert by_kind[4:] == [("Filled", "b"), ("Accepted", "d"), ("Ended", "e"), ("Ended", "a")]
    assert (venue.made("submit"), venue.made("find")) == (["d"], ["d", "e"])


def test_orders_of_a_strategy_reach_the_venue_and_its_fills_come_back():
    wired = Wired(pace=Pace(lanes=1))
    wired.open()
    near = RemoteBroker(wired.store, wired.lane.drain, cash=100_000)

    def let_it_fill(s: Any) -> None:
        near.stop()  # the turn ends: release
        wired.inbox.wait(10)
        s.memory["name"] = s.broker.order_id(s.memory["order"].ref)

    def fill(s: Any) -> None:
        wired.venue.fill(s.memory["name"], price="10.5")
        wired.inbox.wait(10)

    script = {0: lambda s: [s.memory.update(order=s.buy(size=5)), let_it_fill(s)], 1: fill}
    play = perform(script, FLAT, inner=near, guard={})
    wired.store.stop()
    assert play.statuses == ["Submitted", "Accepted", "Completed"]
    assert play.account[-1] == (99_947.5, 99_997.5, 5)


def oco_pair() -> tuple[Any, Any]:
    exits = {"side": "sell", "quantity": "10"}
    stop = order("s", order_type="stop", stop_price="9", **exits)
    tie = {"order_class": "oco", "oco_client_order_id": "s"}
    return stop, order("t", order_type="limit", limit_price="12", **exits, **tie)


def test_two_exits_of_one_turn_leave_as_one_order_and_are_told_of_one_by_one(wired):
    wired.open()
    wired.store.send(order("x"))
    for each in oco_pair():
        wired.store.send(each)
    wired.store.release()
    assert {fact.order_id for fact in wired.wait(3)} == {"x", "s", "t"}
    assert wired.venue.made("submit") == ["x", "t"]
    wired.venue.fill("s")
    wired.venue.end("t", "canceled")
    facts = wired.wait(2)
    assert [(type(fact).__name__, fact.order_id) for fact in facts] == [
        ("Filled", "s"),
        ("Ended", "t"),
    ]


def test_an_exit_whose_partner_has_left_is_refused(wired):
    wired.open()
    stop, target = oco_pair()
    wired.store.send(stop)
    wired.store.release()
    wired.wait(1)
    wired.store.send(target)
    assert wired.wait(1) == [Ended("t", "rejected", PARTNER_LEFT)]
    wired.store.release()
    assert wired.venue.made("submit") == ["s"]


def test_two_exits_that_cannot_be_logged_are_both_refused():
    def sync() -> None:
        raise OSError(28, "No space left on device")

    wired = Wired(sync=sync)
    wired.open()
    for each in oco_pair():
        wired.store.send(each)
    wired.store.release()
    facts = wired.wait(2)
    wired.store.stop()
    assert [(fact.order_id, fact.status) for fact in facts] == [
        ("t", "rejected"),
        ("s", "rejected"),
    ]


def test_two_exits_of_before_a_restart_are_looked_up_as_one(wired):
    wired.store.start()
    for each in oco_pair():
        wired.store.send(each)
    wired.store.go_live(current=["s", "t"])
    assert {fact.order_id for fact in wired.wait(2)} == {"s", "t"}
    assert (wired.venue.made("find"), wired.venue.made("submit")) == (["t"], ["t"])
