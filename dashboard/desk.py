"""What every page gets: the options, the logs that are watched, and the clock."""

from dataclasses import dataclass

from brokers.clock import Clock
from dashboard.options import Options


@dataclass(frozen=True)
class Desk:
    """The things on a trader's desk; a page takes what it needs and changes nothing."""

    options: Options
    clock: Clock
