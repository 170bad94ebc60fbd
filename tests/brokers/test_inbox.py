"""One wait for everything that arrives, in whatever lane."""

from threading import Thread

from brokers.inbox import Inbox


def test_items_come_out_of_their_own_lane_in_order():
    inbox = Inbox()
    bars, facts = inbox.lane("bars"), inbox.lane("facts")
    for item in (1, 2):
        bars.put(item)
    facts.put("fill")
    assert (bars.drain(), facts.drain(), bars.drain()) == ([1, 2], ["fill"], [])


def test_a_lane_says_how_much_of_its_own_waits():
    inbox = Inbox()
    bars, facts = inbox.lane("bars"), inbox.lane("facts")
    facts.put("fill")
    assert (bars.waiting, facts.waiting) == (0, 1)
    facts.drain()
    assert facts.waiting == 0


def test_a_lane_is_the_same_for_the_same_name():
    inbox = Inbox()
    inbox.lane("bars").put(1)
    assert inbox.lane("bars").drain() == [1]


def test_wait_ends_when_something_arrives_in_any_lane():
    inbox = Inbox()
    inbox.lane("bars")
    sender = Thread(target=inbox.lane("facts").put, args=("fill",))
    sender.start()
    assert inbox.lane("bars").wait(10.0)
    sender.join()


def test_wait_returns_at_once_while_any_lane_holds_something():
    inbox = Inbox()
    inbox.lane("facts").put("fill")
    inbox.lane("bars").drain()
    assert inbox.wait(3600.0)


def test_wait_blocks_again_after_the_drain():
    inbox = Inbox()
    inbox.lane("facts").put("fill")
    inbox.lane("facts").drain()
    assert not inbox.wait(0.001)


def test_counters_tell_what_came_and_what_is_left():
    inbox = Inbox()
    for lane in ("bars", "facts", "facts"):
        inbox.lane(lane).put(0)
    inbox.lane("facts").drain()
    assert (inbox.received, inbox.waiting) == (3, 1)


def test_nothing_is_lost_between_many_threads():
    inbox = Inbox()
    lane = inbox.lane("facts")
    senders = [Thread(target=lambda: [lane.put(n) for n in range(500)]) for _ in range(4)]
    for sender in senders:
        sender.start()
    got: list[int] = []
    while len(got) < 2000 and inbox.wait(10.0):
        got += lane.drain()
    for sender in senders:
        sender.join()
    assert sorted(got) == sorted(list(range(500)) * 4)


def test_an_inbox_is_awaited_while_somebody_waits_for_nothing_that_is_there():
    inbox = Inbox()
    lane = inbox.lane("bars")
    assert not inbox.is_awaited
    seen = []
    waiter = Thread(target=lambda: seen.append(lane.wait(10.0)))
    waiter.start()
    while not inbox.is_awaited:
        pass
    lane.put("bar")
    waiter.join()
    assert seen == [True]
    assert not inbox.is_awaited


def test_items_put_together_come_out_in_order_and_count_each():
    inbox = Inbox()
    lane = inbox.lane("bars")
    lane.put("a")
    lane.put_all(iter("bc"))
    assert (inbox.received, lane.drain(), inbox.waiting) == (3, ["a", "b", "c"], 0)
