"""A local server that speaks Polygon's REST, and how the tests ask it."""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from brokers.clock import ManualClock
from feeds.polygon import Polygon
from tests.feeds.servers import Loopback, Reply, Request


class PolygonServer:
    """Polygon's aggregates, grouped days, splits and ticker details.

    Args:
        bars: aggregates (t, o, h, l, c, v) by symbol.
        page_size: results a page; the next one is named by next_url, on a host of its own.
        grouped: results by ISO date.
        details: results by symbol.
        splits: results; of one page, `page_size`, those from the asked day on.
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
        splits: Sequence[Mapping[str, Any]] = (),
        failures: Sequence[Reply] = (),
        always: Reply | None = None,
    ) -> None:
        self._bars = dict(bars or {})
        self._page_size = page_size
        self._grouped = dict(grouped or {})
        self._details = dict(details or {})
        self._splits = list(splits)
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
        return self._reference(request, parts[-1])

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

    def _reference(self, request: Request, last: str) -> Reply:
        if last == "splits":
            return self._splits_page(request)
        if last in self._details:
            return Reply.of({"status": "OK", "results": self._details[last]})
        return Reply.of({"status": "NOT_FOUND", "message": "Ticker not found."}, 404)

    def _splits_page(self, request: Request) -> Reply:
        first = int(request.query.get("cursor", 0))
        since, until = (request.query.get(f"execution_date.{side}") for side in ("gte", "lte"))
        rows = [
            row
            for row in self._splits
            if (since or "") <= row["execution_date"] <= (until or "9999")
        ]
        after = first + self._page_size
        reply: dict[str, Any] = {"status": "OK", "results": rows[first:after]}
        if after < len(rows):
            reply["next_url"] = f"https://api.polygon.io{request.path}?cursor={after}"
        return Reply.of(reply)


def aggregate(time: str, *ohlcv: float, zone: str = "America/New_York") -> dict[str, Any]:
    """One of Polygon's results: its start in New York, then open, high, low, close, volume."""
    start_ms = int(pd.Timestamp(time, tz=zone).timestamp() * 1000)
    return {"t": start_ms, **dict(zip("ohlcv", ohlcv, strict=True)), "vw": ohlcv[3], "n": 10}


def row_of(symbol: str, close: float, volume: float = 100.0) -> dict[str, Any]:
    """One ticker of a grouped day."""
    return {"T": symbol, "o": close, "h": close + 1, "l": close - 1, "c": close, "v": volume}


KEY = "s3cr3t-key"
NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)

# The clocks in New York go forward on 2024-03-10.
MARCH = [
    aggregate("2024-03-07", 100.0, 104.0, 99.0, 102.0, 1000.0),
    aggregate("2024-03-08", 102.0, 106.0, 101.0, 104.0, 1100.0),
    aggregate("2024-03-11", 104.0, 108.0, 103.0, 106.0, 1200.5),
]


def polygon(loopback: Loopback, clock: ManualClock, **options: Any) -> Polygon:
    """A client of the local server, with known jitter."""
    return Polygon(KEY, base=loopback.url, clock=clock, rng=random.Random(1), **options)


def march(client: Polygon) -> pd.DataFrame:
    """The days of MARCH."""
    return client.aggregates("AAPL", datetime(2024, 3, 7, tzinfo=UTC), None, "1d")
