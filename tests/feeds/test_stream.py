"""The live feed in a real Cerebro: every bar once, in order, one next() a turn."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Thread
from types import SimpleNamespace
from typing import Any

import backtrader as bt
import orjson
import pandas as pd
import pytest

from brokers.clock import ManualClock, SystemClock
from brokers.inbox import Inbox
from brokers.wire.transport import Reconnected, VenueBar
from feeds.barrier import Barrier
from feeds.frames import as_feed
from feeds.passport import stamp
from feeds.stream import LiveFeed, live_feeds
from feeds.timeframe import Timeframe
from feeds.turns import Outage, Turn, Turns, warm_up

START = datetime(2024, 3, 7, 14, 30, tzinfo=UTC)
DOWN, UP = Outage(START, "no frame for 60 s"), Reconnected(START)
LIVE, DELAYED, BROKEN = LiveFeed.LIVE, LiveFeed.DELAYED, LiveFeed.CONNBROKEN


def bar(symbol: str, minute: int, *, is_correction: bool = False) -> VenueBar:
    base = 100.0 + minute + len(symbol) / 7
    start_at = START + timedelta(minutes=minute)
    values = (base, base + 0.3, base - 0.7, base + 0.1, 10.0 * minute)
    return VenueBar(symbol, start_at, *values, is_correction)


def bars(symbols: Sequence[str], minutes: Iterable[int]) -> list[VenueBar]:
    return [bar(symbol, minute) for minute in minutes for symbol in symbols]


def frame(symbol: str, minutes: Iterable[int], text: str = "1m") -> pd.DataFrame:
    found = [bar(symbol, minute) for minute in minutes]
    index = pd.DatetimeIndex([one.start_at for one in found], name="time")
    columns = ("open", "high", "low", "close", "volume")
    table = pd.DataFrame({c: [getattr(one, c) for one in found] for c in columns}, index=index)
    return stamp(table, symbol=symbol, source="test", timeframe=text)


class Script:
    """An inbox whose next items come whenever somebody waits; at its end, a call.

    Args:
        batches: what comes; a float is a wait in vain of so many seconds.
    """

    def __init__(self, batches: Iterable[Sequence[Any] | float], clock: ManualClock) -> None:
        self._batches = deque(batches)
        self._lane: list[Any] = []
        self._clock = clock
        self.at_end: Callable[[], None] = lambda: None
        self.waits: list[float] = []

    def drain(self) -> list[Any]:
        items, self._lane = self._lane, []
        return items

    def wait(self, timeout_s: float) -> bool:
        self.waits.append(timeout_s)
        if self._batches:
            batch = self._batches.popleft()
            if isinstance(batch, float):
                self._clock.sleep(batch)
                return False
            self._lane += batch
            return True
        self.at_end()
        return False


class Recorder(bt.Strategy):
    """What a strategy sees at each next(): of each feed its length, time and prices."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.statuses: list[tuple[int, str]] = []
        self.trace: list[Any] = self.env.trace

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        self.trace.append("next")
        self.seen.append([self.values(data) for data in self.datas])

    def values(self, data: Any) -> tuple[float, ...] | None:
        lines = ("datetime", "open", "high", "low", "close", "volume", "openinterest")
        return (len(data), *(getattr(data, line)[0] for line in lines)) if len(data) else None

    def notify_data(self, data: Any, status: int, *args: Any, **kwargs: Any) -> None:
        self.statuses.append((status, data._name))


def cerebro(feeds: Iterable[Any], trace: list[Any]) -> bt.Cerebro:
    engine = bt.Cerebro(stdstats=False, quicknotify=True)
    engine.trace = trace
    for feed in feeds:
        engine.adddata(feed)
    engine.addstrategy(Recorder)
    return engine


def live_run(
    symbols: Sequence[str],
    batches: Iterable[Sequence[Any] | float],
    *,
    warm: Iterable[int] = range(1),
    deadline_s: float = 2.0,
    **options: Any,
) -> SimpleNamespace:
    """Run the batches through live feeds after a warm-up of some minutes."""
    clock = ManualClock(START)
    inbox = Script([[UP], *batches], clock)
    frames = {symbol: frame(symbol, warm) for symbol in symbols}
    trace: list[Any] = []
    dropped: list[Any] = []
    turns = Turns(
        inbox,
        Barrier(symbols, deadline_s, clock),
        trace.append,
        timeframe=Timeframe("1m"),
        past=warm_up(frames),
        note=lambda arrival, late: dropped.append((arrival, late)),
        **options,
    )
    inbox.at_end = turns.finish
    engine = cerebro(live_feeds(turns, frames).values(), trace)
    (strategy,) = engine.run()
    return SimpleNamespace(
        seen=strategy.seen,
        statuses=strategy.statuses,
        trace=trace,
        dropped=dropped,
        waits=inbox.waits,
        turns=turns,
    )


