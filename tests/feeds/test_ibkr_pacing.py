import asyncio
from datetime import UTC, datetime

import pytest

from brokers.clock import ManualClock
from feeds.ibkr_pacing import Paced

AT = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("requests", "waited_s"),
    [
        ([("A", "1"), ("A", "1")], 15.0),  # the same again
        ([("A", str(n)) for n in range(6)], 2.0),  # a sixth of one contract
        ([(str(n), "1") for n in range(61)], 600.0),  # the 61st in ten minutes
        ([(str(n), "1") for n in range(60)], 0.0),
    ],
)
def test_pace_keeps_each_of_ib_s_rules(requests, waited_s):
    clock = ManualClock(AT)

    async def run():
        pace = Paced(clock)
        for symbol, request in requests:
            await pace.turn(symbol, request)

    asyncio.run(run())
    assert clock.monotonic() == waited_s
