"""A paper venue in memory, spoken to in Alpaca's words; no sockets, virtual time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack

from brokers.clock import ManualClock
from brokers.wire.http import Response, Socket
from brokers.wire.http_asgi import Asgi
from live.paper.account import AlpacaRules, Rules
from live.paper.alpaca_api import AlpacaApi, Terms
from live.paper.alpaca_gate import Keys
from live.paper.alpaca_trading import Announcement
from live.paper.faults import Fault, Plan
from live.paper.market import Market
from live.paper.matching import Matching
from live.paper.venue import Venue
from tests.live.conformance.small_venue import KEY, SECRET, WARM_UP, frames

HEADERS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
BUY = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
PACKED = {"Content-Type": "application/msgpack"}


class Front:
    """One venue, ten minutes into the day, and a client of it."""

    def __init__(
        self,
        *faults: Fault,
        rules: Rules | None = None,
        terms: Terms | None = None,
        environment: str = "paper",
        spare_breaker: bool = True,
        announcements: tuple[Announcement, ...] = (),
    ) -> None:
        market = Market(frames(), calendar="XNYS")
        for _ in range(WARM_UP):
            market.advance()
        self.clock = ManualClock(market.at)
        matching = Matching(market.symbols, rules or AlpacaRules(hours=market.hours))
        plan = Plan("test", faults, spare_breaker)
        self.venue = Venue(matching, market, self.clock, plan=plan)
        keys = Keys(KEY, SECRET, environment)
        terms = terms or Terms(calls_per_minute=0)
        self.api = AlpacaApi(self.venue, keys, self.clock, terms, announcements)

    def run(self, scenario: Callable[["Client"], Awaitable[None]]) -> None:
        """Run one conversation."""

        async def talk() -> None:
            client = Client(self)
            try:
                await asyncio.wait_for(scenario(client), 10)
            finally:
                await client.http.close()

        asyncio.run(talk())

    def call(self, method: str, path: str, body: object = None, **params: str) -> tuple[int, Any]:
        """Make one call; its status and what its body holds."""
        response = self.response(method, path, body, **params)
        return response.status, json.loads(response.body) if response.body else None

    def response(self, method: str, path: str, body: object = None, **params: str) -> Response:
        """Make one call."""
        found: list[Response] = []

        async def ask(client: "Client") -> None:
            found.append(await client.ask(method, path, body, **params))

        self.run(ask)
        return found[0]

    def submit(self, **words: Any) -> dict[str, Any]:
        """Post an order that is taken."""
        status, order = self.call("POST", "/v2/orders", {**BUY, **words})
        assert status == 200, order
        return order

    def refusal(self, **words: Any) -> tuple[int, str]:
        """Post an order that is refused; status and message."""
        body = {name: value for name, value in {**BUY, **words}.items() if value is not None}
        status, answer = self.call("POST", "/v2/orders", body)
        assert status >= 400, answer
        return status, answer["message"]

    def turn(self) -> None:
        """Match the next minute and send its bars."""

        async def step(client: "Client") -> None:
            await client.turn()

        self.run(step)


class Client:
    """One client of the venue, on a running loop."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.http = Asgi(front.api, clock=_Patient(), headers=HEADERS)

    async def ask(self, method: str, path: str, body: object = None, **params: str) -> Response:
        """Make one call."""
        return await self.http.request(method, path, params=params, json=body, timeout_s=5.0)

    async def turn(self) -> None:
        """Match the next minute and send its bars."""
        step = self.front.venue.market.advance()
        assert step is not None
        await self.front.venue.match(step)
        await self.front.venue.send_bars(step)

    async def listen(self, socket: Socket) -> None:
        """Log in to /stream and ask for updates."""
        data = {"key_id": KEY, "secret_key": SECRET}
        await socket.send(json.dumps({"action": "authenticate", "data": data}))
        await anext(socket)
        streams = {"streams": ["trade_updates"]}
        await socket.send(json.dumps({"action": "listen", "data": streams}))
        await anext(socket)

    async def subscribe(self, socket: Socket, **channels: list[str]) -> Any:
        """Log in to a market data stream and subscribe; the answer."""
        await anext(socket)
        await say(socket, action="auth", key=KEY, secret=SECRET)
        return await say(socket, action="subscribe", **channels)


async def say(socket: Socket, **words: Any) -> Any:
    """Send a message in JSON; what comes back."""
    await socket.send(json.dumps(words))
    return read(await anext(socket))


def read(frame: bytes | str) -> Any:
    """A frame's content, JSON in text or in bytes."""
    return json.loads(frame)


def unpack(frame: bytes | str) -> Any:
    """A frame's content, MessagePack."""
    assert isinstance(frame, bytes)
    return msgpack.unpackb(frame)


class _Patient:
    """A clock in which nothing is ever late: the tests have their own limit."""

    def now(self) -> Any:
        raise NotImplementedError

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, wait_s: float) -> None:
        raise NotImplementedError

    async def wait(self, wait_s: float) -> None:
        await asyncio.Event().wait()

    def until_s(self, at: Any) -> float:
        raise NotImplementedError
