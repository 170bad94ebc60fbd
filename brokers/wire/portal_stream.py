"""The Client Portal's websocket: orders, trades and the login, as they change."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from brokers.clock import Clock
from brokers.errors import Transient
from brokers.wire.http import Http, Socket, within
from brokers.wire.portal_access import BASE
from brokers.wire.portal_pulse import PortalPulse
from brokers.wire.portal_session import TICKLE_S, PortalSession
from brokers.wire.portal_words import instant

PATH = f"{BASE}/ws"
ORDERS, TRADES, LOGIN = "sor", "str", "sts"
HEARTBEAT = "tic"
SUBSCRIBE = (f'{TRADES}+{{"realtimeUpdatesOnly":true}}', f"{ORDERS}+{{}}")
PRICES = "smd+"


class PortalStream:
    """Opens the websocket and reads it.

    Args:
        quiet_s: silence after which it is pinged; after twice that it is mute.
    """

    def __init__(self, http: Http, session: PortalSession, clock: Clock, *, quiet_s: float) -> None:
        self._http = http
        self._session = session
        self._clock = clock
        self._quiet_s = quiet_s
        self.pulse = PortalPulse()
        self._watched: list[str] = []
        self._socket: Socket | None = None
        self.heard = -1  # messages of the present connection but heartbeats; -1: it is closed

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[tuple[str, list[Any]]]]:
        """Listen; gives what comes, by topic, a sign of life as `HEARTBEAT`.

        Raises:
            Transient: it cannot be opened, has ended or is mute.
            StreamRefused: the gateway said no.
        """
        cookie = orjson.dumps({"session": self._session.token}).decode()
        headers = {"Cookie": f"api={cookie}"}
        try:
            async with self._http.stream(PATH, headers, quiet_s=self._quiet_s) as socket:
                # Commands are heeded in turn: with the answer to the last one all is listened to.
                for command in (*SUBSCRIBE, *self._watched, HEARTBEAT):
                    await socket.send(command)
                self.heard, self._socket = 0, socket
                yield self._messages(socket)
        finally:
            self.heard, self._socket = -1, None

    async def watch(self, conids: Iterable[int]) -> None:
        """Hear prices of these contracts, which move the pulse; after a reconnection too."""
        news = [f'{PRICES}{conid}+{{"fields":["31"]}}' for conid in conids]
        self._watched += [it for it in news if it not in self._watched]
        if self._socket is not None:
            for subscription in news:
                await self._socket.send(subscription)

    async def _messages(self, socket: Socket) -> AsyncIterator[tuple[str, list[Any]]]:
        """What comes; besides, the login is kept alive."""
        due_s = self._clock.monotonic() + TICKLE_S
        while True:
            left_s = max(due_s - self._clock.monotonic(), 0.0)
            try:
                frame = await within(self._clock, left_s, anext(socket))
            except TimeoutError:
                await self._session.tickle()
                await socket.send(HEARTBEAT)
                due_s = self._clock.monotonic() + TICKLE_S
                continue
            told = _message(frame)
            topic, rows = str(told.get("topic", "")), told.get("args", [])
            topic = HEARTBEAT if "hb" in told else topic
            if topic.startswith(PRICES) and "_updated" in told:
                self.pulse.tell(instant(told["_updated"]))
            yield topic, rows if isinstance(rows, list) else [rows]
            self.heard += "hb" not in told


def _message(frame: bytes | str) -> dict[str, Any]:
    try:
        told = orjson.loads(frame)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Transient(f"a frame of the stream is no message: {frame[:80]!r}")
    return told
