"""Where bars came from and what was done to them, carried by the frame itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

import pandas as pd

from brokers.errors import DataError
from feeds import calendars
from feeds.bars import COLUMNS, check_bars
from feeds.timeframe import Timeframe

KEY = "passport"
NAMED_GAPS = 20
_CHANGED = "changed after it was stamped"


@dataclass(frozen=True)
class Passport:
    """What is known of a bar frame."""

    symbol: str
    source: str  # the feed module, such as files
    timeframe: str
    sha256: str  # of the index and the five columns, see `content_hash`
    feed: str = ""  # which tape or file within the source, such as iex
    adjustment: str = "unknown"  # or none, split, total (splits and dividends)
    calendar: str | None = None  # None: gaps cannot be told
    zone: str | None = None  # of the exchange, such as Asia/Tokyo: where a date begins; None: UTC
    fetched_at: datetime | None = None  # aware UTC; None for what was never fetched
    gaps: tuple[str, ...] = ()  # sessions without a bar, as ISO dates, the first NAMED_GAPS
    gap_count: int = 0  # all sessions without a bar
    missing_bars: int = 0  # intraday bars missing inside sessions that have some
    repairs: tuple[str, ...] = ()
    synthetic: bool = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Passport:
        """Itself: nothing in it can change, and pandas copies a frame's attrs with every column."""
        return self

    @property
    def id(self) -> str:
        """Twelve characters that name the content."""
        return self.sha256[:12]

    def as_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold; `from_dict` reads them back."""
        plain = asdict(self) | {"gaps": list(self.gaps), "repairs": list(self.repairs)}
        plain["fetched_at"] = self.fetched_at and self.fetched_at.isoformat()
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Passport:
        """The passport that `as_dict` wrote."""
        fetched_at = plain["fetched_at"] and datetime.fromisoformat(plain["fetched_at"])
        sequences = {field: tuple(plain[field]) for field in ("gaps", "repairs")}
        return cls(**{**plain, **sequences, "fetched_at": fetched_at})


class Facts(TypedDict, total=False):
    """What a source may know of its bars beside symbol, source and timeframe; see `Passport`."""

    feed: str
    adjustment: str
    calendar: str | None
    zone: str | None
    fetched_at: datetime | None
    repairs: tuple[str, ...]
    synthetic: bool


def stamp(
    frame: pd.DataFrame,
    *,
    symbol: str,
    source: str,
    timeframe: Timeframe | str,
    **facts: Unpack[Facts],
) -> pd.DataFrame:
    """The checked frame with its passport in ``attrs["passport"]``.

    Raises:
        DataError: the frame is no bar frame.
        ConfigError: no such timeframe or calendar.
    """
    bars = check_bars(frame, symbol)
    timeframe, gaps = Timeframe.parse(timeframe), calendars.Gaps()
    if calendar := facts.get("calendar"):
        gaps = calendars.gaps(calendar, pd.DatetimeIndex(bars.index), timeframe)
    bars.attrs[KEY] = Passport(
        symbol=symbol,
        source=source,
        timeframe=timeframe.text,
        sha256=content_hash(bars),
        gaps=gaps.sessions[:NAMED_GAPS],
        gap_count=len(gaps.sessions),
        missing_bars=gaps.bars,
        **facts,
    )
    return bars


def passport_of(bars: pd.DataFrame, name: str = "") -> Passport:
    """The passport of a checked frame, telling the truth about its content.

    A frame without one gets one of source ``frame``, its timeframe inferred; one whose content
    changed after it was stamped says so among its repairs.

    Raises:
        DataError: there is no passport and the timeframe cannot be inferred.
    """
    sha256 = content_hash(bars)
    held = bars.attrs.get(KEY)
    if not isinstance(held, Passport):
        try:
            timeframe = Timeframe.of(pd.DatetimeIndex(bars.index)).text
        except DataError as error:
            raise DataError(f"{name or 'bars'}: {error}") from error
        return Passport(name, "frame", timeframe, sha256)
    if held.sha256 == sha256:
        return held
    repairs = held.repairs if _CHANGED in held.repairs else (*held.repairs, _CHANGED)
    return replace(held, sha256=sha256, repairs=repairs)


def content_hash(bars: pd.DataFrame) -> str:
    """SHA-256 over the index as int64 nanoseconds and each column as float64, little-endian."""
    digest = hashlib.sha256(pd.DatetimeIndex(bars.index).as_unit("ns").asi8.astype("<i8").tobytes())
    for column in COLUMNS:
        digest.update(bars[column].to_numpy().astype("<f8").tobytes())
    return digest.hexdigest()
