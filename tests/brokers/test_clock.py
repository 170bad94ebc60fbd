"""Time has one source, and in tests it moves only when told."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

from brokers.clock import ManualClock, SystemClock

START = datetime(2024, 1, 2, 9, 30, tzinfo=timezone(timedelta(hours=-5)))


def test_manual_clock_moves_by_what_was_slept():
    clock = ManualClock(START)
    clock.sleep(90.5)
    clock.sleep(-5)
    asyncio.run(clock.wait(9.5))
    assert clock.now() == datetime(2024, 1, 2, 14, 31, 40, tzinfo=UTC)
    assert clock.monotonic() == 100.0
    assert clock.until_s(START + timedelta(seconds=130)) == 30.0


def test_system_clock_is_aware_utc_and_never_runs_backwards():
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0)
    asyncio.run(clock.wait(0))
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() >= before


def test_system_clock_says_how_long_until_an_instant():
    clock = SystemClock()
    later, past = (clock.now() + timedelta(seconds=step) for step in (3600, -3600))
    assert 3590 < clock.until_s(later) <= 3600
    assert -3610 < clock.until_s(past) <= -3600
