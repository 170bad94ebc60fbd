"""Minutes gathered into longer bars."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import ConfigError
from brokers.wire.transport import VenueBar
from feeds.gathering import GRACE_S, Gathering
from feeds.timeframe import Timeframe
from live.paper.spans import Span, gathered

OPEN = datetime(2024, 3, 8, 14, 30, tzinfo=UTC)
HALF_DAY = datetime(2024, 11, 29, 14, 30, tzinfo=UTC)  # New York closes at 13:00, 18:00 UTC


def minute(number: int, symbol: str = "AAA", day: datetime = OPEN, **how: Any) -> VenueBar:
    """A minute after the open; its prices tell which."""
    price = 100.0 + number
    start_at = day + timedelta(minutes=number)
    return VenueBar(symbol, start_at, price, price + 0.5, price - 0.5, price + 0.25, 10.0, **how)


def gathering(text: str = "5m", at: datetime = OPEN, **how: Any) -> tuple[Gathering, ManualClock]:
    clock = ManualClock(at)
    return Gathering(Timeframe(text), 2.0, clock, **{"calendar": "XNYS", **how}), clock


def fed(into: Gathering, minutes: Iterable[VenueBar]) -> list[VenueBar]:
    return [bar for one in minutes for bar in into.add(one)]


def starts(bars: Iterable[VenueBar], day: datetime = OPEN) -> list[int]:
    return [int((bar.start_at - day).total_seconds() // 60) for bar in bars]


def test_a_bar_is_given_with_its_last_minute():
    five, _ = gathering()
    assert fed(five, map(minute, range(4))) == []
    assert fed(five, [minute(4)]) == [VenueBar("AAA", OPEN, 100.0, 104.5, 99.5, 104.25, 50.0)]
    assert five.wait_s() is None


@pytest.mark.parametrize(
    ("text", "day", "length", "expected"),
    [
        ("1h", OPEN, 390, [0, 60, 120, 180, 240, 300, 360]),
        ("1h", HALF_DAY, 210, [0, 60, 120, 180]),
        ("30m", HALF_DAY, 210, [0, 30, 60, 90, 120, 150, 180]),
    ],
)
def test_bars_count_from_the_open_and_the_last_one_ends_at_the_close(text, day, length, expected):
    bars, _ = gathering(text)
    found = fed(bars, (minute(number, day=day) for number in range(length)))
    assert starts(found, day) == expected
    assert found[-1].volume == 300.0


def test_without_sessions_bars_count_from_midnight():
    hours, _ = gathering("1h", calendar=None)
    found = fed(hours, (minute(number) for number in range(-30, 30)))
    assert starts(found) == [-30]


def test_a_missing_last_minute_is_made_up_for_by_the_next_minute_of_the_symbol():
    five, _ = gathering()
    found = fed(five, map(minute, [0, 1, 3, 7]))
    assert [(bar.close, bar.volume) for bar in found] == [(103.25, 30.0)]


def test_a_quiet_symbols_bar_is_due_soon_after_anothers_has_ended():
    five, clock = gathering()
    fed(five, [minute(0), minute(1, "BBB")])
    assert five.wait_s() == 300.0 + GRACE_S
    clock.sleep(300.0)
    assert starts(fed(five, [minute(4)])) == [0]
    assert (five.due(), five.wait_s()) == ([], 2.0)
    clock.sleep(2.0)
    assert [(bar.symbol, bar.close) for bar in five.due()] == [("BBB", 101.25)]


def test_a_bar_that_nobody_ends_is_given_by_the_clock_unless_the_stream_is_down():
    five, clock = gathering()
    fed(five, [minute(0)])
    clock.sleep(300.0 + GRACE_S)
    five.is_paused = True
    assert (five.due(), five.wait_s()) == ([], None)
    five.is_paused = False
    assert (starts(five.due()), five.due()) == ([0], [])


def test_a_minute_that_comes_after_its_bar_makes_a_correction_of_it():
    five, _ = gathering()
    fed(five, map(minute, [0, 1, 2, 3, 5]))
    (corrected,) = five.add(minute(4))
    assert (corrected.close, corrected.volume, corrected.is_correction) == (104.25, 50.0, True)
    assert five.add(minute(4)) == []
    mended = VenueBar("AAA", OPEN, 1.0, 1.0, 1.0, 1.0, 1.0, is_correction=True)
    (again,) = five.add(mended)
    assert (again.open, again.is_correction) == (1.0, True)


def test_a_correction_before_the_end_of_its_bar_is_in_it():
    five, _ = gathering()
    mended = VenueBar("AAA", OPEN, 1.0, 101.0, 1.0, 100.0, 90.0, is_correction=True)
    (bar,) = fed(five, [*map(minute, range(3)), mended, minute(4)])
    assert (bar.open, bar.low, bar.volume, bar.is_correction) == (1.0, 1.0, 120.0, False)


def test_what_the_warm_up_had_and_what_is_long_past_is_passed_over():
    five, _ = gathering(since=OPEN + timedelta(microseconds=1))
    assert starts(fed(five, map(minute, range(1, 15)))) == [5, 10]
    assert five.add(minute(7)) == []


@pytest.mark.parametrize("text", ["1m", "1d", "1w"])
def test_other_timeframes_are_refused(text):
    with pytest.raises(ConfigError, match=f"minutes make 5m, 15m, 30m and 1h, not {text}"):
        gathering(text)


@given(st.sets(st.integers(0, 389), min_size=1), st.sampled_from(["5m", "15m", "30m"]))
@settings(max_examples=40, deadline=None)
def test_any_minutes_make_the_bars_of_the_vendors_own_aggregation(numbers, text):
    bars, clock = gathering(text)
    minutes = [minute(number) for number in sorted(numbers)]
    found = fed(bars, minutes)
    clock.sleep(390 * 60 + GRACE_S)
    found += bars.due()
    assert found == gathered(minutes, Span(1, "Min"), Span.of(Timeframe(text)))
