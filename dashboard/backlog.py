"""The long part of a log, read and verified in a thread while its end is already shown."""

import os
from pathlib import Path
from threading import Event, Thread

from brokers.clock import Clock
from brokers.errors import DataError
from dashboard.audit import Audit, audited
from dashboard.reading import Reading

READING_PART = 0.7  # of the progress; the rest is verifying


class Backlog:
    """One thread, named after its log, that ends by itself when it is done.

    `reading` and `audit` are None until they are ready; whoever takes the reading has it alone.

    Args:
        reading: to be carried on to the end; None: verify only.
        stat: of the log, as it is now.
    """

    def __init__(
        self, path: Path, reading: Reading | None, stat: os.stat_result, clock: Clock
    ) -> None:
        self.reading: Reading | None = None
        self.audit: Audit | None = None
        self.progress = 0.0  # 0 to 1
        self.fault = ""
        self.reads = reading is not None
        self._stop = Event()
        self._thread = Thread(
            target=self._work,
            args=(path, reading, stat, clock),
            name=f"dashboard {path.name}",
            daemon=True,
        )
        self._thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Have it end soon, and wait for that."""
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until it is done."""
        self._thread.join()

    def _work(
        self, path: Path, reading: Reading | None, stat: os.stat_result, clock: Clock
    ) -> None:
        share = 0.0
        if reading is not None:
            share = READING_PART
            reading.read_on(path, lambda read: self._goes_on(read / stat.st_size * share))
            self.reading = reading
        if self._stop.is_set():
            return
        try:
            self.audit = audited(
                path,
                stat,
                clock,
                lambda read: self._note(share + read / stat.st_size * (1 - share)),
            )
        except DataError as error:
            self.fault = str(error)

    def _note(self, progress: float) -> None:
        self.progress = min(progress, 1.0)

    def _goes_on(self, progress: float) -> bool:
        self._note(progress)
        return not self._stop.is_set()
