"""The decision log of a backtest: on bar time, and an error when a line was lost."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import backtrader as bt

from analyzers.decision_log import DecisionLog
from analyzers.journal import Journal
from analyzers.market_context import BarClock
from brokers.errors import DataError


class WatchedJournal:
    """A journal that remembers the first line it could not write."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.failure: OSError | None = None

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record as a line; OSError when it cannot be."""
        try:
            self._journal.append(record)
        except OSError as error:
            self.failure = self.failure or error
            raise

    def close(self, complete: bool = True) -> None:
        """Close the log, with a session end if the run is complete."""
        try:
            self._journal.close(complete)
        except OSError as error:
            self.failure = self.failure or error


@contextmanager
def logged(
    cerebro: bt.Cerebro, path: str | Path, run_id: str, start_at: datetime, config: Any
) -> Iterator[WatchedJournal]:
    """Write the decision log of the run that the block makes; a log that was there is kept.

    Its folder is made where there is none.

    The same run gives the same bytes. The log ends complete when the block does, unfinished when
    it raises or closes the journal as incomplete.

    Args:
        start_at: what the session line says, aware UTC.
        config: the run as plain values.

    Raises:
        ConfigError: it cannot be written there.
        DataError: a line could not be written; the guard then refused orders, so what the run
            came to is not what the strategy would have done.
    """
    clock = BarClock(start_at)
    with suppress(OSError):  # the journal says what is wrong with the place
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(path, run_id, clock, fresh=True)
    watched = WatchedJournal(journal)
    cerebro.addanalyzer(
        DecisionLog,
        _name="seawall_DecisionLog",
        journal=watched,
        config=config,
        bar_clock=clock,
    )
    try:
        yield watched
        watched.close(complete=watched.failure is None)
    except OSError:
        if watched.failure is None:
            raise
    finally:
        journal.close(complete=False)
    if watched.failure is not None:
        raise DataError(
            f"{path}: the decision log could not be written ({watched.failure.strerror}) and "
            "orders were refused: make room and run again"
        ) from watched.failure
