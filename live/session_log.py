"""The log of a session as Cerebro's thread uses it: silent, comparing, or writing."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from analyzers.journal import Journal
from feeds.turns import Turn
from live.market_clock import SessionClock
from live.past import BARS, DECISION, SESSION, Past


class SessionLog:
    """Takes every line of a session.

    During warm-up the only lines are those of the session itself; what a strategy decides then is
    nobody's business. While something of the past is left, lines are held against it instead of
    being written. For `feeds.turns` it is what was recorded. After a line that could not be written
    none is: what follows a hole could not be repeated.

    Args:
        journal: the log on the disk.
        past: what it holds already.
        clock: the session's.
    """

    def __init__(self, journal: Journal, past: Past, clock: SessionClock) -> None:
        self._journal = journal
        self.past = past
        self._clock = clock
        self._hushed: set[str] = set()
        self.is_warming_up = True
        self.current: set[str] = set()  # orders of the newest turn
        self.turn_end_at: datetime | None = None
        self.turns = 0  # begun, those of the warm-up aside
        self.failure: OSError | None = None

    @property
    def is_over(self) -> bool:
        """True when there is nothing left to repeat."""
        return self.past.is_over

    def take(self) -> Turn | None:
        """The next turn to repeat; the first call says that the warm-up is over."""
        self.is_warming_up = False
        turn = self.past.take()
        if turn is not None:
            self._begin(turn)
        return turn

    def turn(self, turn: Turn) -> None:
        """Write a turn that came from outside, before anybody sees it."""
        self._begin(turn)
        self.append({"kind": BARS, **turn.as_record()})

    def now(self) -> float:
        """Seconds since 1970 UTC, for the guard's rules: the log's own time while it repeats."""
        return (self.past.at or self._clock.now()).timestamp()

    def newest_at(self) -> float:
        """End of the newest turn in seconds since 1970 UTC, which no symbol's bar is after."""
        return self.turn_end_at.timestamp() if self.turn_end_at else -math.inf

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a line, or compare it.

        Raises:
            OSError: it could not be written.
            Diverged: the log says otherwise.
        """
        kind, order_id = record["kind"], record.get("order_id")
        if self.is_warming_up and kind != SESSION:
            self._hushed.add(order_id or "")
            return
        if order_id in self._hushed:
            return  # the end of what was refused on the last bar of the warm-up
        if kind == DECISION:
            self.current.add(order_id or "")
        if not self.past.is_over:
            self.past.compare(record)
            return
        with self._noting():
            self._require_whole()
            self._journal.append(record)

    def note(self, record: Mapping[str, Any]) -> None:
        """Write a fact that stands, written or not; a failure is kept in `failure`."""
        with suppress(OSError):
            self.append(record)

    def _begin(self, turn: Turn) -> None:
        self.turns += 1
        self.current.clear()
        self.turn_end_at = turn.end_at
        self._clock.follow(turn.end_at)

    def sync(self) -> None:
        """Wait until every line so far is on the disk itself; OSError when it is not."""
        with self._noting():
            self._require_whole()
            self._journal.sync()

    def look(self) -> OSError | None:
        """What is wrong with the log, a file that was removed included; None: nothing is."""
        with suppress(OSError), self._noting():
            self._journal.require()
        return self.failure

    def close(self, *, complete: bool) -> None:
        """Close the log; a failure is kept in `failure`."""
        with suppress(OSError), self._noting():
            self._journal.close(complete and self.failure is None)

    def _require_whole(self) -> None:
        if self.failure is not None:
            raise self.failure

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Keep the first failure."""
        try:
            yield
        except OSError as error:
            self.failure = self.failure or error
            raise


class ByStrategy:
    """The part of the log that one strategy writes: its lines bear its name."""

    def __init__(self, log: SessionLog, label: str) -> None:
        self._log = log
        self._label = label

    def append(self, record: Mapping[str, Any]) -> None:
        """See `SessionLog.append`."""
        self._log.append({"strategy": self._label, **record})
