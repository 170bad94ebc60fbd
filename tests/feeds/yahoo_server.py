"""A local server that speaks Yahoo's charts, and how the tests ask it."""

import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
from curl_cffi import requests

from brokers.clock import ManualClock
from feeds import history
from tests.feeds.servers import Loopback, Reply, Request


class LoopbackSession(requests.Session):
    """A curl_cffi session that asks a local server whatever host was meant."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def request(self, method: Any, url: str, **options: Any) -> Any:
        """Keep path and query, replace scheme and host."""
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return super().request(method, f"{self._base}{parts.path}{query}", **options)


@dataclass(frozen=True)
class Chart:
    """Yahoo's bars of one symbol.

    Args:
        bars: (time in the exchange's zone, open, high, low, close, adjusted close, volume); None
            where Yahoo has no number. Prices are adjusted for splits, as Yahoo's always are.
        splits: (date, numerator, denominator).
        dividends: (date, amount).
    """

    bars: Sequence[tuple[Any, ...]]
    zone: str = "America/New_York"
    exchange: str = "NMS"
    kind: str = "EQUITY"
    splits: Sequence[tuple[str, int, int]] = ()
    dividends: Sequence[tuple[str, float]] = ()

    def seconds(self, time: str) -> int:
        """Unix time of a wall-clock time at the exchange."""
        return int(pd.Timestamp(time, tz=self.zone).timestamp())


class YahooServer:
    """Yahoo's chart endpoint and the cookie pages that yfinance asks first.

    `failures` answer the first requests for bars in turn, `always` all of them; the time zone
    look-up that precedes them is answered in any case, since yfinance remembers it. `profiles` are
    what it says of companies and funds, by symbol: sector and kind, such as EQUITY.
    """

    def __init__(
        self,
        charts: Mapping[str, Chart] | None = None,
        failures: Sequence[Reply] = (),
        always: Reply | None = None,
        profiles: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        self._charts = dict(charts or {})
        self._profiles = dict(profiles or {})
        self._failures = deque(failures)
        self._always = always

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        if not request.path.startswith("/v8/finance/chart/"):
            return self._page(request)
        if "period1" in request.query and self._failures:
            return self._failures.popleft()
        if "period1" in request.query and self._always:
            return self._always
        symbol = request.path.rsplit("/", 1)[-1]
        if symbol not in self._charts:
            fault = {
                "code": "Not Found",
                "description": "No data found, symbol may be delisted",
            }
            return Reply.of({"chart": {"result": None, "error": fault}}, 404)
        return Reply.of(_chart(symbol, self._charts[symbol], request.query))

    def _page(self, request: Request) -> Reply:
        if request.path.endswith("getcrumb"):
            return Reply(body="crumb")
        if "quoteSummary" in request.path:
            return self._profile(request.path.rpartition("/")[2])
        if request.path.endswith("/v7/finance/quote"):
            return Reply.of({"quoteResponse": {"result": [], "error": None}})
        if "fundamentals-timeseries" in request.path:
            return Reply.of({"timeseries": {"result": [], "error": None}})
        return Reply(404, "no such page")

    def _profile(self, symbol: str) -> Reply:
        if self._always:
            return self._always
        if symbol not in self._profiles:
            return Reply.of({"quoteSummary": {"result": None, "error": "Not Found"}}, 404)
        sector, kind = self._profiles[symbol]
        told = {
            "assetProfile": {"sector": sector} if sector else {},
            "quoteType": {"quoteType": kind, "symbol": symbol},
        }
        return Reply.of({"quoteSummary": {"result": [told], "error": None}})


def yahoo_refusal(status: int, description: str) -> Reply:
    """A chart answer in which Yahoo explains itself."""
    fault = {"code": "Unprocessable Entity", "description": description}
    return Reply.of({"chart": {"result": None, "error": fault}}, status)


def _chart(symbol: str, chart: Chart, query: Mapping[str, str]) -> dict[str, Any]:
    since, before = int(query.get("period1", 0)), int(query.get("period2", 2**40))
    rows = [row for row in chart.bars if since <= chart.seconds(row[0]) < before]
    intraday = query["interval"][-1] in "mh"
    result: dict[str, Any] = {
        "meta": _meta(symbol, chart, query, [row[0] for row in rows] if intraday else None),
        "indicators": {"quote": [{}], "adjclose": [{}]},
    }
    if rows:
        names = ("open", "high", "low", "close")
        quote = {name: [row[place] for row in rows] for place, name in enumerate(names, start=1)}
        quote["volume"] = [row[6] for row in rows]
        result["timestamp"] = [chart.seconds(row[0]) for row in rows]
        result["indicators"] = {"quote": [quote]}
        if not intraday:
            result["indicators"]["adjclose"] = [{"adjclose": [row[5] for row in rows]}]
        result["events"] = _events(chart)
    return {"chart": {"result": [result], "error": None}}


def _meta(
    symbol: str, chart: Chart, query: Mapping[str, str], times: Sequence[str] | None
) -> dict[str, Any]:
    now = chart.seconds("2024-01-02")
    period = {"timezone": "EST", "start": now, "end": now + 23_400, "gmtoffset": -18_000}
    meta: dict[str, Any] = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": chart.exchange,
        "instrumentType": chart.kind,
        "firstTradeDate": chart.seconds("1990-01-02"),
        "regularMarketTime": now,
        "gmtoffset": -18_000,
        "timezone": "EST",
        "exchangeTimezoneName": chart.zone,
        "priceHint": 2,
        "currentTradingPeriod": {name: dict(period) for name in ("pre", "regular", "post")},
        "dataGranularity": query["interval"],
        "range": query.get("range", ""),
        "validRanges": ["1d", "5d", "1mo", "3mo", "1y", "max"],
    }
    if times is not None:
        days = sorted({time[:10] for time in times})
        meta["tradingPeriods"] = [
            [
                period
                | {
                    "start": chart.seconds(f"{day} 09:30"),
                    "end": chart.seconds(f"{day} 16:00"),
                }
            ]
            for day in days
        ]
    return meta


def _events(chart: Chart) -> dict[str, Any]:
    splits = {
        str(chart.seconds(f"{day} 09:30")): {
            "date": chart.seconds(f"{day} 09:30"),
            "numerator": numerator,
            "denominator": denominator,
            "splitRatio": f"{numerator}:{denominator}",
        }
        for day, numerator, denominator in chart.splits
    }
    dividends = {
        str(chart.seconds(f"{day} 09:30")): {
            "date": chart.seconds(f"{day} 09:30"),
            "amount": amount,
        }
        for day, amount in chart.dividends
    }
    return {"splits": splits, "dividends": dividends}


NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)

# The clocks in New York go forward on 2024-03-10.
MARCH = Chart(
    [
        ("2024-03-07", 100.0, 104.0, 99.0, 102.0, 51.0, 1000),
        ("2024-03-08", 102.0, 106.0, 101.0, 104.0, 52.0, 1100),
        ("2024-03-11", 52.5, 54.0, 52.0, 53.0, 53.0, 1200),
        ("2024-03-12", 53.0, 55.0, 52.5, 54.0, 54.0, 1300),
    ],
    dividends=[("2024-03-11", 52.0)],
)


@contextmanager
def serving(server: YahooServer) -> Iterator[tuple[Loopback, LoopbackSession]]:
    with Loopback(server) as loopback, LoopbackSession(loopback.url) as session:
        yield loopback, session


def fetch(
    server: YahooServer, symbols: str = "AAPL", *range_: str | None, **options: Any
) -> dict[str, pd.DataFrame]:
    start, end, timeframe = (*range_, *("2024-03-07", "2024-03-12", "1d")[len(range_) :])
    options = {"clock": ManualClock(NOW), "rng": random.Random(1), **options}
    with serving(server) as (_, session):
        return history("yahoo", symbols, start, end, timeframe or "1d", session=session, **options)
