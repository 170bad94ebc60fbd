"""One log that is watched: its end at once, the rest in the background, then what is new."""

import os
from dataclasses import dataclass
from math import inf
from pathlib import Path
from threading import Lock
from typing import Literal

from brokers.clock import Clock
from brokers.errors import DataError
from dashboard import shelf
from dashboard.audit import Audit, audited
from dashboard.backlog import Backlog
from dashboard.reading import Reading, newest
from dashboard.writer import is_written

QUICK_BYTES = 4 << 20  # read in passing; of a longer log the end is shown first
NEWEST_LINES = 1_000
KEEP_AFTER = 1.1  # a reading is kept again when the log is so many times as long

Condition = Literal["missing", "unreadable", "empty", "there"]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What is known of a log now.

    Args:
        condition: of the file.
        text: why it is unreadable.
        progress: 0 to 1 while the rest is read or verified in the background, else None.
        silent_s: seconds of real time since the file last changed.
        is_written: whether a session has it open for writing; None: nobody can tell.
        generation: counts how often the file was replaced by another.
    """

    path: Path
    condition: Condition
    reading: Reading
    audit: Audit | None
    text: str = ""
    progress: float | None = None
    silent_s: float = 0.0
    is_written: bool | None = None
    generation: int = 0


class LogWatch:
    """Follows a log for as long as somebody looks; every look costs time for what is new alone.

    Nothing is written to the log; the reading of a long one is kept in `<log>.index`.

    Args:
        path: the log; it may be missing yet.
        quick_bytes: a log that has grown by no more is read on at once, else in the background.
    """

    def __init__(self, path: Path, clock: Clock, *, quick_bytes: int = QUICK_BYTES) -> None:
        self.path = path
        self._clock = clock
        self._quick_bytes = quick_bytes
        self._lock = Lock()
        self._reading = Reading()
        self._backlog: Backlog | None = None
        self._audit: Audit | None = None
        self._audited_s = -inf
        self._kept_end = 0
        self._inode: int | None = None
        self._generation = 0

    def look(self) -> Glimpse:
        """Take in what is new; may be called from any thread, as often as one likes."""
        with self._lock:
            try:
                stat = self.path.stat()
                if stat.st_ino != self._inode or not self._holds(stat):
                    self._begin(stat)
                self._adopt()
                self._follow(stat)
                self._verify(stat)
            except FileNotFoundError:
                self._forget()
                return self._glimpse("missing")
            except (OSError, DataError) as error:
                return self._glimpse("unreadable", str(error))
            silent_s = max(self._clock.now().timestamp() - stat.st_mtime, 0.0)
            return self._glimpse("there" if stat.st_size else "empty", "", silent_s)

    def wait(self) -> None:
        """Wait until nothing goes on in the background."""
        if self._backlog is not None:
            self._backlog.wait()

    def close(self) -> None:
        """Stop what goes on in the background."""
        if self._backlog is not None:
            self._backlog.stop()

    def _holds(self, stat: os.stat_result) -> bool:
        return self._reading.still_holds(self.path, stat.st_size)

    def _forget(self) -> None:
        """The file is gone or another: nothing that was read counts any more."""
        if self._inode is not None:
            self._generation += 1
        self.close()
        self._backlog, self._inode = None, None
        self._reading, self._audit, self._audited_s, self._kept_end = Reading(), None, -inf, 0

    def _begin(self, stat: os.stat_result) -> None:
        """Take what was kept of this file."""
        self._forget()
        self._inode = stat.st_ino
        kept = shelf.kept(self.path, stat.st_size) if self._is_long(stat) else None
        if kept is not None:
            self._reading, self._audit = kept
            self._kept_end = self._reading.end

    def _is_long(self, stat: os.stat_result) -> bool:
        return stat.st_size > self._quick_bytes

    def _adopt(self) -> None:
        """Take over what the background has finished."""
        backlog = self._backlog
        if backlog is None:
            return
        if backlog.reading is not None:
            self._reading, backlog.reading = backlog.reading, None
        if backlog.is_busy:
            return
        if backlog.audit is not None:
            self._take(backlog.audit)
            if self._reading.end >= KEEP_AFTER * self._kept_end:
                shelf.keep(self._reading, self._audit, self.path)
                self._kept_end = self._reading.end
        self._backlog = None

    def _follow(self, stat: os.stat_result) -> None:
        """Read on; where that would take long, show the end first and leave the rest to a thread.

        The thread begins with the second look, so that nothing delays the first picture.
        """
        if self._reading.fault:
            return
        is_behind = stat.st_size - self._reading.end > self._quick_bytes
        if is_behind and not self._reading.end:
            self._reading = newest(self.path, NEWEST_LINES, stat.st_size)
        elif self._backlog is None and (is_behind or not self._reading.is_whole):
            rest = self._reading if self._reading.is_whole else Reading()
            self._backlog = Backlog(self.path, rest, stat, self._clock)
            if self._reading.is_whole:
                self._reading = newest(self.path, NEWEST_LINES, stat.st_size)
        self._reading.read_on(self.path)

    def _verify(self, stat: os.stat_result) -> None:
        """Verify when the file has changed, but not all the time."""
        rest_s = self._audit.rest_s if self._audit else 0.0
        is_known = self._audit is not None and self._audit.is_of(stat)
        is_rested = self._clock.monotonic() - self._audited_s >= rest_s
        if self._backlog is not None or is_known or not is_rested or not self._reading.is_whole:
            return
        if self._is_long(stat):
            self._backlog = Backlog(self.path, None, stat, self._clock)
        else:
            self._take(audited(self.path, stat, self._clock))

    def _take(self, audit: Audit) -> None:
        self._audit, self._audited_s = audit, self._clock.monotonic()

    def _glimpse(self, condition: Condition, text: str = "", silent_s: float = 0.0) -> Glimpse:
        progress = None if self._reading.is_whole else 0.0
        if self._backlog is not None and self._backlog.reads:
            progress = self._backlog.progress
        return Glimpse(
            path=self.path,
            condition=condition,
            reading=self._reading,
            audit=self._audit,
            text=text,
            progress=progress,
            silent_s=silent_s,
            is_written=is_written(self._inode) if self._inode else None,
            generation=self._generation,
        )
