"""Bars kept on disk and topped up: only what is missing is fetched."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from brokers.clock import Clock, SystemClock
from brokers.errors import DataError
from feeds import parquet
from feeds.parquet import Stored
from feeds.passport import KEY, Passport, stamp
from feeds.ranges import Bound, at_zone, in_words, within
from feeds.timeframe import Timeframe

DEFAULT_FOLDER = Path("data/cache")
_MONTH = timedelta(days=31)
_SAME_PRICE_FRAC = 1e-6  # vendors' adjusted prices wobble by less, a dividend moves them by more

Fetch = Callable[[Bound, Bound], pd.DataFrame]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """What makes two series different."""

    source: str
    symbol: str
    timeframe: str
    adjustment: str
    feed: str = ""

    def path(self, folder: Path) -> Path:
        """Give the file of this series, readable by a person and safe for any symbol."""
        parts = (self.source, self.feed or "default", self.adjustment, self.timeframe)
        return folder.joinpath(*(quote(part, safe="") for part in parts)).joinpath(
            f"{quote(self.symbol, safe='')}.parquet"
        )


class BarCache:
    """Parquet files under one folder, safe with several processes at once.

    Args:
        folder: where they are; data/cache in the working directory unless told otherwise.
        clock: tells which bars may still be incomplete.
    """

    def __init__(self, folder: Path | str = DEFAULT_FOLDER, clock: Clock | None = None) -> None:
        self._folder = Path(folder)
        self._clock = clock or SystemClock()

    def topped_up(self, key: Key, start: Bound, end: Bound, fetch: Fetch) -> pd.DataFrame:
        """Give the stamped bars from `start` up to but not including `end`, fetching what lacks.

        What was asked for once is not asked for again, holidays included; the last bar is, while
        it may be incomplete. An adjusted series whose known bars have changed (a split or a
        dividend since) is fetched whole. A damaged file is set aside and fetched anew; the
        passport's repairs say so.

        Args:
            start: a date is its midnight in the zone of the bars' passport; None: the beginning.
            end: likewise; None: up to now.
            fetch: gives the stamped bars of such a range (more on either side do no harm); what
                it raises goes through and leaves the file as it was.

        Raises:
            DataError: there is no bar in the range, or the source no longer has the stored ones.
            ConfigError: the folder cannot be used.
        """
        path = key.path(self._folder)
        with parquet.locked(path):
            stored, repairs = _read_or_set_aside(path, key)
            topped = _TopUp(key, fetch, self._clock.now()).run(stored, start, end, repairs)
            if topped is not stored:
                parquet.write(path, topped)
        part = within(topped.bars, start, end, key.symbol, topped.passport.zone)
        return _stamped(key, part, topped.passport, topped.passport.repairs)


def _read_or_set_aside(path: Path, key: Key) -> tuple[Stored | None, tuple[str, ...]]:
    try:
        stored = parquet.read(path)
        if stored is None or _key_of(stored.passport) == key:
            return stored, ()
        fault = "held another series"
    except parquet.Damaged:
        fault = "was damaged"
    kept = parquet.set_aside(path)
    note = f"the cache file {fault}: set aside as {kept.name} and fetched anew"
    _log.warning("%s: %s", key.symbol, note)
    return None, (note,)


def _key_of(passport: Passport) -> Key:
    return Key(
        passport.source,
        passport.symbol,
        passport.timeframe,
        passport.adjustment,
        passport.feed,
    )


@dataclass(frozen=True)
class _TopUp:
    """One top-up of one series, at one instant."""

    key: Key
    fetch: Fetch
    now: datetime

    def run(
        self, stored: Stored | None, start: Bound, end: Bound, repairs: tuple[str, ...]
    ) -> Stored:
        if stored is None:
            return self._whole(start, end, repairs)
        for first, after in self._missing(stored, start, end):
            fresh = self._fetched(first, after)
            if self._was_adjusted(stored, fresh):
                begin, until = (at_zone(bound, stored.passport.zone) for bound in (start, end))
                return self._whole(
                    _earlier(begin, stored.covered_from),
                    until and max(until, stored.covered_to),
                    stored.passport.repairs,
                )
            stored = self._merged(stored, fresh, first, after)
        return stored

    def _whole(self, start: Bound, end: Bound, repairs: tuple[str, ...]) -> Stored:
        fresh = self._fetched(start, end)
        passport: Passport = fresh.attrs[KEY]
        bars = _stamped(self.key, fresh, passport, (*repairs, *passport.repairs))
        return Stored(bars, at_zone(start, passport.zone), self._covered_to(bars, end))

    def _fetched(self, start: Bound, end: Bound) -> pd.DataFrame:
        fresh = self.fetch(start, end)
        if fresh.empty:
            raise DataError(
                f"{self.key.symbol}: {self.key.source} has no {self.key.timeframe} bar "
                f"{in_words(start, end)}: check the symbol and the range"
            )
        return fresh

    def _missing(self, stored: Stored, start: Bound, end: Bound) -> list[tuple[Bound, Bound]]:
        """List the ranges to fetch; each takes in a complete stored bar, to compare."""
        ranges: list[tuple[Bound, Bound]] = []
        begin, until = (at_zone(bound, stored.passport.zone) for bound in (start, end))
        if _earlier(begin, stored.covered_from) != stored.covered_from:
            ranges.append((start, stored.bars.index[0].to_pydatetime() + self._span))
        if min(until or self.now, self.now) > stored.covered_to:
            complete = self._complete(stored)
            last = stored.bars.index[max(len(complete) - 1, 0)].to_pydatetime()
            ranges.append((last, end))
        return ranges

    def _merged(self, stored: Stored, fresh: pd.DataFrame, first: Bound, after: Bound) -> Stored:
        passport: Passport = fresh.attrs[KEY]
        repairs = (*stored.passport.repairs, *passport.repairs)
        known = self._complete(stored)
        before = known[known.index < fresh.index[0]]
        later = stored.bars[stored.bars.index > fresh.index[-1]]
        if len(known) and fresh.index.intersection(known.index).empty:
            repairs = (*repairs, f"no bar in common where those of {fresh.index[0]} join")
        joined = pd.concat([part for part in (before, fresh, later) if len(part)])
        bars = _stamped(self.key, joined, passport, tuple(dict.fromkeys(repairs)))
        # Bars that were not fetched again are no more complete than they were.
        covered_to = stored.covered_to if len(later) else self._covered_to(bars, after)
        covered_from = _earlier(at_zone(first, passport.zone), stored.covered_from)
        return Stored(bars, covered_from, covered_to)

    def _was_adjusted(self, stored: Stored, fresh: pd.DataFrame) -> bool:
        known = self._complete(stored)
        both = known.index.intersection(fresh.index)
        old, new = (bars.loc[both, "open":"close"].to_numpy() for bars in (known, fresh))
        return self.key.adjustment != "none" and not np.allclose(
            old, new, rtol=_SAME_PRICE_FRAC, atol=0.0
        )

    def _complete(self, stored: Stored) -> pd.DataFrame:
        """Cut off the bars that were still open when they were fetched."""
        return stored.bars[stored.bars.index < stored.covered_to]

    def _covered_to(self, bars: pd.DataFrame, end: Bound) -> datetime:
        passport: Passport = bars.attrs[KEY]
        last: datetime = bars.index[-1].to_pydatetime()
        if last + self._span > self.now:
            return last
        # A vendor may have held back the bar that is open now.
        settled = max(last + self._span, self.now - self._span)
        return min(at_zone(end, passport.zone) or settled, settled)

    @property
    def _span(self) -> timedelta:
        return Timeframe(self.key.timeframe).delta or _MONTH


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else min(one, other)


def _stamped(
    key: Key, bars: pd.DataFrame, passport: Passport, repairs: tuple[str, ...]
) -> pd.DataFrame:
    return stamp(
        bars,
        symbol=key.symbol,
        source=key.source,
        timeframe=key.timeframe,
        feed=key.feed,
        adjustment=key.adjustment,
        calendar=passport.calendar,
        fetched_at=passport.fetched_at,
        repairs=repairs,
        synthetic=passport.synthetic,
        zone=passport.zone,
    )
