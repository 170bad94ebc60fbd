"""The Client Portal's websocket: orders, executions and prices for whoever asked."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from brokers.clock import Clock
from live.paper.channel import Listener
from live.paper.portal_data import Data
from live.paper.portal_orders import Orders
from live.paper.portal_session import PortalSession
from live.paper.portal_words import millis
from live.paper.silence import RESET
from live.paper.ticker import Part
from live.paper.venue import Told, Venue

HEARTBEAT_S = 10.0
_IDENTITY = ("acct", "conid", "orderId", "status")
Words = Mapping[str, Any]
Answer = Callable[[str, str], Awaitable[None]]


class Connection:
    """One websocket, from its opening to its end.

    Args:
        pulse: the time in which heartbeats come.
    """

    def __init__(
        self,
        socket: WebSocket,
        venue: Venue,
        session: PortalSession,
        orders: Orders,
        data: Data,
        pulse: Clock,
    ) -> None:
        self._socket = socket
        self._venue = venue
        self._session = session
        self._orders = orders
        self._data = data
        self._pulse = pulse
        self._told: dict[int, Words] = {}
        self.fields: dict[int, Sequence[str]] = {}
        self.hears_orders = self.hears_trades = False
        self.sent = 0
        self._answers: dict[str, Answer] = {
            "tic": self._tick,
            "sor": self._hear_orders,
            "uor": self._leave_orders,
            "str": self._hear_trades,
            "utr": self._leave_trades,
            "smd": self._hear_prices,
            "umd": self._leave_prices,
        }

    @property
    def hears_updates(self) -> bool:
        """Whether it has asked for orders or executions."""
        return self.hears_orders or self.hears_trades

    async def run(self) -> None:
        """Greet, then answer what the client says.

        Raises:
            WebSocketDisconnect: the client has gone.
        """
        await self.say({"topic": "system", "success": "seawall", "isFT": False, "isPaper": True})
        if self._session.is_authenticated:
            await self.say({"topic": "act", "args": {"selectedAccount": self._orders.account}})
        else:
            await self.say({"message": "waiting for session"})
        await self.tell_status()
        beat = asyncio.create_task(self._beat())
        try:
            while True:
                await self._heed(await self._socket.receive_text())
        finally:
            beat.cancel()

    async def say(self, words: Words) -> bool:
        """Send one message; False when the client has gone."""
        try:
            await self._socket.send_text(json.dumps(words))
        except (WebSocketDisconnect, RuntimeError):  # starlette says RuntimeError after a close
            return False
        self.sent += "hb" not in words
        return True

    async def tell_status(self) -> None:
        """Say whether the brokerage session stands; without one nothing is subscribed."""
        if not self._session.is_authenticated:
            self.hears_orders = self.hears_trades = False
            self.fields.clear()
            self._told.clear()
        words = {"authenticated": self._session.is_authenticated}
        words |= {"competing": self._session.is_competing}
        await self.say({"topic": "sts", "args": words | {"message": "", "fail": ""}})

    async def tell_update(self, told: Told) -> bool:
        """Say what happened to an order; an execution comes first, unless a fault strikes."""
        order, fill = told.update.order, told.update.fill
        known = self._orders.book.of(order.client_order_id)
        if known is None or not self.hears_updates:
            return False
        messages: list[Words] = []
        if fill is not None and self.hears_trades:
            executions = self._venue.executions
            number = next(n for n, it in enumerate(executions) if it.fill == fill)
            messages.append({"topic": "str", "args": [self._orders.execution(number)[1]]})
        if self.hears_orders and not self._orders.is_filtered and order.status != "replaced":
            changes = self._changed(self._orders.shown(known, order).row)
            messages.append({"topic": "sor", "args": [changes]})
        if fill is not None and self._venue.trouble.at("execution", "status_first"):
            messages.reverse()
        return all([await self.say(message) for message in messages])

    async def tell_prices(self, symbols: Sequence[str]) -> bool:
        """Say the prices of those symbols that the client wants."""
        sent = False
        for con_id, fields in tuple(self.fields.items()):
            listing = self._data.listing(con_id)
            if listing is not None and listing.symbol in symbols:
                words = {"topic": f"smd+{con_id}", "conid": con_id, "conidEx": str(con_id)}
                sent |= await self.say(words | self._data.prices(listing, fields))
        return sent

    async def break_off(self) -> None:
        """Break the connection: unannounced where the server can do that, else in good order."""
        extensions: Mapping[str, Any] = self._socket.scope.get("extensions") or {}
        if breaker := extensions.get(RESET):
            breaker()
            return
        try:
            await self._socket.close(1000)
        except (WebSocketDisconnect, RuntimeError):
            return

    async def _heed(self, text: str) -> None:
        kind, _, rest = text.partition("+")
        answer = self._answers.get(kind)
        if answer is None:
            await self.say({"topic": "error", "error": f"Unknown topic {kind}", "code": 400})
        elif kind == "tic" or self._session.is_authenticated:
            self._session.touch()
            await answer(*_halves(rest))
        else:
            await self.say({"topic": kind, "error": "not authenticated", "code": 401})

    async def _beat(self) -> None:
        while True:
            await self._pulse.wait(HEARTBEAT_S)
            await self.say({"topic": "system", "hb": millis(self._pulse.now())})

    async def _tick(self, _name: str, _words: str) -> None:
        at = millis(self._pulse.now())
        await self.say({"topic": "tic", "alive": True, "id": "seawall", "lastAccessed": at})

    async def _hear_orders(self, _name: str, _words: str) -> None:
        """Tell all of the day, then what changes."""
        self.hears_orders = True
        rows = [it.row for it in self._orders.today()]
        if rows:
            self._told = {row["orderId"]: row for row in rows}
            await self.say({"topic": "sor", "args": rows})

    async def _leave_orders(self, _name: str, _words: str) -> None:
        self.hears_orders = False
        self._told.clear()

    async def _hear_trades(self, _name: str, words: str) -> None:
        asked = _object(words)
        names = ("realtimeUpdatesOnly", "realtime_updates_only")
        is_new_only = any(asked.get(name) for name in names)
        rows = [] if is_new_only else self._orders.executions(int(asked.get("days") or 1))
        self.hears_trades = True
        await self.say({"topic": "str", "args": rows})

    async def _leave_trades(self, _name: str, _words: str) -> None:
        self.hears_trades = False

    async def _hear_prices(self, name: str, words: str) -> None:
        listing = self._data.listing(int(name)) if name.isascii() and name.isdigit() else None
        if listing is None:
            await self.say({"topic": "smd", "error": f"no contract {name}", "code": 400})
            return
        fields = _object(words).get("fields") or ["31"]
        self.fields[listing.con_id] = fields
        head = {"topic": f"smd+{name}", "conid": listing.con_id, "conidEx": name}
        await self.say(head | self._data.prices(listing, fields))

    async def _leave_prices(self, name: str, _words: str) -> None:
        if name.isascii() and name.isdigit():
            self.fields.pop(int(name), None)

    def _changed(self, row: Words) -> Words:
        """The fields that differ from what this connection was told last."""
        before = self._told.get(row["orderId"], {})
        self._told[row["orderId"]] = row
        if not before:
            return row
        return {
            name: word
            for name, word in row.items()
            if name in _IDENTITY or before.get(name) != word
        }


@dataclass(frozen=True, slots=True)
class OrderEvents(Listener[Told]):
    """A connection, as the venue's orders see it."""

    connection: Connection

    @property
    def is_listening(self) -> bool:
        """Whether it has asked for orders or executions."""
        return self.connection.hears_updates

    async def deliver(self, message: Told) -> bool:
        """Tell what happened to an order."""
        return await self.connection.tell_update(message)

    async def break_off(self) -> None:
        """Break the connection."""
        await self.connection.break_off()


@dataclass(frozen=True, slots=True)
class Prices(Listener[Sequence[Part]]):
    """A connection, as the venue's bars see it."""

    connection: Connection

    @property
    def is_listening(self) -> bool:
        """Whether it has asked for any prices."""
        return bool(self.connection.fields)

    async def deliver(self, message: Sequence[Part]) -> bool:
        """Tell the prices of what moved."""
        symbols = [part["S"] for part in message if part["T"] == "t"]
        return await self.connection.tell_prices(symbols)

    async def break_off(self) -> None:
        """Break the connection."""
        await self.connection.break_off()


def _halves(rest: str) -> tuple[str, str]:
    """What stands before the JSON of a command, and the JSON."""
    if rest.startswith("{"):
        return "", rest
    name, _, words = rest.partition("+")
    return name, words


def _object(words: str) -> dict[str, Any]:
    try:
        told = json.loads(words or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
