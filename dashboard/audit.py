"""What verify said of a log, and of which state of the file it said so."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzers.chain import Verdict, verify
from brokers.clock import Clock

REST = 20  # times as long as verifying took, before the file is verified again
LEAST_REST_S = 3.0


@dataclass(frozen=True, slots=True)
class Audit:
    """One verdict.

    Args:
        size, changed_ns: of the file when it was begun.
        took_s: how long it took.
    """

    verdict: Verdict
    size: int
    changed_ns: int
    took_s: float

    def is_of(self, stat: os.stat_result) -> bool:
        """Whether the file is still as it was."""
        return (self.size, self.changed_ns) == (stat.st_size, stat.st_mtime_ns)

    @property
    def rest_s(self) -> float:
        """How long not to verify again, so that a long log costs a twentieth of a core at most."""
        return max(LEAST_REST_S, REST * self.took_s)

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> "Audit":
        """The audit as it was kept."""
        return cls(**{**kept, "verdict": Verdict(**kept["verdict"])})


def audited(
    log: Path, stat: os.stat_result, clock: Clock, progress: Callable[[int], None] | None = None
) -> Audit:
    """Verify a log, in whole.

    Raises:
        DataError: it cannot be read.
    """
    begun_s = clock.monotonic()
    verdict = verify(log, progress)
    return Audit(verdict, stat.st_size, stat.st_mtime_ns, clock.monotonic() - begun_s)
