"""The live feed in a real Cerebro: every bar once, in order, one next() a turn."""

from collections.abc import Iterable
from threading import Thread
from typing import Any

import backtrader as bt
import pytest

from brokers.clock import ManualClock, SystemClock
from brokers.inbox import Inbox
from feeds.frames import as_feed
from feeds.stream import LiveFeed, live_feeds
from feeds.timeframe import Timeframe
from feeds.turns import Turn, warm_up
from tests.feeds.live_stage import (
    DOWN,
    START,
    SYMBOLS,
    UP,
    Script,
    backtest,
    bar,
    bars,
    cerebro,
    frame,
    live_run,
    turns_over,
)

LIVE, DELAYED, BROKEN = LiveFeed.LIVE, LiveFeed.DELAYED, LiveFeed.CONNBROKEN


@pytest.mark.parametrize("count", [1, 3, 50])
def test_live_bars_show_a_strategy_what_the_backtest_shows(count):
    symbols = SYMBOLS[count]
    run = live_run(symbols, ([one] for one in bars(symbols, range(5, 20))), warm=range(5))
    assert run.seen == backtest(symbols, range(20))


@pytest.mark.parametrize("count", [1, 3, 50])
def test_next_comes_once_a_turn_with_all_symbols_at_the_same_time(count):
    symbols = SYMBOLS[count]
    run = live_run(symbols, [bars(symbols, [minute]) for minute in range(1, 9)])
    assert [len({values[1] for values in turn}) for turn in run.seen] == [1] * 9
    assert [{values[0] for values in turn} for turn in run.seen] == [{n} for n in range(1, 10)]


def test_bars_of_many_minutes_at_once_become_one_turn_after_the_other():
    symbols = SYMBOLS[3]
    run = live_run(symbols, [bars(symbols, range(1, 30))])
    assert run.seen == backtest(symbols, range(30))


def test_symbols_that_did_not_trade_look_as_in_the_backtest():
    minutes = {"A": [0, 1, 2, 5], "B": [0, 2, 3, 4, 5], "C": [0, 4]}
    ticks = sorted((minute, name) for name, held in minutes.items() for minute in held if minute)
    batches = [[bar(name, minute)] for minute, name in ticks]
    run = live_run(list(minutes), [*batches, 2.0, 2.0], deadline_s=2.0)
    assert run.seen == backtest(list(minutes), minutes)


def test_a_warm_up_of_unequal_length_looks_as_in_the_backtest():
    minutes = {"A": list(range(4)), "B": list(range(2, 6))}
    clock = ManualClock(START)
    inbox = Script([[UP]], clock)
    held = {name: frame(name, minutes[name]) for name in minutes}
    turns = turns_over(inbox, "AB", clock, past=warm_up(held))
    inbox.at_end = turns.finish
    seen = cerebro(live_feeds(turns, held).values(), []).run()[0].seen
    assert seen == backtest("AB", minutes)


def test_history_that_overlaps_the_stream_is_seen_once():
    symbols = SYMBOLS[3]
    run = live_run(symbols, [bars(symbols, range(2, 6)), bars(symbols, range(3, 8))], warm=range(4))
    assert run.seen == backtest(symbols, range(8))
    assert run.dropped == []


def test_the_first_feed_alone_waits_and_never_without_a_reason():
    symbols = SYMBOLS[50]
    batches = [[one] for one in bars(symbols, range(1, 4))]
    run = live_run(symbols, [*batches, 0.25, 0.25])
    assert len(run.waits) == 1 + len(batches) + 2 + 1  # each is an arrival, a time-out, or the end
    assert all(0.0 < wait_s <= 0.25 for wait_s in run.waits)


def test_the_wait_is_no_longer_than_the_barriers_deadline():
    run = live_run("AB", [[bar("A", 1)], 0.125], deadline_s=0.125)
    assert [round(wait_s, 2) for wait_s in run.waits[1:4]] == [0.25, 0.12, 0.25]
    assert len(run.seen) == 2


def test_all_feeds_become_live_together_and_say_when_they_are_not():
    batches = [bars("AB", [1]), [DOWN], 0.25, [UP, *bars("AB", [2])], [UP], bars("AB", [3])]
    run = live_run("AB", batches)
    for name in "AB":
        told = [status for status, of in run.statuses if of == name]
        assert told == [DELAYED, LIVE, BROKEN, LIVE, BROKEN, LIVE]
    assert run.seen == backtest("AB", range(4))


