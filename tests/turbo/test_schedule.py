"""Schedules worked out by hand."""

import numpy as np

from backtest.turbo.cursor import Cursor
from backtest.turbo.schedule import Schedule


def schedule(*calendars: list[float], periods: tuple[int, ...] | None = None) -> Schedule | None:
    return Schedule.of(
        [np.array(calendar, dtype=float) for calendar in calendars],
        periods or (1,) * len(calendars),
    )


def moves(plan: Schedule, leader: Cursor, cursors: tuple[Cursor, ...]) -> list[list[int]]:
    """The numbers of the feeds whose cursors move with their leader, at each turn."""
    found = []
    for _ in plan.times:
        before = [cursor.at for cursor in cursors]
        leader.at += 1
        found.append([n for n, cursor in enumerate(cursors) if cursor.at == before[n] + 1])
    return found


def test_feeds_with_the_same_times_share_the_leading_cursor():
    plan = schedule([1, 2, 3], [1, 2, 3])
    assert plan.feeds == (plan.lead, plan.lead)
    assert plan.followers == (plan.turn, plan.turn)
    assert moves(plan, plan.lead, plan.feeds) == [[0, 1], [0, 1], [0, 1]]


def test_each_distinct_time_is_a_turn_of_the_feeds_that_have_it():
    plan = schedule([1, 3, 5], [2, 3], [1, 3, 5])
    assert plan.times.tolist() == [1, 2, 3, 5]
    assert moves(plan, plan.lead, plan.feeds) == [[0, 2], [1], [0, 1, 2], [0, 2]]
    assert plan.feeds[0] is plan.feeds[2]


def test_what_a_feed_clocks_moves_at_the_same_turns_after_the_broker():
    plan = schedule([1, 3], [2])
    assert moves(plan, plan.turn, plan.followers) == [[0], [1], [0]]
    assert [cursor.at for cursor in plan.feeds] == [-1, -1]


def test_strategy_waits_for_the_slowest_feed():
    plan = schedule([1, 2, 3, 4, 5, 6], [2, 4, 6], periods=(2, 2))
    assert (plan.start, plan.ready) == (3, 5)


def test_feed_that_is_too_short_keeps_the_strategy_waiting_for_good():
    plan = schedule([1, 2, 3], [1], periods=(1, 2))
    assert (plan.start, plan.ready) == (3, 3)


def test_period_of_nothing_is_reached_at_once():
    plan = schedule([1, 2], [5], periods=(0, 0))
    assert (plan.start, plan.ready) == (0, 2)


def test_feed_without_bars_never_moves():
    plan = schedule([1, 2], [])
    assert moves(plan, plan.lead, plan.feeds) == [[0], [0]]
    assert plan.start == 2


def test_times_that_do_not_increase_cannot_be_scheduled():
    assert schedule([1, 1, 2]) is None
    assert schedule([2, 1]) is None
    assert schedule([1, float("nan")]) is None
