"""A log as far as it has been read: where its lines are, and what they come to."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzers.chain import tail
from brokers.errors import DataError
from dashboard.account import Account
from dashboard.line_index import LineIndex
from dashboard.order_book import OrderBook
from dashboard.session_facts import SessionFacts
from dashboard.tail import first_records, last_records, mark_at

PROGRESS_EVERY = 4096  # lines
Record = Mapping[str, Any]


@dataclass
class Reading:
    """What is known of a log up to byte `end`.

    Args:
        mark: the last bytes before `end`: others there mean that the file was replaced.
        is_whole: from its first line; else its session lines and its last ones only.
        fault: why nothing after `end` can be read; empty: it can.
    """

    index: LineIndex = field(default_factory=LineIndex)
    facts: SessionFacts = field(default_factory=SessionFacts)
    account: Account = field(default_factory=Account)
    orders: OrderBook = field(default_factory=OrderBook)
    end: int = 0
    mark: bytes = b""
    is_whole: bool = True
    fault: str = ""

    def take(self, record: Record, start: int, end: int) -> None:
        """Carry on with one line.

        Raises:
            DataError: it is none of a decision log's.
        """
        try:
            self.facts.take(record)
            self.account.take(record)
            self.orders.take(record)
            self.index.add(record, start)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"line {len(self.index) + 1} is not a line of a decision log: run verify on it"
            ) from error
        self.end = end

    def read_on(self, path: Path, report: Callable[[int], bool] = lambda _: True) -> None:
        """Take all whole lines that are new; a line that is none is noted as `fault`.

        Args:
            report: told now and then how many bytes have been read; False stops.
        """
        lines = 0
        try:
            for record, end in tail(path, self.end):
                self.take(record, self.end, end)
                lines += 1
                if lines % PROGRESS_EVERY == 0 and not report(end):
                    break
        except DataError as error:
            self.fault = str(error)
        if lines:
            self.mark = mark_at(path, self.end)

    def still_holds(self, path: Path, size: int) -> bool:
        """Whether the file still has what was read, as far as its last bytes tell.

        Raises:
            DataError: the file cannot be read.
        """
        return size >= self.end and mark_at(path, self.end) == self.mark


def newest(path: Path, count: int, size: int) -> Reading:
    """The session lines and the last `count` lines: what can be known at once of a long log.

    Raises:
        DataError: the file cannot be read.
    """
    reading = Reading(account=Account(is_partial=True), is_whole=False)
    with suppress(DataError):
        for placed in first_records(path, "session"):
            reading.take(placed.record, placed.start, placed.end)
    begun = reading.end
    for placed in last_records(path, count, size):
        if placed.start >= begun:
            with suppress(DataError):  # whoever reads the whole says which line is at fault
                reading.take(placed.record, placed.start, placed.end)
    reading.mark = mark_at(path, reading.end)
    return reading
