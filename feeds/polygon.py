"""Bars and company facts from Polygon.io, which is called Massive since October 2025."""

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

import pandas as pd

from brokers.clock import Clock, SystemClock
from brokers.errors import DataError
from brokers.wire.backoff import Backoff
from feeds import calendars, vendor
from feeds.actions import Action
from feeds.polygon_actions import DATES, action
from feeds.polygon_client import PolygonClient
from feeds.polygon_series import CALENDAR, COLUMNS, Series, table
from feeds.ranges import Bound
from feeds.timeframe import Timeframe

_BACKOFF = Backoff(first_s=15.0, cap_s=60.0, deadline_s=180.0)


def history(  # noqa: PLR0913  options are parameters by name
    symbols: Sequence[str],
    start: Bound,
    end: Bound,
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
        start: Bound,
        end: Bound,
        timeframe: Timeframe | str,
        *,
        adjusted: bool = True,
        regular_hours: bool = True,
        cache: Path | str | None = None,
    ) -> pd.DataFrame:
        """Fetch the checked bars of one symbol, all pages; not a last one that still moves.

        Args:
            start: a date is its midnight in New York; None is the oldest bar.
            end: exclusive, likewise; None is now.
            regular_hours: of a share's intraday bars keep those between open and close; hours
                then count from the open, 09:30, and are made of half-hours.
        """
        series = Series(symbol, Timeframe.parse(timeframe), adjusted, regular_hours)

        def fetch(first: Bound, after: Bound) -> pd.DataFrame:
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
        dates = calendars.sessions(CALENDAR, day, day)
        if dates.empty:
            raise DataError(f"polygon: {day} is no session of {CALENDAR}: choose a trading day")
        if calendars.session_close(CALENDAR, dates)[0] > pd.Timestamp(self._clock.now()):
            raise DataError(f"polygon: the session of {day} is not over: ask after its close")
        rows = self._client.grouped(day, adjusted=adjusted)
        if not rows:
            raise DataError(f"polygon: no bars of {day}: the plan may not reach that day")
        columns = {**COLUMNS, "vw": "vwap", "n": "trades"}
        market = table(rows, ["T", *columns]).set_index("T").rename(columns=columns)
        return market.rename_axis("symbol").astype("float64")

    def actions(self, first: date, last: date) -> tuple[Action, ...]:
        """Fetch splits and dividends of the market with ex-dates from `first` to `last`, included.

        Dividends are as they were paid, whatever splits came later.

        Raises:
            DataError: the answer cannot be read, or it is not in the plan.
        """
        return tuple(
            action(kind, row) for kind in DATES for row in self._client.actions(kind, first, last)
        )

    def splits(self, first: date, last: date) -> pd.DataFrame:
        """Fetch the splits of the whole market that took effect from `first` to `last`.

        Returns:
            Columns `symbol`, `day` (naive) and `ratio`, new shares for an old one.
        """
        rows = self._client.actions("splits", first, last)
        names = ["ticker", "execution_date", "split_from", "split_to"]
        told = table(rows, names).astype({"split_from": "float64", "split_to": "float64"})
        return pd.DataFrame(
            {
                "symbol": told["ticker"].astype(str),
                "day": pd.to_datetime(told["execution_date"]),
                "ratio": told["split_to"] / told["split_from"],
            }
        )

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
