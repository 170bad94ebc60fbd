"""Bars from Yahoo Finance: free, unofficial, a fallback.

Nothing that Yahoo got wrong is repaired: rows without prices are left out and named in the
passport's `repairs`, like moves that look like a missed split or a 100x error. A last bar that is
not yet complete is left out.
"""

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from brokers.clock import Clock, SystemClock
from brokers.errors import ConfigError
from brokers.wire.backoff import Backoff
from feeds import vendor
from feeds.bars import COLUMNS
from feeds.cache import Key
from feeds.passport import stamp
from feeds.ranges import Bound, between
from feeds.timeframe import Timeframe
from feeds.yahoo_client import Answer, Asked, AskedSector, ask, ask_sector, no_bars

_PRICES = list(COLUMNS[:4])
_BACKOFF = Backoff(first_s=5.0, cap_s=60.0, deadline_s=180.0)
_NAMED = 5  # times in one note
_JUMP = 1.8  # a missed split of 2 for 1, less an ordinary day's move


def history(  # noqa: PLR0913  options are parameters by name
    symbols: Sequence[str],
    start: Bound,
    end: Bound,
    timeframe: Timeframe,
    *,
    session: Any = None,
    adjustment: str = "total",
    calendar: str | None = "auto",
    cache: Path | str | None = None,
    timeout_s: float = 10.0,
    clock: Clock | None = None,
    backoff: Backoff = _BACKOFF,
    rng: random.Random | None = None,
) -> dict[str, pd.DataFrame]:
    """Fetch checked bars by symbol, from `start` up to but not including `end`.

    Args:
        session: a curl_cffi session; None lets yfinance make its own, as it advises.
        adjustment: "total" (splits and dividends) or "split"; intraday bars are always split.
        calendar: a name of exchange_calendars, or None; "auto" is XNYS for shares and ETFs in
            New York's time zone and none for others.
        cache: folder of bars already fetched; None asks for all of them.
        timeout_s: of one request.

    Raises:
        ConfigError: no symbol, an unknown adjustment or calendar, an unfit session.
        DataError: unknown symbol, no bars, no network, a rate limit that outlasted the back-off.
    """
    vendor.require(symbols, "yahoo")
    clock, rng = clock or SystemClock(), rng or random.Random()  # noqa: S311  jitter
    patience = vendor.Patience("yahoo", backoff, clock, rng)
    series = _Series(timeframe, adjustment, calendar, session, timeout_s, patience)
    return {symbol: series.bars(symbol, start, end, cache) for symbol in symbols}


def sector(
    symbol: str,
    *,
    session: Any = None,
    clock: Clock | None = None,
    backoff: Backoff = _BACKOFF,
    rng: random.Random | None = None,
) -> str:
    """Yahoo's name of a symbol's sector, such as Healthcare; empty for what has none.

    Args:
        session: as in `history`.

    Raises:
        UnknownSymbol: Yahoo knows no such symbol.
        DataError: no network, or a rate limit that outlasted the back-off.
    """
    rng = rng or random.Random()  # noqa: S311  jitter
    patience = vendor.Patience("yahoo", backoff, clock or SystemClock(), rng)
    return patience.insist(functools.partial(ask_sector, AskedSector(symbol), session))


@dataclass(frozen=True)
class _Series:
    """What the series of one call have in common."""

    timeframe: Timeframe
    asked_adjustment: str
    calendar: str | None
    session: Any
    timeout_s: float
    patience: vendor.Patience

    def __post_init__(self) -> None:
        if self.asked_adjustment not in ("total", "split"):
            raise ConfigError(
                f"yahoo: adjustment {self.asked_adjustment!r}: use 'total' or 'split'; Yahoo's "
                "prices are always adjusted for splits, so there are no unadjusted ones"
            )

    @property
    def adjustment(self) -> str:
        """Yahoo knows no dividends in intraday bars."""
        return "split" if self.timeframe.is_intraday else self.asked_adjustment

    def bars(self, symbol: str, start: Bound, end: Bound, cache: Path | str | None) -> pd.DataFrame:
        def fetch(first: Bound, after: Bound) -> pd.DataFrame:
            asked = Asked(symbol, first, after, self.timeframe)
            attempt = functools.partial(ask, asked, self.session, self.timeout_s)
            return self._checked(asked, self.patience.insist(attempt))

        key = Key("yahoo", symbol, self.timeframe.text, self.adjustment)
        return vendor.kept(cache, key, (start, end), self.patience.clock, fetch)

    def _checked(self, asked: Asked, answer: Answer) -> pd.DataFrame:
        now, zone, calendar = self.patience.clock.now(), answer.zone, self.calendar
        if calendar == "auto":
            is_listed = zone == "America/New_York" and answer.kind in ("EQUITY", "ETF")
            calendar = "XNYS" if is_listed else None
        # Yahoo may append the latest price to any range.
        asked_for = between(answer.frame, asked.start, asked.after, zone)
        bars, repairs = _priced(asked_for, self.adjustment)
        bars = vendor.finished(bars, self.timeframe, calendar, now)
        if bars.empty:
            raise no_bars(asked, *repairs)
        return stamp(
            bars,
            symbol=asked.symbol,
            source="yahoo",
            timeframe=self.timeframe,
            adjustment=self.adjustment,
            calendar=calendar,
            zone=zone,
            fetched_at=now,
            repairs=(*repairs, *_jumps(bars)),
        )


def _priced(frame: pd.DataFrame, adjustment: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The five columns, adjusted, without the rows that have no price."""
    raw = frame.rename(columns=str.lower)
    bars = raw[_PRICES].astype("float64")
    if adjustment == "total":
        bars = bars.mul(raw["adj close"] / raw["close"], axis=0)
    bars["volume"] = raw["volume"].astype("float64")
    is_priced = (bars[_PRICES] > 0).all(axis=1)
    lost = pd.DatetimeIndex(bars.index[~is_priced])
    text = f"left out {len(lost)} bar(s) without a price: {_named(lost)}"
    return bars[is_priced], (text,) if len(lost) else ()


def _jumps(bars: pd.DataFrame) -> tuple[str, ...]:
    """Name closes that moved like a missed split or a 100x error; nothing is changed."""
    ratio = bars["close"] / bars["close"].shift()
    at = pd.DatetimeIndex(bars.index[(ratio >= _JUMP) | (ratio <= 1 / _JUMP)])
    if at.empty:
        return ()
    moved = ratio[at[0]]
    return (
        f"NOT repaired: {len(at)} close(s) moved like a missed split or a 100x error, the first "
        f"times {moved:.4g}: {_named(at)}",
    )


def _named(times: pd.DatetimeIndex) -> str:
    shown = ", ".join(times[:_NAMED].strftime("%Y-%m-%d %H:%M"))
    return shown if len(times) <= _NAMED else f"{shown} and {len(times) - _NAMED} more"
