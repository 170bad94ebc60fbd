"""A paper venue in memory, spoken to as the Client Portal; no sockets, virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from brokers.clock import ManualClock
from brokers.fills import Commission
from brokers.wire.http import Socket
from brokers.wire.http_asgi import Asgi
from live.paper.faults import Fault, Plan
from live.paper.market import Market
from live.paper.matching import Matching
from live.paper.portal_api import PortalApi, Terms
from live.paper.portal_gate import ROOT
from live.paper.venue import Venue
from tests.fakes import HeldClock
from tests.live.conformance.small_venue import frames

ACCOUNT, AAPL, MSFT = "DU123456", 265598, 265599
ORDERS = f"/iserver/account/{ACCOUNT}/orders"
BUY = {"conid": AAPL, "side": "BUY", "quantity": 10, "orderType": "MKT", "tif": "DAY"}
LIMIT = {
    **BUY,
    "orderType": "LMT",
    "price": 100.5,
}  # near enough to the price not to be asked about
LONGEST_S = 10.0
LEFT = 110  # minutes to come


class Front:
    """One venue, ten minutes into the day, and a client of it that has asked for its accounts."""

    def __init__(
        self,
        *faults: Fault,
        terms: Terms | None = None,
        is_ready: bool = True,
        bars: int = 120,
        calendar: str = "24/7",
    ) -> None:
        market = Market(frames(bars), calendar=calendar)
        for _ in range(bars - LEFT):
            market.advance()
        self.clock = ManualClock(market.at)
        plan = Plan("test", faults)
        self.venue = Venue(
            Matching(market.symbols, commission=Commission(0.001)), market, self.clock, plan=plan
        )
        self.pulse = HeldClock()
        terms = terms or Terms(is_paced=False)
        self.api = PortalApi(self.venue, self.clock, terms, self.pulse)
        if is_ready:
            self.call("GET", "/iserver/accounts")
            self.call("GET", "/portfolio/accounts")

    def run(self, scenario: Callable[["Client"], Awaitable[None]]) -> None:
        """Run one conversation."""

        async def talk() -> None:
            client = Client(self)
            try:
                await asyncio.wait_for(scenario(client), LONGEST_S)
            finally:
                await client.http.close()

        asyncio.run(talk())

    def call(self, method: str, path: str, body: object = None, **params: str) -> tuple[int, Any]:
        """Make one call; its status and what its body holds."""
        found: list[tuple[int, Any]] = []

        async def ask(client: "Client") -> None:
            found.append(await client.ask(method, path, body, **params))

        self.run(ask)
        return found[0]

    def get(self, path: str, **params: str) -> Any:
        """What a call that is answered gives."""
        status, told = self.call("GET", path, **params)
        assert status == 200, told
        return told

    def place(self, *orders: dict[str, Any]) -> list[dict[str, Any]]:
        """Submit orders, and say yes to all that is asked; what is told then."""
        return self.settled(self.call("POST", ORDERS, {"orders": list(orders)}))

    def settled(self, answer: tuple[int, Any]) -> list[dict[str, Any]]:
        """Say yes to all that is asked."""
        status, told = answer
        while status == 200 and isinstance(told, list) and "message" in told[0]:
            status, told = self.call("POST", f"/iserver/reply/{told[0]['id']}", {"confirmed": True})
        assert status == 200, told
        assert isinstance(told, list), told
        return told

    def order(self, order_id: str | int) -> dict[str, Any]:
        """How an order is."""
        return dict(self.get(f"/iserver/account/order/status/{order_id}"))

    def live(self) -> list[dict[str, Any]]:
        """Orders of the day."""
        path = "/iserver/account/orders"
        told = self.get(path)
        return list((told if told["snapshot"] else self.get(path))["orders"])

    def release(self) -> None:
        """Let the venue do what is due."""

        async def wait(_client: "Client") -> None:
            await self.venue.release()

        self.run(wait)

    def turn(self, times: int = 1) -> None:
        """Match the next minutes and send their bars."""

        async def step(client: "Client") -> None:
            await client.turn(times)

        self.run(step)


class Client:
    """One client of the venue, on a running loop."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.http = Asgi(front.api, clock=HeldClock())

    async def ask(
        self, method: str, path: str, body: object = None, **params: str
    ) -> tuple[int, Any]:
        """Make one call."""
        answer = await self.http.request(
            method, f"{ROOT}{path}", params=params, json=body, timeout_s=5.0
        )
        try:
            return answer.status, json.loads(answer.body)
        except ValueError:
            return answer.status, answer.body

    async def place(self, *orders: dict[str, Any]) -> None:
        """Submit orders that nothing is asked about."""
        status, told = await self.ask("POST", ORDERS, {"orders": list(orders)})
        assert (status, "order_id" in told[0]) == (200, True), told

    async def turn(self, times: int = 1) -> None:
        """Match the next minutes and send their bars."""
        for _ in range(times):
            step = self.front.venue.market.advance()
            assert step is not None
            await self.front.venue.match(step)
            await self.front.venue.send_bars(step)

    @asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator["Heard"]:
        """Open the websocket, pass over its greeting and subscribe."""
        async with self.http.stream(f"{ROOT}/ws") as socket:
            heard = Heard(socket)
            await heard.until("sts")
            heard.greeting = heard.before
            for topic in topics:
                await socket.send(topic)
            await socket.send("tic")
            await heard.until("tic")
            yield heard


class Heard:
    """What comes on a websocket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.before: list[dict[str, Any]] = []
        self.greeting: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        """The next message."""
        return dict(json.loads(await anext(self.socket)))

    async def until(self, topic: str) -> dict[str, Any]:
        """The next message of a topic; what comes before is kept in `before`."""
        self.before = []
        while True:
            told = await self.next()
            if told.get("topic") == topic:
                return told
            self.before.append(told)

    async def rows(self, topic: str) -> list[dict[str, Any]]:
        """The rows of the next message of a topic."""
        return list((await self.until(topic))["args"])

    async def all(self) -> list[dict[str, Any]]:
        """All that has come so far."""
        await self.socket.send("tic")
        await self.until("tic")
        return self.before
