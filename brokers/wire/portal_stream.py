"""The Client Portal's websocket: orders, trades and the login, as they change."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from brokers.clock import Clock
from brokers.errors import Transient
from brokers.wire.http import Http, Socket, within
from brokers.wire.portal_access import BASE
from brokers.wire.portal_session import TICKLE_S, PortalSession

PATH = f"{BASE}/ws"
ORDERS, TRADES, LOGIN = "sor", "str", "sts"
SUBSCRIBE = (f"{ORDERS}+{{}}", f'{TRADES}+{{"realtimeUpdatesOnly":true}}')
HEARTBEAT = "tic"


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
        self.heard = -1  # messages of the present connection but heartbeats; -1: it is closed

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[tuple[str, list[Any]]]]:
        """Listen; gives what comes, by topic.

        Raises:
            Transient: it cannot be opened, has ended or is mute.
            StreamRefused: the gateway said no.
        """
        cookie = orjson.dumps({"session": self._session.token}).decode()
        headers = {"Cookie": f"api={cookie}"}
        try:
            async with self._http.stream(PATH, headers, quiet_s=self._quiet_s) as socket:
                for subscription in SUBSCRIBE:
                    await socket.send(subscription)
                self.heard = 0
                yield self._messages(socket)
        finally:
            self.heard = -1

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
            topic, rows, is_beat = _message(frame)
            yield topic, rows
            self.heard += not is_beat


def _message(frame: bytes | str) -> tuple[str, list[Any], bool]:
    """Topic and arguments, and whether it is a mere sign of life."""
    try:
        told = orjson.loads(frame)
        arguments = told.get("args", [])
    except (ValueError, AttributeError):
        raise Transient(f"a frame of the stream is no message: {frame[:80]!r}") from None
    rows = arguments if isinstance(arguments, list) else [arguments]
    return str(told.get("topic", "")), rows, "hb" in told
