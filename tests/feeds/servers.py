"""Local servers that speak what Yahoo and Polygon speak, on the loopback interface."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
from curl_cffi import requests

DAY_S = 86_400


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What it is told; `hangs` leaves it waiting until the server closes."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False

    @classmethod
    def of(cls, content: object, status: int = 200, **headers: str) -> Self:
        """A JSON body; headers are given as Retry_After="7"."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(content), named)


HANG = Reply(hangs=True)


class Loopback:
    """A threaded HTTP server on a free port, which notes what it was asked.

    Args:
        answer: what it replies; called in the server's threads.
    """

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.requests: list[Request] = []
        self._answer = answer
        self._closing = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                request = Request(parts.path, dict(parse_qsl(parts.query)), dict(self.headers))
                server.requests.append(request)
                reply = server._answer(request)
                if reply.hangs:
                    server._closing.wait()
                    return
                body = reply.body.encode()
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args: object) -> None:
                """Keep the tests' output clean."""

        return Handler


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
    look-up that precedes them is answered in any case, since yfinance remembers it.
    """

    def __init__(
        self,
        charts: Mapping[str, Chart] | None = None,
        failures: Sequence[Reply] = (),
        always: Reply | None = None,
    ) -> None:
        self._charts = dict(charts or {})
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
            return Reply.of({"quoteSummary": {"result": None, "error": "Not Found"}}, 404)
        return Reply(404, "no such page")


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


class PolygonServer:
    """Polygon's aggregates, grouped days and ticker details.

    Args:
        bars: aggregates (t, o, h, l, c, v) by symbol.
        page_size: results a page; the next one is named by next_url, on a host of its own.
        grouped: results by ISO date.
        details: results by symbol.
        failures: answers to the first requests, in turn.
        always: the answer to every request.
    """

    def __init__(
        self,
        bars: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        *,
        page_size: int = 1000,
        grouped: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        details: Mapping[str, Mapping[str, Any]] | None = None,
        failures: Sequence[Reply] = (),
        always: Reply | None = None,
    ) -> None:
        self._bars = dict(bars or {})
        self._page_size = page_size
        self._grouped = dict(grouped or {})
        self._details = dict(details or {})
        self._failures = deque(failures)
        self._always = always

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        if self._failures:
            return self._failures.popleft()
        if self._always:
            return self._always
        parts = request.path.strip("/").split("/")
        if parts[:3] == ["v2", "aggs", "grouped"]:
            return Reply.of({"status": "OK", "results": self._grouped.get(parts[-1], [])})
        if parts[:3] == ["v2", "aggs", "ticker"]:
            return self._page(request, parts[3])
        if parts[-1] in self._details:
            return Reply.of({"status": "OK", "results": self._details[parts[-1]]})
        return Reply.of({"status": "NOT_FOUND", "message": "Ticker not found."}, 404)

    def _page(self, request: Request, symbol: str) -> Reply:
        first = int(request.query.get("cursor", 0))
        after = first + self._page_size
        rows = self._bars.get(symbol, [])
        reply: dict[str, Any] = {"ticker": symbol, "status": "OK", "queryCount": len(rows)}
        if rows:
            reply["results"] = rows[first:after]
        if after < len(rows):
            reply["next_url"] = f"https://api.polygon.io{request.path}?cursor={after}&limit=50000"
        return Reply.of(reply)


def aggregate(time: str, *ohlcv: float, zone: str = "America/New_York") -> dict[str, Any]:
    """One of Polygon's results: its start in New York, then open, high, low, close, volume."""
    start_ms = int(pd.Timestamp(time, tz=zone).timestamp() * 1000)
    return {"t": start_ms, **dict(zip("ohlcv", ohlcv, strict=True)), "vw": ohlcv[3], "n": 10}
