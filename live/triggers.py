"""Whatever can end a session, asked once a turn of Cerebro's loop; no trigger blocks."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from brokers.clock import Clock
from live.shutdown import Tripped

Ask = Callable[[], Tripped | None]
LOOK_EVERY_S = 0.5  # at the disk


class Signals:
    """Notes SIGINT and SIGTERM; a second one acts as if nobody had listened."""

    def __init__(self) -> None:
        self._tripped: Tripped | None = None

    def __call__(self) -> Tripped | None:
        """The first signal that came."""
        return self._tripped

    @contextmanager
    def heard(self) -> Iterator["Signals"]:
        """Listen while the block runs; to be entered in the main thread."""
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            is_interrupt = number == signal.SIGINT
            self._tripped = (
                Tripped("interrupt", "Ctrl-C") if is_interrupt else Tripped("terminate", "SIGTERM")
            )
            signal.signal(number, before[signal.Signals(number)])

        for number in before:
            signal.signal(number, hear)
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class KillFile:
    """Trips when a file is there."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._next_s = clock.monotonic()

    def __call__(self) -> Tripped | None:
        """Look, twice a second at most."""
        if self._clock.monotonic() < self._next_s:
            return None
        self._next_s = self._clock.monotonic() + LOOK_EVERY_S
        return Tripped("kill_file", f"{self._path} appeared") if self._path.exists() else None


class Bound:
    """Trips when the session has run its time."""

    def __init__(self, after_s: float, clock: Clock) -> None:
        self._after_s = after_s
        self._clock = clock
        self._end_s = clock.monotonic() + after_s

    def __call__(self) -> Tripped | None:
        """Look at the clock."""
        if self._clock.monotonic() < self._end_s:
            return None
        return Tripped("finished", f"{self._after_s:g} s are over")


def first(asks: Sequence[Ask]) -> Tripped | None:
    """What has tripped, the first named before the others."""
    return next(filter(None, (ask() for ask in asks)), None)
