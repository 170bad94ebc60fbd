"""How fast the paper market runs: in real time, or a number of times as fast."""

from collections.abc import AsyncIterator
from datetime import timedelta

from brokers.clock import Clock
from live.paper.market import Market, Step

NIGHT_S = 0.25  # what happens at a close still reaches the venue before the open


async def play(
    market: Market, clock: Clock, speed: float = 1.0, *, skips_closed: bool = True
) -> AsyncIterator[Step]:
    """Give the steps that are left, each when it is due; the first one at once.

    In lock-step nobody plays: the harness calls `market.advance()`.

    Args:
        speed: market seconds in a second of the clock; 1 is real time.
        skips_closed: what lies between two steps lasts no longer than one bar, so nights and
            weekends are gone in a moment; of minutes, a moment in which one can still act.
    """
    longest = market.timeframe.delta if skips_closed else None
    begun_s, due_s = clock.monotonic(), 0.0
    before = None
    while (at := market.next_at) is not None:
        between = at - (before or at)
        due_s += min(between, longest or timedelta.max).total_seconds() / speed
        if longest and between > longest and market.timeframe.is_intraday:
            due_s += max(NIGHT_S - longest.total_seconds() / speed, 0.0)
        await clock.wait(begun_s + due_s - clock.monotonic())
        before = at
        yield market.move_to(at)
