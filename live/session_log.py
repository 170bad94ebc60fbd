"""The log of a session as Cerebro's thread uses it: silent, comparing, or writing."""

from collections.abc import Mapping
from typing import Any

from analyzers.journal import Journal
from brokers.clock import Clock
from feeds.turns import Turn
from live.past import BARS, Past


class SessionLog:
    """Takes every line of a session.

    Before `begin_turns` and during warm-up the only lines are those of the session itself; what a
    strategy decides then is nobody's business. While something of the past is left, lines are held
    against it instead of being written.

    Args:
        journal: the log on the disk.
        past: what it holds already.
        clock: the session's.
    """

    def __init__(self, journal: Journal, past: Past, clock: Clock) -> None:
        self._journal = journal
        self._past = past
        self._clock = clock
        self.is_warming_up = True
        self.failure: OSError | None = None

    @property
    def past(self) -> Past:
        """What is left to repeat."""
        return self._past

    def now(self) -> float:
        """Seconds since 1970 UTC, for the guard's rules: the log's own time while it repeats."""
        return (self._past.at or self._clock.now()).timestamp()

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a line, or compare it.

        Raises:
            OSError: it could not be written.
            Diverged: the log says otherwise.
        """
        if self.is_warming_up and record["kind"] != "session":
            return
        if not self._past.is_over:
            self._past.compare(record)
            return
        try:
            self._journal.append(record)
        except OSError as error:
            self.failure = self.failure or error
            raise

    def turn(self, turn: Turn) -> None:
        """Write a turn that came from outside, before anybody sees it."""
        self.is_warming_up = False
        self.append({"kind": BARS, **turn.as_record()})

    def sync(self) -> None:
        """Wait until every line so far is on the disk itself; OSError when it is not."""
        try:
            self._journal.sync()
        except OSError as error:
            self.failure = self.failure or error
            raise

    def close(self, *, complete: bool) -> None:
        """Close the log; a failure is kept in `failure`."""
        try:
            self._journal.close(complete)
        except OSError as error:
            self.failure = self.failure or error


class ByStrategy:
    """The part of the log that one strategy writes: its lines bear its name."""

    def __init__(self, log: SessionLog, label: str) -> None:
        self._log = log
        self._label = label

    def append(self, record: Mapping[str, Any]) -> None:
        """See `SessionLog.append`."""
        self._log.append({"strategy": self._label, **record})
