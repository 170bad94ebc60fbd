"""Alpaca's /stream: order updates for as long as somebody listens."""

import random
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from brokers.clock import Clock
from brokers.errors import ConfigError, Transient, TransportError
from brokers.wire.alpaca_access import AlpacaKeys, keys_refused
from brokers.wire.alpaca_words import UNREADABLE, is_ours, update
from brokers.wire.http import Frame, Http, Socket, StreamRefused, within
from brokers.wire.transport import OrderUpdate, Reconnected

STREAM = "trade_updates"
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0
LISTEN = orjson.dumps({"action": "listen", "data": {"streams": [STREAM]}}).decode()
HELD_S = 120.0  # Alpaca lets go of a dead connection within 90 s


class AlpacaStream:
    """Connects, authenticates, listens, and does so again whenever the stream ends.

    A stream that ends, goes mute or sends what cannot be read is opened anew, after a wait that
    grows with full jitter. Opening is refused (429) while Alpaca still holds a dead connection.

    Args:
        quiet_s: silence after which the stream is pinged; after twice that it is mute.
        where: names the account in errors.
    """

    def __init__(
        self,
        http: Http,
        keys: AlpacaKeys,
        *,
        clock: Clock,
        rng: random.Random,
        quiet_s: float,
        where: str,
    ) -> None:
        self._http = http
        self._keys = keys
        self._clock = clock
        self._rng = rng
        self._quiet_s = quiet_s
        self._where = where
        self._failures = 0
        self._held_since_s: float | None = None

    async def updates(self) -> AsyncIterator[OrderUpdate | Reconnected]:
        """Updates as they come; `Reconnected` whenever the listening has begun.

        Raises:
            ConfigError: the keys were refused, or another program holds the account's stream.
        """
        while True:
            began_s = self._clock.monotonic()
            try:
                async with self._http.stream("/stream", quiet_s=self._quiet_s) as socket:
                    await self._listen(socket)
                    self._held_since_s = None
                    yield Reconnected(self._clock.now())
                    while True:
                        news = _news(await anext(socket))
                        if news is not None:
                            yield news
            except StreamRefused as refused:
                self._judge(refused)
            except TransportError:
                self._held_since_s = None
            await self._pause(self._clock.monotonic() - began_s)

    async def _listen(self, socket: Socket) -> None:
        try:
            await within(self._clock, self._quiet_s, self._agree(socket))
        except TimeoutError:
            raise Transient("Alpaca's stream does not answer our first messages") from None

    async def _agree(self, socket: Socket) -> None:
        """Authenticate, ask for the updates, and wait for the word that they will come."""
        await socket.send(orjson.dumps(self._keys.authenticate()).decode())
        while True:
            kind, data = _message(await anext(socket))
            if kind == "authorization":
                if data.get("status") != "authorized":
                    raise keys_refused(self._where)
                await socket.send(LISTEN)
            elif kind == "listening":
                if STREAM not in (data.get("streams") or ()):
                    raise Transient(f"Alpaca's stream will not send {STREAM}")
                return

    def _judge(self, refused: StreamRefused) -> None:
        """Whether to go on trying after the stream was refused."""
        if refused.status in (401, 403):
            raise keys_refused(self._where) from None
        now_s = self._clock.monotonic()
        if refused.status != 429:
            self._held_since_s = None
        elif self._held_since_s is None:
            self._held_since_s = now_s
        elif now_s - self._held_since_s > HELD_S:
            raise ConfigError(
                f"Alpaca ({self._where}) has refused the stream of order updates for {HELD_S:g} s: "
                "another program listens on this account; end it and start again"
            ) from None

    async def _pause(self, lasted_s: float) -> None:
        self._failures = 0 if lasted_s > LONGEST_WAIT_S else self._failures + 1
        widest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self._failures, 16))
        await self._clock.wait(self._rng.uniform(0.0, widest_s))


def _news(frame: Frame) -> OrderUpdate | None:
    kind, data = _message(frame)
    if kind != STREAM:
        return None
    try:
        return update(data) if is_ours(data["order"]) else None
    except UNREADABLE as error:
        raise Transient(f"an update of Alpaca's stream cannot be read: {error!r}") from None


def _message(frame: Frame) -> tuple[str, Mapping[str, Any]]:
    """What a frame, binary or text, is about."""
    try:
        message = orjson.loads(frame)
        return str(message.get("stream")), message.get("data") or {}
    except UNREADABLE:
        raise Transient(f"a frame of Alpaca's stream is no message: {frame[:80]!r}") from None
