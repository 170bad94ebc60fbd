"""Alpaca's market data in memory: history, the stream, and a clock that jumps when all wait."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from pydantic import SecretStr

from brokers.clock import ManualClock, SystemClock
from brokers.wire.alpaca_access import AlpacaKeys
from brokers.wire.http import Response
from tests.feeds.servers import Reply, Request

KEYS = AlpacaKeys(SecretStr("PK-the-key"), SecretStr("the-secret"))
HANG = object()

Row = Mapping[str, Any]


def row(time: str, *ohlcv: float, zone: str = "America/New_York") -> Row:
    """One of Alpaca's bars: its start in New York, then open, high, low, close, volume."""
    start = pd.Timestamp(time, tz=zone).tz_convert("UTC")
    values = dict(zip("ohlcv", ohlcv or (100.0, 104.0, 99.0, 102.0, 1000.0), strict=True))
    return {"t": start.strftime("%Y-%m-%dT%H:%M:%SZ"), **values, "n": 10, "vw": 101.0}


# The clocks in New York go forward on 2024-03-10.
MARCH = [
    row("2024-03-07", 100.0, 104.0, 99.0, 102.0, 1000.0),
    row("2024-03-08", 102.0, 106.0, 101.0, 104.0, 1100.0),
    row("2024-03-11", 104.0, 108.0, 103.0, 106.0, 1200.5),
]


class AlpacaServer:
    """GET /v2/stocks/bars, paged symbol by symbol.

    Args:
        bars: by symbol, in order; may be added to later.
        page_size: bars a page.
        failures: answers to the first requests, in turn; an exception is raised.
        always: the answer to every request.
    """

    def __init__(
        self,
        bars: Mapping[str, Sequence[Row]] | None = None,
        *,
        page_size: int = 10_000,
        failures: Sequence[Reply | Exception] = (),
        always: Reply | None = None,
    ) -> None:
        self.bars = {symbol: list(rows) for symbol, rows in (bars or {}).items()}
        self.queries: list[Mapping[str, str]] = []
        self._page_size = page_size
        self._failures = deque(failures)
        self._always = always

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        self.queries.append(dict(request.query))
        if self._failures:
            failure = self._failures.popleft()
            if isinstance(failure, Exception):
                raise failure
            return failure
        return self._always or Reply.of(self._page(request.query))

    def _page(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        start, end = (datetime.fromisoformat(query[side]) for side in ("start", "end"))
        asked = [
            (symbol, one)
            for symbol in query["symbols"].split(",")
            for one in self.bars.get(symbol, ())
            if start <= datetime.fromisoformat(one["t"]) <= end
        ]
        first = int(query.get("page_token", 0))
        after = first + self._page_size
        bars: dict[str, list[Row]] = {}
        for symbol, one in asked[first:after]:
            bars.setdefault(symbol, []).append(one)
        return {"bars": bars, "next_page_token": str(after) if after < len(asked) else None}


class PinnedClock(SystemClock):
    """The machine's clock set to one instant: real sockets need real time-outs."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """The instant that was said."""
        return self._at


class PatientClock(ManualClock):
    """Moves on to the next timer once everybody waits."""

    def __init__(self, start_at: datetime) -> None:
        super().__init__(start_at)
        self._timers: list[float] = []

    async def wait(self, wait_s: float) -> None:
        """Wait until this timer is the first of all, and the loop has nothing else to do."""
        due = self.monotonic() + wait_s
        self._timers.append(due)
        try:
            while self.monotonic() < due:
                for _ in range(30):
                    await asyncio.sleep(0)
                if due == min(self._timers):
                    self.sleep(due - self.monotonic())
        finally:
            self._timers.remove(due)


class MemorySocket:
    """One connection that follows a script.

    Args:
        script: what it brings: a message (sent as a frame of one), a list (sent as it is), a str
            or bytes (sent raw), an exception, a float (seconds of silence) or HANG.
    """

    def __init__(self, script: Sequence[Any], clock: ManualClock) -> None:
        self.sent: list[Any] = []
        self._script = deque(script)
        self._clock = clock

    async def send(self, frame: bytes | str) -> None:
        self.sent.append(json.loads(frame))

    def __aiter__(self) -> AsyncIterator[bytes | str]:
        return self

    async def __anext__(self) -> bytes | str:
        while True:
            step = self._script[0] if self._script else HANG
            if step is HANG:
                await asyncio.Event().wait()
            self._script.popleft()
            if isinstance(step, float):
                await self._clock.wait(step)
            elif isinstance(step, Exception):
                raise step
            elif isinstance(step, (str, bytes)):
                return step
            else:
                return json.dumps(step if isinstance(step, list) else [step])


class MemoryHttp:
    """One far side: a server of history, and connections one after the other.

    Args:
        connections: a script each; an exception refuses the connection; the last one is repeated.
    """

    def __init__(
        self, clock: ManualClock, server: AlpacaServer, connections: Sequence[Any] = ()
    ) -> None:
        self.opened: list[tuple[str, float]] = []
        self.sockets: list[MemorySocket] = []
        self.closed = 0
        self._clock = clock
        self._server = server
        self._connections = deque(connections)

    async def request(
        self, method: str, path: str, *, params: Any = None, json: Any = None, timeout_s: float
    ) -> Response:
        reply = self._server(Request(path, params or {}, {}))
        headers = {name.lower(): text for name, text in reply.headers.items()}
        return Response(reply.status, headers, reply.body.encode())

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Any = None, *, quiet_s: float = 10.0
    ) -> AsyncIterator[MemorySocket]:
        self.opened.append((path, self._clock.monotonic()))
        more = len(self._connections) > 1
        script = self._connections.popleft() if more else self._connections[0]
        if isinstance(script, Exception):
            raise script
        self.sockets.append(MemorySocket(script, self._clock))
        yield self.sockets[-1]

    async def close(self) -> None:
        self.closed += 1


def greeting(*symbols: str) -> list[Any]:
    """What the stream says until the bars come."""
    return [
        {"T": "success", "msg": "connected"},
        {"T": "success", "msg": "authenticated"},
        {"T": "subscription", "bars": symbols, "updatedBars": symbols, "statuses": symbols},
    ]


def live(symbol: str, time: str, close: float = 102.0, kind: str = "b") -> Row:
    """A bar of the stream."""
    return {"T": kind, "S": symbol, **row(time, 100.0, 104.0, 99.0, close, 1000.0)}


def at_new_york(time: str) -> datetime:
    """The instant of a local time."""
    return pd.Timestamp(time, tz="America/New_York").to_pydatetime().astimezone(UTC)
