"""Bars and company facts from Polygon.io, which is called Massive since October 2025."""

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brokers.clock import Clock, SystemClock
from brokers.errors import DataError
from brokers.wire.backoff import Backoff
from feeds import calendars, vendor
from feeds.cache import Key
from feeds.passport import stamp
from feeds.polygon_client import PolygonClient
from feeds.timeframe import Timeframe

_ZONE = "America/New_York"
_CALENDAR = "XNYS"
_OPENS = pd.Timedelta(hours=9, minutes=30)  # of every session since Polygon's first
_HOUR = pd.Timedelta(hours=1)
_FIRST = pd.Timestamp("2003-09-10", tz=_ZONE)  # its oldest US bar
_SPANS = {
    "1m": (1, "minute"),
    "5m": (5, "minute"),
    "15m": (15, "minute"),
    "30m": (30, "minute"),
    "1h": (1, "hour"),
    "1d": (1, "day"),
    "1w": (1, "week"),
    "1mo": (1, "month"),
}
_COLUMNS = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
_BACKOFF = Backoff(first_s=15.0, cap_s=60.0, deadline_s=180.0)


def history(  # noqa: PLR0913  options are parameters by name
    symbols: Sequence[str],
    start: datetime | None,
    end: datetime | None,
    timeframe: Timeframe,
    *,
    client: "Polygon | None" = None,
    api_key: str | None = None,
    base: str | None = None,
    calls_per_minute: int = 5,
    adjusted: bool = True,
    regular_hours: bool = True,
    cache: Path | str | None = None,
    clock: Clock | None = None,
) -> dict[str, pd.DataFrame]:
    """Fetch checked bars by symbol, from `start` up to but not including `end`.

    Args:
        client: one `Polygon` for several calls, so that they share its limiter; `api_key`,
            `base`, `calls_per_minute` and `clock` are then its own.
        adjusted: for splits; Polygon's bars are never adjusted for dividends.
        regular_hours: see `Polygon.aggregates`.
        cache: folder of bars already fetched; None asks for all of them.

    Raises:
        ConfigError: no symbol, no key, or one that was refused.
        DataError: unknown symbol, no bars, not in the plan, no network, or the back-off gave up.
    """
    vendor.require(symbols, "polygon")
    client = client or Polygon(api_key, base=base, calls_per_minute=calls_per_minute, clock=clock)
    fetch = functools.partial(
        client.aggregates,
        start=start,
        end=end,
        timeframe=timeframe,
        adjusted=adjusted,
        regular_hours=regular_hours,
        cache=cache,
    )
    return {symbol: fetch(symbol) for symbol in symbols}


@dataclass(frozen=True)
class TickerDetails:
    """A company or fund as Polygon describes it; None where it says nothing.

    There is no GICS sector: `sic_code` (four digits, of the SEC) is the nearest.
    """

    ticker: str
    name: str | None = None
    market: str | None = None
    type: str | None = None  # CS for common stock, ETF, ADRC, ...
    active: bool | None = None
    primary_exchange: str | None = None  # its MIC
    currency_name: str | None = None
    cik: str | None = None
    sic_code: str | None = None
    sic_description: str | None = None
    market_cap: float | None = None  # currency units
    list_date: str | None = None  # ISO