def backtest(symbols: Sequence[str], minutes: dict[str, Sequence[int]] | range) -> list[Any]:
    """What the strategy sees when the same bars are frames."""
    held = minutes if isinstance(minutes, dict) else dict.fromkeys(symbols, minutes)
    feeds = [as_feed(frame(symbol, held[symbol])) for symbol in symbols]
    engine = cerebro(feeds, [])
    return engine.run(runonce=False, preload=False)[0].seen


SYMBOLS = {count: [f"S{number:02}" for number in range(count)] for count in (1, 3, 50)}


@pytest.mark.parametrize("count", [1, 3, 50])
def test_live_bars_show_a_strategy_what_the_backtest_shows(count):
    symbols = SYMBOLS[count]
    run = live_run(symbols, ([one] for one in bars(symbols, range(5, 25))), warm=range(5))
    assert run.seen == backtest(symbols, range(25))


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
    frames = {"A": range(4), "B": range(2, 6)}
    clock = ManualClock(START)
    inbox = Script([[UP]], clock)
    held = {name: frame(name, minutes) for name, minutes in frames.items()}
    turns = Turns(
        inbox,
        Barrier(list(frames), 2.0, clock),
        [].append,
        timeframe=Timeframe("1m"),
        past=warm_up(held),
    )
    inbox.at_end = turns.finish
    seen = cerebro(live_feeds(turns, held).values(), []).run()[0].seen
    assert seen == backtest(list(frames), {name: list(m) for name, m in frames.items()})


def test_history_that_overlaps_the_stream_is_seen_once():
    symbols = SYMBOLS[3]
    run = live_run(symbols, [bars(symbols, range(2, 6)), bars(symbols, range(3, 8))], warm=range(4))
    assert run.seen == backtest(symbols, range(8))
    assert run.dropped == []


def test_each_live_turn_is_recorded_before_the_strategy_sees_it():
    symbols = SYMBOLS[3]
    run = live_run(symbols, [bars(symbols, [1, 2])], warm=range(1))
    first, second = (one for one in run.trace if isinstance(one, Turn))
    assert run.trace == ["next", first, "next", second, "next"]
    assert (first.number, second.number) == (1, 2)
    assert first.end_at == START + timedelta(minutes=2)
    assert list(first.bars.values()) == bars(symbols, [1])


def test_a_turn_comes_back_from_the_log_as_it_was():
    turn = Turn(7, START + timedelta(minutes=1), {"A": bar("A", 0), "BRK.B": bar("BRK.B", 0)})
    line = orjson.dumps(turn.as_record())
    assert Turn.from_record(orjson.loads(line)) == turn
    assert turn.as_record()["turn"] == 7
    assert turn.as_record()["at_bar"] == "2024-03-07T14:31:00+00:00"


def test_late_bars_and_corrections_are_noted_and_change_nothing():
    late, correction = bar("B", 1), bar("A", 1, is_correction=True)
    batches = [[bar("A", 1)], 2.0, [late, correction], bars("AB", [2])]
    run = live_run("AB", batches)
    assert run.dropped == [("late", late), ("correction", correction)]
    assert run.seen == backtest("AB", {"A": [0, 1, 2], "B": [0, 2]})


def test_a_run_that_nobody_notes_logs_what_is_dropped(caplog):
    run = live_run("A", [[bar("A", 1)], [bar("A", 1, is_correction=True)]])
    assert len(run.dropped) == 1
    turns = Turns(
        Script([[bar("A", 1, is_correction=True)]], ManualClock(START)),
        Barrier("A", 0.0, ManualClock(START)),
        [].append,
        timeframe=Timeframe("1m"),
    )
    turns.serve(SimpleNamespace(), "A", 0.1)
    assert "correction bar of A at 2024-03-07 14:31:00+00:00 is in no turn" in caplog.text


def test_the_leader_alone_waits_and_never_without_a_reason():
    symbols = SYMBOLS[50]
    batches = [[one] for one in bars(symbols, range(1, 4))]
    run = live_run(symbols, [*batches, 0.25, 0.25])
    assert len(run.waits) == 1 + len(batches) + 2 + 1  # each is an arrival, a time-out, or the end
    assert all(0.0 < wait_s <= 0.25 for wait_s in run.waits)


