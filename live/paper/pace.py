"""How fast the paper market runs: in real time, or a number of times as fast."""

from collections.abc import AsyncIterator
from datetime import timedelta

from brokers.clock import Clock
from live.paper.market import Market, Step


async def play(
    market: Market, clock: Clock, speed: float = 1.0, *, skips_closed: bool = True
) -> AsyncIterator[Step]:
    """Give the steps that are left, each when it is due; the first one at once.

    In lock-step nobody plays: the harness calls `market.advance()`.

    Args:
        speed: market seconds in a second of the clock; 1 is real time.
        skips_closed: what lies between two steps lasts no longer than one bar, so nights and
            weekends are gone in a moment.
    """
    longest = market.timeframe.delta if skips_closed else None
    begun_s, due_s = clock.monotonic(), 0.0
    before = None
    while (at := market.next_at) is not None:
        between = at - (before or at)
        due_s += min(between, longest or timedelta.max).total_seconds() / speed
        await clock.wait(begun_s + due_s - clock.monotonic())
        before = at
        yield market.move_to(at)