class Polygon:
    """Polygon at the pace of a plan; all calls of one object share its limiter.

    Args:
        api_key: without it, POLYGON_API_KEY or else MASSIVE_API_KEY is read, now.
        base: the host, such as https://api.polygon.io; None is https://api.massive.com.
        calls_per_minute: what the plan allows; 5 is the free one.
        timeout_s: of connecting, and of each read.

    Raises:
        ConfigError: no key, or one that cannot be one.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base: str | None = None,
        calls_per_minute: int = 5,
        timeout_s: float = 10.0,
        clock: Clock | None = None,
        backoff: Backoff = _BACKOFF,
        rng: random.Random | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        patience = vendor.Patience(
            "polygon",
            backoff,
            self._clock,
            rng or random.Random(),  # noqa: S311  jitter
        )
        self._client = PolygonClient(api_key, base, calls_per_minute, timeout_s, patience)

    def aggregates(
        self,
        symbol: str,
        start: datetime | None,
        end: datetime | None,
        timeframe: Timeframe | str,
        *,
        adjusted: bool = True,
        regular_hours: bool = True,
        cache: Path | str | None = None,
    ) -> pd.DataFrame:
        """Fetch the checked bars of one symbol, all pages; not a last one that still moves.

        Args:
            start: midnight UTC stands for that date in New York; None is the oldest bar.
            end: exclusive, likewise; None is now.
            regular_hours: of a share's intraday bars keep those between open and close; hours
                then count from the open, 09:30, and are made of half-hours.
        """
        series = _Series(symbol, Timeframe.parse(timeframe), adjusted, regular_hours)

        def fetch(first: datetime | None, after: datetime | None) -> pd.DataFrame:
            return series.fetched(self._client, first, after, self._clock.now())

        return vendor.kept(cache, series.key, (start, end), self._clock, fetch)

    def grouped_daily(self, day: date, *, adjusted: bool = True) -> pd.DataFrame:
        """Fetch one session of the whole US stock market, in one call.

        Returns:
            Index `symbol`; open, high, low, close, volume, vwap and trades as float64, NaN where
            Polygon gives none.

        Raises:
            DataError: the day is no session or not yet over, or there are no bars.
        """
        dates = calendars.sessions(_CALENDAR, day, day)
        if dates.empty:
            raise DataError(f"polygon: {day} is no session of {_CALENDAR}: choose a trading day")
        if calendars.session_close(_CALENDAR, dates)[0] > pd.Timestamp(self._clock.now()):
            raise DataError(f"polygon: the session of {day} is not over: ask after its close")
        rows = self._client.grouped(day, adjusted=adjusted)
        if not rows:
            raise DataError(f"polygon: no bars of {day}: the plan may not reach that day")
        columns = {**_COLUMNS, "vw": "vwap", "n": "trades"}
        market = _frame(rows, ["T", *columns]).set_index("T").rename(columns=columns)
        return market.rename_axis("symbol").astype("float64")

    def ticker_details(self, symbol: str) -> TickerDetails:
        """Fetch what Polygon knows of a company or fund.

        Raises:
            DataError: the symbol is unknown.
        """
        facts = self._client.details(symbol)
        known = {
            field.name: facts[field.name] for field in fields(TickerDetails) if field.name in facts
        }
        return TickerDetails(**{**known, "ticker": symbol})


@dataclass(frozen=True)
class _Series:
    """One symbol's bars of one kind."""

    symbol: str
    timeframe: Timeframe
    adjusted: bool
    regular_hours: bool

    @property
    def key(self) -> Key:
        feed = "sip-all-hours" if self.timeframe.is_intraday and not self._is_sifted else "sip"
        adjustment = "split" if self.adjusted else "none"
        return Key("polygon", self.symbol, self.timeframe.text, adjustment, feed)

    @property
    def _calendar(self) -> str | None:
        return None if ":" in self.symbol else _CALENDAR  # X:BTCUSD and C:EURUSD have no sessions

    @property
    def _is_sifted(self) -> bool:
        return self.timeframe.is_intraday and self.regular_hours and self._calendar is not None

    def fetched(
        self, client: PolygonClient, start: datetime | None, after: datetime | None, now: datetime
    ) -> pd.DataFrame:
        since = vendor.at_exchange(start, _ZONE) or _FIRST
        before = vendor.at_exchange(after, _ZONE) or pd.Timestamp(now)
        bars = vendor.cut(self._asked(client, since, before), since, before, _ZONE)
        if self._is_sifted:
            bars = _in_session(bars, hourly=self.timeframe.text == "1h")
        bars = vendor.finished(bars, self.timeframe, self._calendar, now)
        if bars.empty:
            raise self._no_bars(start, after, since, before)
        return stamp(
            bars,
            symbol=self.symbol,
            source="polygon",
            timeframe=self.timeframe,
            feed=self.key.feed,
            adjustment=self.key.adjustment,
            calendar=self._calendar,
            fetched_at=now,
        )

    def _asked(
        self, client: PolygonClient, since: pd.Timestamp, before: pd.Timestamp
    ) -> pd.DataFrame:
        last = before - pd.Timedelta(milliseconds=1)
        text = "30m" if self._is_sifted and self.timeframe.text == "1h" else self.timeframe.text
        bounds = (
            f"{side.timestamp() * 1000:.0f}" if self.timeframe.is_intraday else f"{side:%Y-%m-%d}"
            for side in (since.tz_convert(_ZONE), last.tz_convert(_ZONE))
        )
        return _bars(client.aggregates(self.symbol, _SPANS[text], *bounds, adjusted=self.adjusted))

    def _no_bars(
        self,
        start: datetime | None,
        after: datetime | None,
        since: pd.Timestamp,
        before: pd.Timestamp,
    ) -> DataError:
        asked = f"polygon: no {self.timeframe} bars of {self.symbol}"
        when = vendor.in_words(start, after)
        if self._calendar is None:
            return DataError(f"{asked} {when}: check the ticker and the range")
        last = before - pd.Timedelta(milliseconds=1)
        count = len(calendars.sessions(_CALENDAR, since.date(), last.tz_convert(_ZONE).date()))
        if not count:
            return DataError(f"{asked} {when}: there is no session in that range: choose another")
        return DataError(
            f"{asked} {when}, which has {count} session(s): check the ticker (case matters; "
            "BRK.B, not BRK-B), or the plan: the free one reaches back two years and has a day "
            "only after its end"
        )


def _bars(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = _frame(rows, ["t", *_COLUMNS])
    try:
        times = pd.to_datetime(frame["t"], unit="ms", utc=True)
    except (TypeError, ValueError) as error:
        raise DataError(f"polygon: a bar's time cannot be read ({error}): fetch again") from error
    return frame[[*_COLUMNS]].rename(columns=_COLUMNS).set_index(pd.DatetimeIndex(times))


def _frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    if not all(isinstance(row, dict) for row in rows):
        raise DataError("polygon: the results are no list of bars: its format may have changed")
    return pd.DataFrame(rows, columns=columns)


def _in_session(bars: pd.DataFrame, *, hourly: bool) -> pd.DataFrame:
    """The bars that begin in a regular session, early closes too; half-hours made hours."""
    starts = pd.DatetimeIndex(bars.index)
    if starts.empty:
        return bars
    days = calendars.session_dates(_CALENDAR, starts)
    sessions = calendars.sessions(_CALENDAR, days[0], days[-1])
    if sessions.empty:
        return bars.iloc[:0]
    opens = (sessions + _OPENS).tz_localize(_ZONE).tz_convert("UTC")
    closes = calendars.session_close(_CALENDAR, sessions)
    row = sessions.get_indexer(days)
    inside = (row >= 0) & (starts >= opens[row]) & (starts < closes[row])
    bars, since = bars[inside], opens[row][inside]
    if not hourly:
        return bars
    hours = since + np.floor((pd.DatetimeIndex(bars.index) - since) / _HOUR) * _HOUR
    return bars.groupby(hours).agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