def test_the_wait_is_no_longer_than_the_barriers_deadline():
    run = live_run("AB", [[bar("A", 1)], 0.125], deadline_s=0.125)
    assert [round(wait_s, 3) for wait_s in run.waits[1:4]] == [0.25, 0.125, 0.25]
    assert len(run.seen) == 2


def test_all_feeds_become_live_together_and_say_when_they_are_not():
    batches = [bars("AB", [1]), [DOWN], 0.25, [UP, *bars("AB", [2])], [UP], bars("AB", [3])]
    run = live_run("AB", batches)
    expected = [DELAYED, LIVE, BROKEN, LIVE, BROKEN, LIVE]
    assert run.statuses == [(status, name) for status in expected for name in "AB"] or sorted(
        run.statuses, key=lambda pair: pair[1]
    ) == [(status, name) for name in "AB" for status in expected]
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
    turns = Turns(
        Script([], clock),
        Barrier("A", 0.0, clock),
        [].append,
        timeframe=Timeframe("1m"),
        past=warm_up(held),
    )
    turns.finish()
    assert cerebro(live_feeds(turns, held).values(), []).run()[0].seen == []


def test_a_log_that_cannot_be_written_ends_the_run_before_the_turn():
    def full(turn: Turn) -> None:
        raise OSError("no space left on device")

    clock = ManualClock(START)
    held = {"A": frame("A", range(1))}
    turns = Turns(
        Script([[bar("A", 1)]], clock),
        Barrier("A", 0.0, clock),
        full,
        timeframe=Timeframe("1m"),
        past=warm_up(held),
    )
    trace: list[Any] = []
    with pytest.raises(OSError, match="no space"):
        cerebro(live_feeds(turns, held).values(), trace).run()
    assert trace == ["next"]


class Log:
    """Recorded turns with other lines between them, each of which takes one round."""

    def __init__(self, lines: Sequence[Turn | str]) -> None:
        self._lines = deque(lines)
        self.others: list[str] = []

    @property
    def is_over(self) -> bool:
        return not self._lines

    def take(self) -> Turn | None:
        if self._lines and isinstance(self._lines[0], str):
            self.others.append(self._lines.popleft())
            return None
        return self._lines.popleft() if self._lines else None


def recorded(minute: int) -> Turn:
    turn = {name: bar(name, minute) for name in "AB"}
    return Turn(minute, START + timedelta(minutes=minute + 1), turn)


def test_a_restart_repeats_the_recorded_turns_unrecorded_and_goes_on():
    log = Log([recorded(1), "fill", "fill", recorded(2), "fill"])
    run = live_run("AB", [bars("AB", [2, 3])], recorded=log)
    (fresh,) = (one for one in run.trace if isinstance(one, Turn))
    assert run.trace == ["next"] * 3 + [fresh, "next"]
    assert fresh.number == 3
    assert log.others == ["fill"] * 3
    assert run.seen == backtest("AB", range(4))
    assert len(run.waits) == 3  # none of them while something was to be repeated


def test_turns_are_live_when_the_past_is_over():
    clock = ManualClock(START)
    inbox = Script([[UP]], clock)
    turns = Turns(
        inbox,
        Barrier("A", 0.0, clock),
        [].append,
        timeframe=Timeframe("1m"),
        past=warm_up({"A": frame("A", range(1))}),
    )
    feed = SimpleNamespace(put_notification=lambda status: None)
    turns.join(feed)
    assert not turns.is_live
    assert turns.serve(feed, "A", 0.1) is not None
    assert not turns.is_live
    assert turns.serve(feed, "A", 0.1) is None
    assert turns.is_live


def test_a_feed_has_the_passport_and_the_timeframe_of_its_warm_up():
    held = {"A": frame("A", range(0, 30, 5), "5m")}
    turns = Turns(
        Script([], ManualClock(START)),
        Barrier("A", 0.0, ManualClock(START)),
        [].append,
        timeframe=Timeframe("5m"),
        past=warm_up(held),
    )
    (feed,) = live_feeds(turns, held).values()
    assert feed.passport == held["A"].attrs["passport"]
    assert (feed._timeframe, feed._compression) == (bt.TimeFrame.Minutes, 5)
    assert feed._name == "A"
    assert feed.islive()


