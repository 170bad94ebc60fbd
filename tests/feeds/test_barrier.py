"""Bars of one time, together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import ConfigError
from brokers.wire.transport import VenueBar
from feeds.barrier import Barrier

START = datetime(2024, 3, 7, 14, 30, tzinfo=UTC)
SYMBOLS = ("AAPL", "MSFT", "SPY")


def bar(symbol: str, minute: int, *, close: float = 100.0, is_correction: bool = False) -> VenueBar:
    start_at = START + timedelta(minutes=minute)
    return VenueBar(symbol, start_at, 100.0, 110.0, 90.0, close, 1.0, is_correction)


def barrier(clock: ManualClock, *, deadline_s: float = 2.0) -> Barrier:
    return Barrier(SYMBOLS, deadline_s, clock)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def minutes(turns: list[dict[str, VenueBar]]) -> list[tuple[int, list[str]]]:
    """Each turn as its minute and its symbols."""
    starts = [{bar.start_at for bar in turn.values()} for turn in turns]
    assert all(len(start) == 1 for start in starts)
    return [
        (int((min(start) - START).total_seconds() // 60), list(turn))
        for start, turn in zip(starts, turns, strict=True)
    ]


def give(wall: Barrier, *bars: VenueBar) -> list[str]:
    return [wall.add(one) for one in bars]


def test_a_turn_is_due_as_soon_as_all_symbols_have_their_bar(clock):
    wall = barrier(clock)
    give(wall, bar("SPY", 0), bar("AAPL", 0))
    assert wall.due() == []
    give(wall, bar("MSFT", 0))
    assert wall.wait_s() == 0.0
    assert minutes(wall.due()) == [(0, ["AAPL", "MSFT", "SPY"])]
    assert wall.due() == []


def test_the_deadline_counts_from_the_first_bar_that_came(clock):
    wall = barrier(clock)
    give(wall, bar("SPY", 0))
    clock.sleep(1.5)
    give(wall, bar("AAPL", 0))
    assert wall.wait_s() == 0.5
    clock.sleep(0.5)
    assert minutes(wall.due()) == [(0, ["AAPL", "SPY"])]
    assert wall.wait_s() is None


def test_no_turn_overtakes_an_older_one(clock):
    wall = barrier(clock)
    give(wall, bar("SPY", 0))
    clock.sleep(0.5)
    give(wall, *(bar(symbol, 1) for symbol in SYMBOLS))
    assert wall.due() == []
    clock.sleep(1.5)
    assert minutes(wall.due()) == [(0, ["SPY"]), (1, list(SYMBOLS))]


def test_a_late_bar_is_dropped_and_the_next_turn_is_as_it_would_be(clock):
    wall = barrier(clock)
    give(wall, bar("SPY", 0), bar("AAPL", 0))
    clock.sleep(2.0)
    assert len(wall.due()) == 1
    assert give(wall, bar("MSFT", 0)) == ["late"]
    give(wall, *(bar(symbol, 1) for symbol in SYMBOLS))
    assert minutes(wall.due()) == [(1, list(SYMBOLS))]


def test_a_repeated_bar_changes_nothing_before_or_after_its_turn(clock):
    wall = barrier(clock)
    first, other = bar("SPY", 0, close=101.0), bar("SPY", 0, close=102.0)
    assert give(wall, first, other) == ["taken", "known"]
    clock.sleep(2.0)
    assert wall.due() == [{"SPY": first}]
    assert give(wall, other) == ["known"]


def test_a_correction_is_in_no_turn(clock):
    wall = barrier(clock, deadline_s=0.0)
    assert give(wall, bar("SPY", 0, is_correction=True)) == ["correction"]
    assert (wall.wait_s(), wall.due()) == (None, [])


def test_a_symbol_that_nobody_asked_for_is_in_no_turn(clock):
    wall = barrier(clock, deadline_s=0.0)
    assert give(wall, bar("KO", 0)) == ["other"]
    assert wall.due() == []


def test_what_the_warm_up_had_is_known_even_if_it_waits_already(clock):
    wall = barrier(clock)
    give(wall, bar("SPY", 0), bar("SPY", 1))
    wall.skip_to(START)
    assert give(wall, bar("AAPL", 0)) == ["known"]
    clock.sleep(2.0)
    assert minutes(wall.due()) == [(1, ["SPY"])]


def test_a_bar_of_a_symbol_that_makes_no_turn_is_passed_over(clock):
    wall = barrier(clock)
    assert give(wall, bar("QQQ", 4)) == ["other"]
    assert wall.wait_s() is None


@pytest.mark.parametrize(
    ("symbols", "deadline_s", "text"),
    [
        ((), 1.0, "at least one symbol"),
        (SYMBOLS, -1.0, "deadline_s must be 0 or more, not -1.0"),
        (SYMBOLS, float("nan"), "deadline_s"),
        (SYMBOLS, float("inf"), "deadline_s"),
    ],
)
def test_numbers_out_of_range_are_refused(clock, symbols, deadline_s, text):
    with pytest.raises(ConfigError, match=text):
        Barrier(symbols, deadline_s, clock)


present = st.sets(st.tuples(st.integers(0, 5), st.sampled_from(SYMBOLS)), min_size=1)


@given(present.flatmap(lambda some: st.permutations(sorted(some))))
def test_any_order_of_arrival_within_the_deadline_gives_the_same_turns(arrivals):
    clock = ManualClock(START)
    wall = barrier(clock)
    turns = []
    for minute, symbol in arrivals:
        assert wall.add(bar(symbol, minute)) == "taken"
    clock.sleep(2.0)
    turns += wall.due()
    expected: dict[int, set[str]] = {}
    for minute, symbol in arrivals:
        expected.setdefault(minute, set()).add(symbol)
    assert [(minute, set(found)) for minute, found in minutes(turns)] == sorted(expected.items())


steps = st.lists(
    st.one_of(st.tuples(st.integers(0, 5), st.sampled_from(SYMBOLS)), st.floats(0.0, 3.0)),
    max_size=40,
)


@given(steps)
def test_each_bar_is_in_one_turn_or_said_to_be_late_or_known(steps):
    clock = ManualClock(START)
    wall = barrier(clock)
    given_bars, said = [], []
    for step in (*steps, 3.0, 3.0):
        if isinstance(step, float):
            clock.sleep(step)
        else:
            said.append(wall.add(bar(step[1], step[0])))
        given_bars += wall.due()
    found = [(minute, symbol) for minute, turn in minutes(given_bars) for symbol in turn]
    assert len(found) == len(set(found)) == said.count("taken")
    assert [minute for minute, _ in minutes(given_bars)] == sorted({m for m, _ in found})
    assert said.count("taken") + said.count("late") + said.count("known") == len(said)
    assert wall.wait_s() is None


@given(steps)
def test_waiting_as_long_as_it_says_makes_a_turn_due(steps):
    clock = ManualClock(START)
    wall = barrier(clock)
    for minute, symbol in (step for step in steps if not isinstance(step, float)):
        wall.add(bar(symbol, minute))
        clock.sleep(0.1)
    while (wait_s := wall.wait_s()) is not None:
        clock.sleep(wait_s)
        if wall.wait_s() == 0.0:
            assert wall.due()


def test_turns_of_long_ago_are_forgotten(clock):
    wall = barrier(clock, deadline_s=0.0)
    for minute in range(1100):
        wall.add(bar("SPY", minute))
        wall.due()
    assert give(wall, bar("SPY", 1099), bar("SPY", 50)) == ["known", "late"]
