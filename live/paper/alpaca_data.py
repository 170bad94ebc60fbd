"""Alpaca's market data calls: bars of the past in pages, and the newest of everything."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from brokers.errors import ConfigError
from brokers.wire.transport import VenueBar
from live.paper import alpaca_json
from live.paper.alpaca_errors import ApiError
from live.paper.alpaca_query import Query
from live.paper.spans import Span, gathered
from live.paper.venue import Venue

FEEDS = ("iex", "sip", "delayed_sip", "otc", "boats", "overnight")
ADJUSTMENTS = ("raw", "split", "dividend", "all", "spin-off")
_RECENT = timedelta(minutes=15)
_MOST = 10_000
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE, _DAY = Span(1, "Min"), Span(1, "Day")

Writer = Callable[[VenueBar, datetime], dict[str, Any]]


class Data:
    """/v2/stocks.

    Args:
        has_sip: the account pays for the consolidated tape; else its last 15 minutes are refused.
    """

    def __init__(self, venue: Venue, *, has_sip: bool = False) -> None:
        self._venue = venue
        self._has_sip = has_sip

    async def bars(self, request: Request) -> Response:
        """GET /v2/stocks/bars: pages of at most `limit` points, one symbol after the other."""
        query = self._query(request)
        adjusted = query.choice("adjustment", ADJUSTMENTS, "raw") in ("split", "all")
        query.day("asof")
        return self._pages(query, "bars", self._span(query), _bar, adjusted=adjusted)

    async def trades(self, request: Request) -> Response:
        """GET /v2/stocks/trades: one at each bar's close."""
        return self._pages(self._query(request), "trades", self._own, alpaca_json.trade)

    async def quotes(self, request: Request) -> Response:
        """GET /v2/stocks/quotes: one at each bar's close."""
        return self._pages(self._query(request), "quotes", self._own, alpaca_json.quote)

    async def latest_bars(self, request: Request) -> Response:
        """GET /v2/stocks/bars/latest."""
        return self._latest(request, "bars", _bar)

    async def latest_trades(self, request: Request) -> Response:
        """GET /v2/stocks/trades/latest."""
        return self._latest(request, "trades", alpaca_json.trade)

    async def latest_quotes(self, request: Request) -> Response:
        """GET /v2/stocks/quotes/latest."""
        return self._latest(request, "quotes", alpaca_json.quote)

    async def snapshots(self, request: Request) -> Response:
        """GET /v2/stocks/snapshots: the symbols are the answer's keys."""
        found: dict[str, Any] = {}
        for symbol in self._symbols(self._query(request)):
            newest = self._venue.market.newest(symbol)
            if newest is None:
                continue
            minutes = self._bars(symbol, _MINUTE)
            days = self._bars(symbol, _DAY)
            found[symbol] = {
                "latestTrade": alpaca_json.trade(newest, self._venue.at),
                "latestQuote": alpaca_json.quote(newest, self._venue.at),
                "minuteBar": _last(minutes, 1),
                "dailyBar": _last(days, 1),
                "prevDailyBar": _last(days, 2),
            }
        return JSONResponse(found)

    @property
    def _own(self) -> Span:
        return Span.of(self._venue.market.timeframe)

    def _query(self, request: Request) -> Query:
        """Read what all calls have in common."""
        query = Query(request.query_params, is_data=True)
        query.choice("feed", FEEDS, "iex")
        query.choice("currency", ("USD",), "USD")
        return query

    def _symbols(self, query: Query) -> list[str]:
        symbols = query.symbols()
        if not symbols:
            raise query.wrong("symbols", "at least one is required")
        return sorted(symbols)

    def _span(self, query: Query) -> Span:
        try:
            return Span.parse(query.text("timeframe"))
        except ConfigError as error:
            raise ApiError(400, None, str(error)) from None

    def _pages(
        self, query: Query, name: str, span: Span, write: Writer, *, adjusted: bool = False
    ) -> Response:
        symbols, limit = self._symbols(query), query.count("limit", 1_000, _MOST)
        start = query.instant("start") or _DAY.start(self._venue.at)
        end = query.instant("end", ends=True) or self._venue.at
        if start > end:
            raise query.wrong("end", "must not be before start")
        is_recent = end > self._venue.at - _RECENT
        if query.text("feed") == "sip" and is_recent and not self._has_sip:
            text = "subscription does not permit querying recent SIP data"
            raise ApiError(403, None, text)
        falls = query.choice("sort", ("asc", "desc"), "asc") == "desc"
        since = min(start, span.start(start))
        found = [
            bar
            for symbol in symbols
            for bar in self._between(
                self._bars(symbol, span, since, adjusted=adjusted), start, end, falls
            )
        ]
        first = _place(query, found)
        page: dict[str, list[dict[str, Any]]] = {}
        for bar in found[first : first + limit]:
            page.setdefault(bar.symbol, []).append(write(bar, bar.start_at))
        after = found[first + limit : first + limit + 1]
        token = _token(after[0]) if after else None
        return JSONResponse({name: page, "next_page_token": token})

    @staticmethod
    def _between(
        bars: list[VenueBar], start: datetime, end: datetime, falls: bool
    ) -> Iterator[VenueBar]:
        found = [bar for bar in bars if start <= bar.start_at <= end]
        return reversed(found) if falls else iter(found)

    def _bars(
        self, symbol: str, span: Span, since: datetime = _FIRST, *, adjusted: bool = False
    ) -> list[VenueBar]:
        bars = self._venue.market.bars(symbol, since, self._venue.at, adjusted=adjusted)
        return gathered(bars, self._own, span)

    def _latest(self, request: Request, name: str, write: Writer) -> Response:
        newest = map(self._venue.market.newest, self._symbols(self._query(request)))
        told = {bar.symbol: write(bar, self._venue.at) for bar in newest if bar is not None}
        return JSONResponse({name: told})


def _bar(bar: VenueBar, _at: datetime) -> dict[str, Any]:
    return alpaca_json.bar(bar)


def _last(bars: list[VenueBar], from_end: int) -> dict[str, Any] | None:
    return alpaca_json.bar(bars[-from_end]) if len(bars) >= from_end else None


def _token(bar: VenueBar) -> str:
    return base64.urlsafe_b64encode(f"{bar.symbol}|{bar.start_at.isoformat()}".encode()).decode()


def _place(query: Query, found: list[VenueBar]) -> int:
    """The row at which a page begins."""
    token = query.text("page_token")
    rows = [row for row, bar in enumerate(found) if token == _token(bar)] if token else [0]
    if not rows:
        raise query.wrong("page_token", "it is none of this question")
    return rows[0]
