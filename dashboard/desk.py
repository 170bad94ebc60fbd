"""What every page gets: the options, the logs that are watched, and the clock."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from brokers.clock import Clock
from dashboard.options import Options
from dashboard.sparing import Sparing
from dashboard.watch import Glimpse, LogWatch


@dataclass(frozen=True)
class Desk:
    """The things on a trader's desk; a page takes what it needs and changes nothing.

    Args:
        watches: of the logs in the order of the options.
        costs: the fill-cost ledger of each, dear to compute.
        chosen: the number of the one that a page is about.
    """

    options: Options
    clock: Clock
    watches: Sequence[LogWatch] = ()
    costs: Sequence[Sparing[pd.DataFrame]] = ()
    chosen: int = 0

    @property
    def names(self) -> list[str]:
        """What tells the logs apart, as short as that is possible."""
        parts = [log.with_suffix("").parts for log in self.options.logs]
        for length in range(1, max(map(len, parts)) + 1):
            names = ["/".join(part[-length:]) for part in parts]
            plain = [name.removesuffix("/decisions") for name in names]
            if len(set(plain)) == len(plain) and "decisions" not in plain:
                return plain
        return [str(log) for log in self.options.logs]

    def look(self) -> Glimpse:
        """The chosen log, now."""
        return self.watches[self.chosen].look()

    def look_at_all(self) -> list[Glimpse]:
        """All logs, now."""
        return [watch.look() for watch in self.watches]


def opened(options: Options, clock: Clock) -> Desk:
    """A desk with every log on it."""
    watches = tuple(LogWatch(log, clock) for log in options.logs)
    return Desk(options, clock, watches, tuple(Sparing(clock) for _ in watches))
