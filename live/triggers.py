"""Whatever can end a session, asked once a turn of Cerebro's loop; no trigger blocks."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from brokers.clock import Clock
from brokers.errors import SeawallError
from live.exits import Trigger
from live.shutdown import Tripped

Ask = Callable[[], Tripped | None]
LOOK_EVERY_S = 0.5  # at the disk
UNBEGUN = "stopped before the session began; no order was sent"
UNFINISHED = (
    "stopped before the shutdown was over: orders may still be at work at the venue; look at the "
    "account, then start the session again, or cancel them there"
)
_TRIPPED = {
    signal.SIGINT: Tripped("interrupt", "Ctrl-C"),
    signal.SIGTERM: Tripped("terminate", "SIGTERM"),
    signal.SIGHUP: Tripped("terminate", "SIGHUP, the terminal was closed"),
}


class Stopped(SeawallError):
    """A signal or a kill file ended the process, and there was no shutdown."""

    def __init__(self, text: str, trigger: Trigger) -> None:
        super().__init__(text)
        self.trigger = trigger


class Signals:
    """Notes SIGINT, SIGTERM and SIGHUP for a session.

    One that was ignored from the start stays so: SIGHUP under nohup, SIGINT in a job that a shell
    script put in the background.

    Until the session asks for the first time there is nothing to shut down: a signal then ends the
    start, wherever it happens to be. A second one ends the shutdown too; a third acts as if nobody
    had listened.
    """

    def __init__(self) -> None:
        self._tripped: Tripped | None = None
        self._is_asked = False

    def __call__(self) -> Tripped | None:
        """The first signal that came."""
        self._is_asked = True
        return self._tripped

    @contextmanager
    def heard(self) -> Iterator["Signals"]:
        """Listen while the block runs; to be entered in the main thread.

        Raises:
            Stopped: there was, or is, no shutdown.
        """
        found = {number: signal.getsignal(number) for number in _TRIPPED}
        before = {number: it for number, it in found.items() if it is not signal.SIG_IGN}

        def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            tripped = _TRIPPED[signal.Signals(number)]
            if self._is_asked and self._tripped is None:
                self._tripped = tripped
                return
            for each, handler in before.items():
                signal.signal(each, handler)
            raise KeyboardInterrupt(tripped.trigger)  # the one error that an event loop lets pass

        for number in before:
            signal.signal(number, hear)
        try:
            yield self
        except KeyboardInterrupt as stop:
            trigger: Trigger = "terminate" if stop.args == ("terminate",) else "interrupt"
            raise Stopped(UNFINISHED if self._tripped else UNBEGUN, trigger) from None
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


def require_none(kill_file: Path) -> None:
    """Look before a session begins.

    Raises:
        Stopped: the file is there; whoever put it there wants nothing traded.
    """
    if kill_file.exists():
        raise Stopped(
            f"{kill_file} is here from before, and no session begins beside it: delete it to trade "
            "again; no order was sent",
            "kill_file",
        )


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
