"""Time for tests of the wire: it jumps to the next timer when all else has come to rest."""

import asyncio
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

START_AT = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
REST = 60  # turns of the loop after which nothing in memory is still on its way


class TimerClock:
    """A `Clock` whose waiters wake in the order of their instants, as soon as all others wait."""

    def __init__(self, start_at=START_AT):
        self._start_at = start_at
        self._now_s = 0.0
        self._timers = []
        self._numbers = count()
        self._pump = None

    def now(self):
        return self._start_at + timedelta(seconds=self._now_s)

    def monotonic(self):
        return self._now_s

    def sleep(self, wait_s):
        self._now_s += max(wait_s, 0.0)

    async def wait(self, wait_s):
        woken = asyncio.get_running_loop().create_future()
        heappush(self._timers, (self._now_s + max(wait_s, 0.0), next(self._numbers), woken))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run())
        await woken

    async def _run(self):
        while self._timers:
            for _ in range(REST):
                await asyncio.sleep(0)
            while self._timers:
                due_s, _, woken = heappop(self._timers)
                if not woken.done():
                    self._now_s = max(self._now_s, due_s)
                    woken.set_result(None)
                    break
