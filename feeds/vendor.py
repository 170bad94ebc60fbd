"""What Yahoo and Polygon share: no unfinished bars, a cache, and patience with failures."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pandas as pd

from brokers.clock import Clock
from brokers.errors import ConfigError, DataError, Transient
from brokers.wire.backoff import Backoff
from feeds import calendars
from feeds.cache import BarCache, Fetch, Key
from feeds.ranges import Bound
from feeds.timeframe import Timeframe

T = TypeVar("T")


def finished(
    bars: pd.DataFrame, timeframe: Timeframe, calendar: str | None, now: datetime
) -> pd.DataFrame:
    """The bars without a last one that still moves; may be empty, before and after."""
    last = pd.DatetimeIndex(bars.index[-1:])
    is_moving = calendars.bar_close(calendar, last, timeframe) > pd.Timestamp(now)
    return bars.iloc[:-1] if is_moving.any() else bars


def kept(
    cache: Path | str | None,
    key: Key,
    bounds: tuple[Bound, Bound],
    clock: Clock,
    fetch: Fetch,
) -> pd.DataFrame:
    """What `fetch` gives, from the folder `cache` as far as it is there."""
    if cache is None:
        return fetch(*bounds)
    return BarCache(cache, clock).topped_up(key, *bounds, fetch)


def require(symbols: Sequence[str], source: str) -> None:
    """Refuse a call without symbols."""
    if not symbols:
        raise ConfigError(f"{source}: no symbol: name at least one, such as AAPL")


class UnknownSymbol(DataError):
    """The source has answered that it knows no such symbol."""


@dataclass(frozen=True)
class Patience:
    """How long a source is asked again.

    Args:
        source: its name, for errors.
        backoff: the waits between tries.
        clock: in which is waited.
        rng: where their jitter is drawn.
    """

    source: str
    backoff: Backoff
    clock: Clock
    rng: random.Random

    def insist(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer or the back-off gives up.

        Raises:
            DataError: it gave up; the text says why, how long it tried and what to do.
        """
        try:
            return self.backoff.call(ask, clock=self.clock, rng=self.rng)
        except Transient as error:
            raise DataError(
                f"{self.source}: {error}: wait some minutes and run it again; with a cache folder "
                "(cache=), what was already fetched is not asked for twice"
            ) from error
