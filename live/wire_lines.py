"""What the wires went through, as lines of the log: the breaker's failures, the stream of bars."""

from brokers.wire.breaker import Failure
from live.session_log import SessionLog
from live.stack import Wires

BREAKER, CONNECTION = "breaker", "connection"


class WireLines:
    """Writes what is new each time it looks; a repetition passes these lines over.

    Args:
        wires: written by the store's loop.
        log: of the session.
    """

    def __init__(self, wires: Wires, log: SessionLog) -> None:
        self._wires = wires
        self._log = log
        self._breaker = wires.breaker
        self._data = wires.data
        self._last: Failure | None = None

    def look(self) -> None:
        """Write the failures and changes since the last time."""
        wires = self._wires
        state = wires.breaker
        fresh = self._fresh(wires.made.breaker.failures if wires.made else ())
        for failure in fresh:
            self._last = failure
            told = {"failed_at": failure.at, "text": failure.text, "counted": failure.counted}
            self._log.note({"kind": BREAKER, "state": state, **told})
        if state != self._breaker and not fresh:
            self._log.note({"kind": BREAKER, "state": state})
        self._breaker = state
        if wires.data != self._data:
            self._data = wires.data
            self._log.note({"kind": CONNECTION, "stream": "bars", "state": self._data})

    def _fresh(self, failures: tuple[Failure, ...]) -> list[Failure]:
        """Those after the last one told, oldest first."""
        fresh: list[Failure] = []
        for failure in reversed(failures):
            if failure is self._last:
                break
            fresh.insert(0, failure)
        return fresh
