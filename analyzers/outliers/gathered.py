"""The bars that a screen needs from Polygon, symbol by symbol, kept on disk as they come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

from analyzers.outliers.asked import SPARE, before
from analyzers.outliers.batch import outliers
from analyzers.outliers.limits import Limits
from analyzers.outliers.report import OutlierReport
from brokers.clock import Clock
from brokers.errors import DataError, Transient
from feeds import polygon_grouped
from feeds.actions import Action
from feeds.polygon import Polygon
from feeds.timeframe import Timeframe

_LOST = 5  # symbols in a row without bars: then it is not the symbols

Tell = Callable[[str, int, int, float], None]


@dataclass(frozen=True, eq=False)
class Gathered:
    """Bars by symbol, what changed the shares, and who has no bars of either kind, and why."""

    bars: dict[str, pd.DataFrame]
    daily: dict[str, pd.DataFrame]
    actions: tuple[Action, ...]
    missing: dict[str, str]

    def screened(
        self,
        days: Sequence[date],
        sectors: Mapping[str, str],
        benchmark: str,
        generated_at: datetime,
    ) -> OutlierReport:
        """The report of those sessions; errors as of `outliers`."""
        return outliers(
            self.bars,
            self.daily,
            days,
            generated_at=generated_at,
            sectors=sectors,
            benchmark=benchmark,
            actions=self.actions,
            missing=self.missing,
        )


@dataclass(frozen=True)
class Source:
    """Polygon, at the pace of a plan, and the folder of what it has told before.

    Args:
        tell: is told of each step: what is asked for, how many are done, of how many, and how
            many seconds it takes at most.
    """

    polygon: Polygon
    clock: Clock
    calls_per_minute: int
    cache: Path
    tell: Tell
    limits: Limits = field(default_factory=Limits)

    @property
    def window(self) -> int:
        """Daily bars before the first screened session."""
        return self.limits.residual_days + SPARE

    def gathered(
        self, symbols: Sequence[str], days: Sequence[date], *, with_actions: bool = True
    ) -> Gathered:
        """Fetch minutes, days and actions for the sessions `days`.

        What is in the cache already is not asked for again, so that a run that was cut off goes
        on where it ended. Days come symbol by symbol, or where that takes fewer calls session by
        session.

        Args:
            with_actions: whether to ask for splits and dividends.

        Raises:
            ConfigError: the key was refused.
            DataError: the back-off gave up, or symbol after symbol has no bars.
        """
        actions = self.polygon.actions(min(days), max(days)) if with_actions else ()
        is_grouped = len(symbols) > self.window
        daily = self._grouped(symbols, days) if is_grouped else {}
        found = Gathered({}, daily, actions, {})
        calls, lost = (1 if is_grouped else 2), 0
        for done, symbol in enumerate(symbols):
            left = len(symbols) - done
            self.tell(symbol, done, len(symbols), left * calls * 60.0 / self.calls_per_minute)
            try:
                found.bars[symbol] = self._minutes(symbol, days)
                if not is_grouped:
                    found.daily[symbol] = self._daily(symbol, days)
                lost = 0
            except DataError as error:
                lost += 1
                if isinstance(error.__cause__, Transient) or lost >= min(_LOST, len(symbols)):
                    raise
                found.missing[symbol] = str(error)
        return found

    def _minutes(self, symbol: str, days: Sequence[date]) -> pd.DataFrame:
        first, after = before(days, self.limits.sessions), max(days) + timedelta(days=1)
        return self.polygon.aggregates(symbol, first, after, "1m", cache=self.cache)

    def _daily(self, symbol: str, days: Sequence[date]) -> pd.DataFrame:
        first = before(days, self.window)
        return self.polygon.aggregates(symbol, first, max(days), "1d", cache=self.cache)

    def _grouped(self, symbols: Sequence[str], days: Sequence[date]) -> dict[str, pd.DataFrame]:
        return polygon_grouped.history(
            symbols,
            before(days, self.window),
            max(days),
            Timeframe("1d"),
            client=self.polygon,
            calls_per_minute=self.calls_per_minute,
            partial=True,
            cache=self.cache,
            report=lambda done, total, left_s: self.tell("days", done, total, left_s),
            clock=self.clock,
        )