@pytest.mark.parametrize(
    ("day", "close"),
    [
        ("2024-03-08", "2024-03-08 21:00"),
        ("2024-03-11", "2024-03-11 20:00"),  # the clocks in New York went forward
        ("2024-11-29", "2024-11-29 18:00"),  # a half-day
    ],
)
def test_a_daily_bar_ends_when_its_session_closes(day, close):
    start = pd.Timestamp(day, tz="America/New_York").tz_convert("UTC").to_pydatetime()
    daily = VenueBar("A", start, 1.0, 1.0, 1.0, 1.0, 1.0)
    clock = ManualClock(START)
    found: list[Turn] = []
    turns = Turns(
        Script([[daily]], clock),
        Barrier("A", 0.0, clock),
        found.append,
        timeframe=Timeframe("1d"),
        calendar="XNYS",
    )
    feed = SimpleNamespace(put_notification=lambda status: None)
    turns.join(feed)
    when, _ = turns.serve(feed, "A", 0.1)
    assert f"{bt.num2date(when):%Y-%m-%d %H:%M}" == close
    assert found[0].end_at == datetime.fromisoformat(close).replace(tzinfo=UTC)


def test_a_month_ends_where_the_next_begins():
    start = datetime(2024, 2, 1, tzinfo=UTC)
    clock = ManualClock(START)
    found: list[Turn] = []
    turns = Turns(
        Script([[VenueBar("A", start, 1.0, 1.0, 1.0, 1.0, 1.0)]], clock),
        Barrier("A", 0.0, clock),
        found.append,
        timeframe=Timeframe("1mo"),
    )
    turns.serve(SimpleNamespace(), "A", 0.1)
    assert found[0].end_at == datetime(2024, 3, 1, tzinfo=UTC)


def resampled(feeds: Iterable[Any]) -> list[Any]:
    engine = cerebro([], [])
    for feed in feeds:
        engine.adddata(feed)
        engine.resampledata(feed, timeframe=bt.TimeFrame.Minutes, compression=5)
    return engine.run(runonce=False, preload=False)[0].seen


def test_resampled_live_bars_end_when_a_bar_comes_and_never_by_the_hosts_clock():
    clock = ManualClock(START)
    inbox = Script([[UP], *([one] for one in bars("AB", range(1, 12)))], clock)
    held = {name: frame(name, range(1)) for name in "AB"}
    turns = Turns(
        inbox,
        Barrier("AB", 2.0, clock),
        [].append,
        timeframe=Timeframe("1m"),
        past=warm_up(held),
    )
    inbox.at_end = turns.finish
    seen = resampled(live_feeds(turns, held).values())
    assert seen == resampled(as_feed(frame(name, range(12))) for name in "AB")
    assert [turn[1][5] for turn in seen[4:6]] == [bar("A", 4).close] * 2


def test_a_live_feed_can_be_resampled_in_its_own_place():
    clock = ManualClock(START)
    inbox = Script([[UP], *([one] for one in bars("A", range(1, 12)))], clock)
    held = {"A": frame("A", range(1))}
    turns = Turns(
        inbox,
        Barrier("A", 2.0, clock),
        [].append,
        timeframe=Timeframe("1m"),
        past=warm_up(held),
    )
    inbox.at_end = turns.finish
    engine = cerebro([], [])
    (feed,) = live_feeds(turns, held).values()
    engine.resampledata(feed, timeframe=bt.TimeFrame.Minutes, compression=5)
    closes = [turn[0][5] for turn in engine.run()[0].seen]
    assert closes == [bar("A", minute).close for minute in (4, 9, 11)]


def test_bars_from_another_thread_wake_the_feeds_of_a_real_inbox():
    symbols, clock = SYMBOLS[3], SystemClock()
    lane = Inbox().lane("bars")
    held = {name: frame(name, range(1)) for name in symbols}
    recorded_turns: list[Turn] = []

    def record(turn: Turn) -> None:
        recorded_turns.append(turn)
        if turn.number == 20:
            turns.finish()

    turns = Turns(
        lane,
        Barrier(symbols, 60.0, clock),
        record,
        timeframe=Timeframe("1m"),
        past=warm_up(held),
    )
    feeder = Thread(target=lambda: [lane.put(one) for one in bars(symbols, range(1, 21))])
    engine = cerebro(live_feeds(turns, held).values(), [])
    feeder.start()
    seen = engine.run()[0].seen
    feeder.join()
    assert seen == backtest(symbols, range(21))
    assert [turn.number for turn in recorded_turns] == list(range(1, 21))