def test_an_outage_ends_nothing():
    run = live_run("A", [[DOWN], *([0.25] * 20), [UP, bar("A", 1)]])
    assert run.seen == backtest("A", range(2))


def test_the_run_ends_when_the_session_says_so_and_not_before():
    run = live_run("AB", [])
    assert run.turns.has_ended
    assert len(run.seen) == 1
    assert len(run.waits) == 2


def test_an_end_during_the_warm_up_ends_it():
    clock = ManualClock(START)
    held = {"A": frame("A", range(9))}
    turns = turns_over(Script([], clock), "A", clock, past=warm_up(held))
    turns.finish()
    assert cerebro(live_feeds(turns, held).values(), []).run()[0].seen == []


def test_a_log_that_cannot_be_written_ends_the_run_before_the_turn():
    def full(turn: Turn) -> None:
        raise OSError("no space left on device")

    clock = ManualClock(START)
    held = {"A": frame("A", range(1))}
    turns = turns_over(Script([bars("A", [1])], clock), "A", clock, full, past=warm_up(held))
    trace: list[Any] = []
    with pytest.raises(OSError, match="no space"):
        cerebro(live_feeds(turns, held).values(), trace).run()
    assert trace == ["next"]


def test_a_feed_has_the_passport_and_the_timeframe_of_its_warm_up():
    clock = ManualClock(START)
    held = {"A": frame("A", range(0, 30, 5), "5m")}
    turns = turns_over(Script([], clock), "A", clock, timeframe=Timeframe("5m"))
    (feed,) = live_feeds(turns, held).values()
    assert feed.passport == held["A"].attrs["passport"]
    assert (feed._timeframe, feed._compression) == (bt.TimeFrame.Minutes, 5)
    assert feed._name == "A"
    assert feed.islive()


def scripted_feeds(symbols: str) -> list[LiveFeed]:
    """Feeds that get twelve minutes, the first of them as warm-up, and then end."""
    clock = ManualClock(START)
    inbox = Script([[UP], *([one] for one in bars(symbols, range(1, 12)))], clock)
    held = {name: frame(name, range(1)) for name in symbols}
    turns = turns_over(inbox, symbols, clock, past=warm_up(held))
    inbox.at_end = turns.finish
    return list(live_feeds(turns, held).values())


def resampled(feeds: Iterable[Any]) -> list[Any]:
    engine = cerebro([], [])
    for feed in feeds:
        engine.adddata(feed)
        engine.resampledata(feed, timeframe=bt.TimeFrame.Minutes, compression=5)
    return engine.run(runonce=False, preload=False)[0].seen


def test_resampled_live_bars_end_when_a_bar_comes_and_never_by_the_hosts_clock():
    seen = resampled(scripted_feeds("AB"))
    assert seen == resampled(as_feed(frame(name, range(12))) for name in "AB")
    assert [turn[1][5] for turn in seen[4:6]] == [bar("A", 4).close] * 2


def test_a_live_feed_can_be_resampled_in_its_own_place():
    engine = cerebro([], [])
    (feed,) = scripted_feeds("A")
    engine.resampledata(feed, timeframe=bt.TimeFrame.Minutes, compression=5)
    closes = [turn[0][5] for turn in engine.run()[0].seen]
    assert closes == [bar("A", minute).close for minute in (4, 9, 11)]


def test_bars_from_another_thread_wake_the_feeds_of_a_real_inbox():
    def record(turn: Turn) -> None:
        numbers.append(turn.number)
        if turn.number == 20:
            turns.finish()

    symbols, numbers = SYMBOLS[3], list[int]()
    lane = Inbox().lane("bars")
    held = {name: frame(name, range(1)) for name in symbols}
    turns = turns_over(lane, symbols, SystemClock(), record, deadline_s=60.0, past=warm_up(held))
    feeder = Thread(target=lambda: [lane.put(one) for one in bars(symbols, range(1, 21))])
    feeder.start()
    seen = cerebro(live_feeds(turns, held).values(), []).run()[0].seen
    feeder.join()
    assert seen == backtest(symbols, range(21))
    assert numbers == list(range(1, 21))
