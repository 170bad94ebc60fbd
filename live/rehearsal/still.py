"""Time and an event loop for one thread: both stand still unless somebody moves them."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from brokers.errors import SeawallError
from brokers.thread import Work
from live.rehearsal.pipe import PipeLoop


class Stalled(SeawallError):
    """Something is awaited, and nothing is left that could bring it."""


class VirtualClock:
    """A `Clock` that moves when it is told to; who waits wakes in the order of the instants.

    A jump over several instants wakes everybody once, at its end, as after a machine's sleep. The
    instant is the market's: it never passes `ceiling`, however long somebody waits.

    Args:
        start_at: the first instant, aware.
    """

    def __init__(self, start_at: datetime) -> None:
        self.ceiling: datetime | None = None
        self._now = start_at.astimezone(UTC)
        self._elapsed_s = 0.0
        self._timers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def now(self) -> datetime:
        """The instant, aware UTC."""
        return self._now

    def follow(self, at: datetime) -> None:
        """As `live.market_clock.SessionClock`; whoever moves it knows the bars."""

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._elapsed_s

    def sleep(self, wait_s: float) -> None:
        """Move on by `wait_s` seconds at once."""
        self.jump(self._elapsed_s + max(wait_s, 0.0))

    async def wait(self, wait_s: float) -> None:
        """Suspend until the clock was moved on by `wait_s` seconds; without any, let others run."""
        if wait_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heappush(self._timers, (self._elapsed_s + wait_s, next(self._numbers), woken))
        await woken

    def until_s(self, at: datetime) -> float:
        """Seconds to wait until `now()` is `at`; 0 or less when it is past."""
        return (at - self.now()).total_seconds()

    @property
    def due_s(self) -> float | None:
        """When the next one wakes, on the scale of `monotonic`; None: nobody waits."""
        while self._timers and self._timers[0][2].done():
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def jump(self, to_s: float) -> None:
        """Move to an instant on the scale of `monotonic`, never back, and wake who is due."""
        later = self._now + timedelta(seconds=max(to_s - self._elapsed_s, 0.0))
        self._now = later if self.ceiling is None else max(self._now, min(later, self.ceiling))
        self._elapsed_s = max(self._elapsed_s, to_s)
        while (due_s := self.due_s) is not None and due_s <= self._elapsed_s:
            heappop(self._timers)[2].set_result(None)

    def jump_to(self, at: datetime) -> None:
        """Move to an instant of the market's; see `jump`."""
        self.jump(self._elapsed_s + (at - self._now).total_seconds())
        self._now = max(self._now, at)


class StillLoop:
    """An event loop that runs while somebody lets it, until all in it wait; its own `Host`.

    Args:
        clock: by which all in the loop wait.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._selector = _Selector()
        self._loop = PipeLoop(self._selector)
        self._selector.at_rest = self._loop.stop
        self._work: asyncio.Task[None] | None = None

    def settle(self) -> None:
        """Run until nothing can go on without a later instant or another's doing."""
        self._loop.run_forever()

    def start(self, work: Work) -> None:
        """Begin to run something; see `brokers.thread.Host`."""
        self._work = self._loop.create_task(work())

    def do(self, work: Any) -> Any:
        """Run a coroutine to its end; what it waits for must come at once."""
        task = self._loop.create_task(work)
        self._until(task.done)
        return task.result()

    def wait(self, future: Future[Any]) -> None:
        """Run, and let time pass, until something is done."""
        self._until(future.done)

    def join(self) -> None:
        """Run, and let time pass, until the work has ended."""
        if self._work is not None:
            self._until(self._work.done)

    def kill(self) -> None:
        """End everything in the loop without a word to the far side."""
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self.settle()

    def close(self) -> None:
        """End the loop."""
        self.kill()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _until(self, is_so: Callable[[], bool]) -> None:
        self.settle()
        while not is_so():
            if (due_s := self._clock.due_s) is None:
                raise Stalled("the loop waits for something that nobody will bring")
            self._clock.jump(due_s)
            self.settle()


class _Selector(selectors.SelectSelector):
    """Notices when a loop would begin to wait."""

    at_rest: Callable[[], None]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Say so instead of waiting: in one thread without sockets no file ever has news."""
        if timeout is None or timeout > 0:
            self.at_rest()
        return []
