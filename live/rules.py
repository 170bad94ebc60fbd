"""Rules of a session, beside those of its risk limits."""

from collections.abc import Callable
from dataclasses import dataclass

from brokers.errors import RiskRefused
from brokers.risk import Situation

QUIET_BARS = 5


@dataclass(frozen=True)
class NoOrders:
    """None at all while the strategies are shown the past."""

    while_true: Callable[[], bool]

    def __call__(self, situation: Situation) -> None:  # noqa: ARG002
        """Refuse during the warm-up."""
        if self.while_true():
            raise RiskRefused("warm_up", 0, 1)


@dataclass(frozen=True)
class QuietSymbol:
    """None in a symbol whose bars do not come while those of others do.

    Args:
        limit_s: seconds by which its last bar may be older than the newest of all.
        newest_at: end of the newest bar of all, in seconds since 1970 UTC.
    """

    limit_s: float
    newest_at: Callable[[], float]

    def __call__(self, situation: Situation) -> None:
        """Refuse when the symbol has fallen behind."""
        behind_s = self.newest_at() - situation.bar_at
        if behind_s > self.limit_s:
            raise RiskRefused("quiet_symbol", self.limit_s, behind_s)
