"""The bars that a screen needs from Polygon, symbol by symbol, kept on disk as they come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

from analyzers.outliers.asked import SPARE, before
from analyzers.outliers.batch import outliers
from analyzers.outliers.limits import Limits
from analyzers.outliers.report import OutlierReport
from brokers.errors import DataError, Transient
from feeds.actions import Action
from feeds.polygon import Polygon

CALLS = 2  # a symbol
_LOST = 5  # symbols in a row without bars: then it is not the symbols

Tell = Callable[[int, str], None]


@dataclass(frozen=True, eq=False)
class Gathered:
    """Bars by symbol, what changed the shares, and who has no bars, and why."""

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


def gathered(
    polygon: Polygon,
    symbols: Sequence[str],
    days: Sequence[date],
    *,
    cache: Path,
    tell: Tell,
    with_actions: bool = True,
) -> Gathered:
    """Fetch minutes, days and actions for the sessions `days`.

    What is in the cache already is not asked for again, so that a run that was cut off goes on
    where it ended.

    Args:
        tell: is told how many symbols are done, and which comes next ("" at the end).
        with_actions: whether to ask for splits and dividends.

    Raises:
        ConfigError: the key was refused.
        DataError: the back-off gave up, or symbol after symbol has no bars.
    """
    actions = polygon.actions(min(days), max(days)) if with_actions else ()
    found = Gathered({}, {}, actions, {})
    lost = 0
    for done, symbol in enumerate(symbols):
        tell(done, symbol)
        try:
            _fetch(polygon, symbol, days, cache, found)
            lost = 0
        except DataError as error:
            lost += 1
            if isinstance(error.__cause__, Transient) or lost >= min(_LOST, len(symbols)):
                raise
            found.missing[symbol] = str(error)
    tell(len(symbols), "")
    return found


def _fetch(
    polygon: Polygon,
    symbol: str,
    days: Sequence[date],
    cache: Path,
    found: Gathered,
) -> None:
    after = max(days) + timedelta(days=1)
    limits = Limits()
    since = before(days, limits.sessions), before(days, limits.residual_days + SPARE)
    minutes = polygon.aggregates(symbol, since[0], after, "1m", cache=cache)
    daily = polygon.aggregates(
        symbol, before(days, limits.residual_days + SPARE), max(days), "1d", cache=cache
    )
    found.bars[symbol], found.daily[symbol] = minutes, daily
