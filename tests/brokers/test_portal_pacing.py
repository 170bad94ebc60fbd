import asyncio

import pytest

from brokers.clock import ManualClock
from brokers.wire.portal_pacing import Paced, Unpaced
from tests.brokers.timers import START_AT


@pytest.mark.parametrize(
    ("path", "calls", "least_s"),
    [
        ("iserver/account/orders", 3, 10.0),
        ("iserver/account/trades", 2, 5.0),
        ("tickle", 3, 2.0),
        ("iserver/marketdata/history", 9, 0.0),
        ("iserver/marketdata/history", 19, 2.0),
    ],
)
def test_requests_leave_as_fast_as_ibkr_allows(path, calls, least_s):
    clock = ManualClock(START_AT)

    async def ask():
        pace = Paced(clock)
        for _ in range(calls):
            await pace.turn(path)

    asyncio.run(ask())
    assert clock.monotonic() == pytest.approx(least_s)


def test_our_own_gateway_counts_nothing():
    asyncio.run(Unpaced().turn("tickle"))
