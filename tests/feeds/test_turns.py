"""What the feeds of a session have in common: turns, their record, their repetition."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import backtrader as bt
import orjson
import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.wire.transport import VenueBar
from feeds.timeframe import Timeframe
from feeds.turns import BUSY_S, Turn, warm_up
from tests.feeds.live_stage import (
    START,
    SYMBOLS,
    UP,
    Script,
    backtest,
    bar,
    bars,
    frame,
    live_run,
    turns_over,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def listening() -> SimpleNamespace:
    """A feed that is told of statuses and forgets them."""
    return SimpleNamespace(put_notification=lambda status: None)


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


def test_what_nobody_notes_is_logged(caplog, clock):
    turns = turns_over(Script([[bar("A", 1, is_correction=True)]], clock), "A", clock)
    turns.serve(listening(), "A", 0.1)
    assert "correction bar of A at 2024-03-07 14:31:00+00:00 is in no turn" in caplog.text


@pytest.mark.parametrize(
    ("between", "is_served"),
    [([], True), ([[]], False), ([0.1], False)],  # nothing, a fill in another lane, time
)
def test_one_wait_goes_through_bars_but_through_nothing_else(clock, between, is_served):
    script = Script([[bar("A", 1)], *between, [bar("B", 1)]], clock)
    turns, feed = turns_over(script, "AB", clock), listening()
    turns.join(feed)
    assert (turns.serve(feed, "A", 0.1) is not None) == is_served


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


def test_turns_are_live_when_the_past_is_over(clock):
    past = warm_up({"A": frame("A", range(1))})
    turns, feed = turns_over(Script([[UP]], clock), "A", clock, past=past), listening()
    turns.join(feed)
    assert not turns.is_live
    assert turns.serve(feed, "A", 0.1) is not None
    assert not turns.is_live
    assert turns.serve(feed, "A", 0.1) is None
    assert turns.is_live


@pytest.mark.parametrize(
    ("timeframe", "start", "end"),
    [
        ("1d", "2024-03-08", "2024-03-08 21:00"),
        ("1d", "2024-03-11", "2024-03-11 20:00"),  # the clocks in New York went forward
        ("1d", "2024-11-29", "2024-11-29 18:00"),  # a half-day
        ("1h", "2024-03-08 15:30", "2024-03-08 21:00"),
        ("1m", "2024-03-08 15:59", "2024-03-08 21:00"),
    ],
)
def test_a_bar_ends_with_its_session_or_its_time(clock, timeframe, start, end):
    start_at = pd.Timestamp(start, tz="America/New_York").tz_convert("UTC").to_pydatetime()
    inbox = Script([[VenueBar("A", start_at, 1.0, 1.0, 1.0, 1.0, 1.0)]], clock)
    turns = turns_over(
        inbox, "A", clock, deadline_s=0.0, timeframe=Timeframe(timeframe), calendar="XNYS"
    )
    feed = listening()
    turns.join(feed)
    when, _ = turns.serve(feed, "A", 0.1)
    assert f"{bt.num2date(when):%Y-%m-%d %H:%M}" == end


def test_without_a_calendar_a_month_ends_where_the_next_begins(clock):
    start_at, found = datetime(2024, 2, 1, tzinfo=UTC), list[Turn]()
    inbox = Script([[VenueBar("A", start_at, 1.0, 1.0, 1.0, 1.0, 1.0)]], clock)
    turns = turns_over(inbox, "A", clock, found.append, timeframe=Timeframe("1mo"))
    turns.serve(listening(), "A", 0.1)
    assert found[0].end_at == datetime(2024, 3, 1, tzinfo=UTC)


def test_a_rest_is_a_wait_that_brought_nothing(clock):
    script = Script([[UP], 0.5, bars("AB", [1]), [], 0.5], clock)  # the empty one is a fill
    turns = turns_over(script, "AB", clock)
    rests = []
    for _ in range(5):
        turns.advance(0.4)
        rests.append(turns.is_at_rest)
    assert rests == [False, True, False, False, True]


def test_there_is_no_rest_while_somebody_is_busy_and_for_a_while_nobody_looks_round(clock):
    short_s = BUSY_S / 4
    script = Script([short_s] * 7, clock)
    turns, rests = turns_over(script, "A", clock), []
    for busy in ([True] * 4, [True, False], [False]):
        turns.heed(iter(busy).__next__)
        turns.advance(short_s)
        rests.append((len(script.waits), turns.is_at_rest))
    assert rests == [(4, False), (6, True), (7, True)]
