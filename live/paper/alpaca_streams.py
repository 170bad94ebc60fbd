"""Alpaca's two websockets: /stream with trade updates, and /v2/{feed} with market data."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import msgpack
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from brokers.clock import Clock
from live.paper import alpaca_json
from live.paper.alpaca_errors import ApiError
from live.paper.alpaca_gate import Keys
from live.paper.channel import Channel
from live.paper.silence import RESET
from live.paper.venue import Told

FEEDS = ("iex", "sip", "delayed_sip", "boats", "overnight", "test")
CHANNELS = {
    "bars": "b",
    "updatedBars": "u",
    "dailyBars": "d",
    "quotes": "q",
    "trades": "t",
    "statuses": "s",
    "lulds": "l",
}
_CHANNEL_OF = {mark: name for name, mark in CHANNELS.items()}
_COUNTED = ("quotes", "trades")
_ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
}

Frame = Mapping[str, Any]


@dataclass(frozen=True)
class Subscription:
    """What the account's market data plan allows.

    Args:
        feeds: that may be listened to.
        symbols: quotes and trades together that one connection may listen to; 0: any number.
    """

    feeds: tuple[str, ...] = ("iex", "test")
    symbols: int = 30


class Wire:
    """One websocket with its codec.

    Args:
        is_packed: MessagePack, which keeps instants as its own timestamps; else JSON.
        is_binary: JSON in binary frames, as Alpaca's paper account sends it.
    """

    def __init__(self, socket: WebSocket, *, is_binary: bool, keeps_instants: bool) -> None:
        self._socket = socket
        self._is_packed = "msgpack" in socket.headers.get("content-type", "")
        self._is_binary = is_binary
        self._keeps_instants = keeps_instants

    async def send(self, content: Any) -> bool:
        """Send one frame; False when the client has gone."""
        try:
            if self._is_packed:
                await self._socket.send_bytes(self._packed(content))
            elif self._is_binary:
                await self._socket.send_bytes(_written(content).encode())
            else:
                await self._socket.send_text(_written(content))
        except (WebSocketDisconnect, RuntimeError):  # starlette says RuntimeError after a close
            return False
        return True

    async def receive(self) -> Any:
        """Read one frame in whichever codec it came; None when it is in neither.

        Raises:
            WebSocketDisconnect: the client has gone.
        """
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        text, packed = message.get("text"), message.get("bytes") or b""
        try:
            if text is None and self._is_packed:
                return msgpack.unpackb(packed)
            return json.loads(packed if text is None else text)
        except (ValueError, RecursionError, msgpack.UnpackException):
            return None

    async def break_off(self) -> None:
        """End the connection: broken where the server can do that, else closed."""
        extensions: Mapping[str, Any] = self._socket.scope.get("extensions") or {}
        if breaker := extensions.get(RESET):
            breaker()
        else:
            await self.close()

    async def close(self) -> None:
        """End the connection in good order."""
        try:
            await self._socket.close(1000)
        except (WebSocketDisconnect, RuntimeError):
            return

    def _packed(self, content: Any) -> bytes:
        content = content if self._keeps_instants else json.loads(_written(content))
        return cast(bytes, msgpack.packb(content, datetime=True))


async def serve(
    socket: WebSocket, channel: Channel[Any], session: "TradingSession | DataSession"
) -> None:
    """Run one connection until it ends; one that is held for a dead client answers with 429."""
    if channel.is_held or (channel.is_connected and isinstance(session, TradingSession)):
        channel.refuse()
        error = ApiError(429, None, "too many requests.")
        await socket.send_denial_response(JSONResponse(error.body, error.status))
        return
    await socket.accept()
    try:
        await session.run()
    except WebSocketDisconnect:
        return
    finally:
        channel.detach(session)


class TradingSession:
    """One client of /stream.

    Args:
        write: puts an update into Alpaca's words.
    """

    def __init__(
        self, wire: Wire, keys: Keys, channel: Channel[Told], write: Callable[[Told], Frame]
    ) -> None:
        self._wire = wire
        self._keys = keys
        self._channel = channel
        self._write = write
        self._is_known = False
        self._streams: list[str] = []

    @property
    def is_listening(self) -> bool:
        """Whether it has asked for updates."""
        return "trade_updates" in self._streams

    async def deliver(self, message: Told) -> bool:
        """Send an update, if the client listens to updates."""
        return self.is_listening and await self._wire.send(self._write(message))

    async def break_off(self) -> None:
        """Break the connection."""
        await self._wire.break_off()

    async def run(self) -> None:
        """Answer what the client says; updates come in between."""
        self._channel.attach(self)
        while True:
            said = await self._wire.receive()
            if isinstance(said, dict):
                await self._answer(said)

    async def _answer(self, said: Mapping[str, Any]) -> None:
        action = said.get("action")
        data = said.get("data")
        data = data if isinstance(data, dict) else {}
        if action in ("authenticate", "auth"):
            key_id = data.get("key_id", said.get("key", ""))
            self._is_known = _is_right(
                self._keys, key_id, data.get("secret_key", said.get("secret", ""))
            )
            await self._authorization("authenticate")
        elif not self._is_known:
            await self._authorization(str(action))
        elif action == "listen":
            asked = data.get("streams")
            known = asked if isinstance(asked, list) else []
            self._streams = [stream for stream in known if stream == "trade_updates"]
            await self._wire.send({"stream": "listening", "data": {"streams": self._streams}})

    async def _authorization(self, action: str) -> None:
        status = "authorized" if self._is_known else "unauthorized"
        data = {"status": status, "action": action}
        await self._wire.send({"stream": "authorization", "data": data})


class DataSession:
    """One client of /v2/{feed}.

    Args:
        clock: measures `auth_timeout_s`; None waits for ever.
    """

    def __init__(
        self,
        wire: Wire,
        feed: str,
        keys: Keys,
        channel: Channel[Sequence[Frame]],
        plan: Subscription,
        timeout: tuple[Clock, float] | None,
    ) -> None:
        self._wire = wire
        self._feed = feed
        self._keys = keys
        self._channel = channel
        self._plan = plan
        self._timeout = timeout
        self._is_known = False
        self._wanted: dict[str, list[str]] = {name: [] for name in CHANNELS}

    @property
    def is_listening(self) -> bool:
        """Whether it has subscribed to anything."""
        return any(self._wanted.values())

    async def deliver(self, message: Sequence[Frame]) -> bool:
        """Send those of the messages that the client has subscribed to, in one frame."""
        wanted = [part for part in message if self._wants(part)]
        return bool(wanted) and await self._wire.send(wanted)

    async def break_off(self) -> None:
        """Break the connection."""
        await self._wire.break_off()

    async def run(self) -> None:
        """Greet, then answer what the client says; data comes in between."""
        await self._wire.send([{"T": "success", "msg": "connected"}])
        while True:
            said = await self._hear()
            if isinstance(said, dict):
                await self._answer(said)
            else:
                await self._error(400)

    async def _hear(self) -> Any:
        if self._is_known or self._timeout is None:
            return await self._wire.receive()
        clock, wait_s = self._timeout
        heard = asyncio.ensure_future(self._wire.receive())
        timer = asyncio.ensure_future(clock.wait(wait_s))
        try:
            await asyncio.wait((heard, timer), return_when=asyncio.FIRST_COMPLETED)
            if heard.done():
                return heard.result()
        finally:
            timer.cancel()
            heard.cancel()
        await self._error(404)
        await self._wire.close()
        raise WebSocketDisconnect

    async def _answer(self, said: Mapping[str, Any]) -> None:
        action = said.get("action")
        if action == "auth":
            await self._authenticate(said)
        elif action not in ("subscribe", "unsubscribe"):
            await self._error(400)
        elif not self._is_known:
            await self._error(401)
        else:
            await self._subscribe(said, adds=action == "subscribe")

    async def _authenticate(self, said: Mapping[str, Any]) -> None:
        if self._is_known:
            await self._error(403)
        elif not _is_right(self._keys, said.get("key"), said.get("secret")):
            await self._error(402)
        elif self._feed not in self._plan.feeds:
            await self._error(409)
        elif self._channel.is_connected:
            await self._error(406)
        else:
            self._is_known = True
            self._channel.attach(self)
            await self._wire.send([{"T": "success", "msg": "authenticated"}])

    async def _subscribe(self, said: Mapping[str, Any], *, adds: bool) -> None:
        asked = {name: value for name, value in said.items() if name != "action"}
        if asked.keys() - CHANNELS.keys():
            await self._error(410)
            return
        if not all(_is_list_of_symbols(value) for value in asked.values()):
            await self._error(400)
            return
        wanted = {name: _merged(self._wanted[name], asked.get(name), adds) for name in CHANNELS}
        if 0 < self._plan.symbols < sum(len(wanted[name]) for name in _COUNTED):
            await self._error(405)
            return
        self._wanted = wanted
        await self._wire.send([{"T": "subscription", **wanted}])

    def _wants(self, part: Frame) -> bool:
        symbols = self._wanted[_CHANNEL_OF[part["T"]]]
        return part["S"] in symbols or "*" in symbols

    async def _error(self, code: int) -> None:
        await self._wire.send([{"T": "error", "code": code, "msg": _ERRORS[code]}])


def _is_right(keys: Keys, key_id: object, secret: object) -> bool:
    try:
        keys.check(str(key_id), str(secret))
    except ApiError:
        return False
    return True


def _is_list_of_symbols(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(symbol, str) for symbol in value)


def _merged(held: list[str], asked: list[str] | None, adds: bool) -> list[str]:
    if adds:
        return list(dict.fromkeys((*held, *(asked or ()))))
    return [symbol for symbol in held if symbol not in (asked or ())]


def _written(content: Any) -> str:
    return json.dumps(content, default=_instant)


def _instant(value: object) -> str | None:
    if isinstance(value, datetime):
        return alpaca_json.time(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
