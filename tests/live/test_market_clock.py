"""The market's clock: its own time of day, real waiting."""

import asyncio
from datetime import UTC, datetime, timedelta

from brokers.clock import ManualClock
from live.market_clock import MarketClock
from live.paper.hours import Hours

NOON = datetime(2025, 6, 2, 16, tzinfo=UTC)
REAL = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_days_minutes_pass_in_seconds_and_waiting_is_real() -> None:
    real = ManualClock(REAL)
    clock = MarketClock(real, NOON, 60.0)
    clock.sleep(2.0)
    asyncio.run(clock.wait(1.0))
    assert clock.now() == NOON + timedelta(minutes=3)
    assert clock.monotonic() == real.monotonic() == 3.0


def test_a_market_that_skips_the_night_is_followed_bar_by_bar() -> None:
    real = ManualClock(REAL)
    clock = MarketClock(real, NOON, 60.0, timedelta(minutes=1))
    real.sleep(10.0)
    assert clock.now() == NOON + timedelta(minutes=1)  # and waits there for the next bar
    clock.follow(NOON + timedelta(hours=20))
    real.sleep(0.5)
    assert clock.now() == NOON + timedelta(hours=20, seconds=30)
    clock.follow(NOON)
    assert clock.now() >= NOON + timedelta(hours=20)  # it never runs backwards


def test_a_venue_of_the_real_day_is_not_followed() -> None:
    real = ManualClock(REAL)
    clock = MarketClock(real, NOON.astimezone())
    clock.follow(NOON + timedelta(hours=20))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC
    assert clock.until_s(NOON + timedelta(minutes=1)) == 60.0


def _closes(after: datetime) -> datetime:
    return Hours("XNYS").close_of(after)


def test_a_venue_of_daily_bars_takes_a_day_at_most_from_one_close_to_the_next() -> None:
    thursday = datetime(2024, 11, 28, 22, tzinfo=UTC)  # Thanksgiving; then a half-day
    real = ManualClock(REAL)
    clock = MarketClock(real, thursday, 3600.0, timedelta(days=1), _closes)
    half_day, monday = (datetime(2024, *day, tzinfo=UTC) for day in ((11, 29, 18), (12, 2, 21)))
    assert (clock.until_s(half_day), clock.until_s(monday)) == (20.0, 44.0)
    real.sleep(20.0)
    assert (clock.now(), clock.until_s(monday + timedelta(hours=1))) == (half_day, 25.0)
    real.sleep(23.0)
    assert clock.now() == half_day + timedelta(hours=23)
    clock.follow(half_day)  # what it knows already
    real.sleep(1.0)
    assert clock.now() == monday
    clock.follow(monday + timedelta(hours=2))
    assert clock.now() == monday + timedelta(hours=2)
