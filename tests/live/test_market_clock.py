"""The market's clock: its own time of day, real waiting."""

import asyncio
from datetime import UTC, datetime, timedelta

from brokers.clock import ManualClock
from live.market_clock import MarketClock

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
