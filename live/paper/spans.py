"""Timeframes in Alpaca's words, and bars gathered into longer ones."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Self

from brokers.errors import ConfigError
from brokers.wire.transport import VenueBar
from feeds.timeframe import Timeframe
from live.paper.alpaca_json import NEW_YORK

_SPELLING = re.compile(r"^([1-9]\d?)(Min|T|Hour|H|Day|D|Week|W|Month|M)$")
_MOST = {"Min": 59, "Hour": 23, "Day": 1, "Week": 1, "Month": 12}
_LONG = {"T": "Min", "H": "Hour", "D": "Day", "W": "Week", "M": "Month"}
_MONTHS = (1, 2, 3, 4, 6, 12)


@dataclass(frozen=True, slots=True)
class Span:
    """A timeframe in Alpaca's words: 1-59Min, 1-23Hour, 1Day, 1Week, 1, 2, 3, 4, 6 or 12Month."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read such as ``5Min``.

        Raises:
            ConfigError: it is none of these.
        """
        found = _SPELLING.match(text)
        unit = _LONG.get(found[2], found[2]) if found else ""
        count = int(found[1]) if found else 0
        if not found or count > _MOST[unit] or (unit == "Month" and count not in _MONTHS):
            raise ConfigError(f"invalid timeframe: {text}")
        return cls(count, unit)

    @classmethod
    def of(cls, timeframe: Timeframe) -> Self:
        """One of our timeframes in these words."""
        count, unit = re.fullmatch(r"(\d+)(\D+)", timeframe.text).groups()  # type: ignore[union-attr]
        words = {"m": "Min", "h": "Hour", "d": "Day", "w": "Week", "mo": "Month"}
        return cls(int(count), words[unit])

    @property
    def width(self) -> timedelta:
        """About how long it is; months have 28 days."""
        days = {"Day": 1, "Week": 7, "Month": 28}.get(self.unit)
        if days:
            return timedelta(days=days * self.count)
        return timedelta(minutes=self.count * (60 if self.unit == "Hour" else 1))

    def start(self, at: datetime) -> datetime:
        """The start, in UTC, of the span that an instant lies in; days and longer are New York's.

        Midnight UTC is how vendors write a date without a time: it stands for that date.
        """
        if self.unit in ("Min", "Hour"):
            width_s = int(self.width.total_seconds())
            return datetime.fromtimestamp(int(at.timestamp()) // width_s * width_s, UTC)
        is_date = at.astimezone(UTC).time() == datetime.min.time()
        local = at.astimezone(UTC if is_date else NEW_YORK)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=NEW_YORK)
        if self.unit == "Week":
            day -= timedelta(days=day.weekday())
        if self.unit == "Month":
            day = day.replace(month=(day.month - 1) // self.count * self.count + 1, day=1)
        return day.astimezone(UTC)


def gathered(bars: Sequence[VenueBar], own: Span, span: Span) -> list[VenueBar]:
    """Put bars of one symbol and of span `own` together into `span`; none when `own` is longer."""
    if span == own:
        return list(bars)
    return [] if span.width < own.width else list(_gathered(bars, span))


def _gathered(bars: Sequence[VenueBar], span: Span) -> Iterator[VenueBar]:
    for start, group in groupby(bars, lambda bar: span.start(bar.start_at)):
        parts = list(group)
        yield replace(
            parts[0],
            start_at=start,
            high=max(bar.high for bar in parts),
            low=min(bar.low for bar in parts),
            close=parts[-1].close,
            volume=sum(bar.volume for bar in parts),
        )
