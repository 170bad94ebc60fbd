"""HTTP and websockets as a venue's wire needs them: one request, one answer, nothing else.

An `Http` knows one far side and the headers that go with every call. It repeats nothing, follows
no redirect and judges no status; what it raises says only whether the request can have arrived.
`http_aiohttp.py` goes over real sockets, `http_asgi.py` calls an application in this process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from brokers.clock import Clock
from brokers.errors import Transient, TransportError

T = TypeVar("T")
Frame = bytes | str


class NoAnswer(TransportError):
    """The request left, perhaps, and no answer came; whether that is `Unknown` the caller knows."""


class StreamRefused(TransportError):
    """The far side answered the opening of a stream with a status other than 101."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(f"{text} (status {status})")
        self.status = status


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of any status; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Socket(Protocol):
    """An open stream of frames, as they come; iterate over it in one task only.

    The iteration ends by raising `Transient`: the stream ended, in good order or not, or is mute.
    """

    async def send(self, frame: Frame) -> None:
        """Send one frame, binary or text.

        Raises:
            Transient: the stream has ended.
        """

    def __aiter__(self) -> AsyncIterator[Frame]:
        """The socket itself."""

    async def __anext__(self) -> Frame:
        """The next frame."""


class Http(Protocol):
    """One far side."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        timeout_s: float,
    ) -> Response:
        """Ask once, when it is `cleared`. `json` is sent as orjson writes it; None sends no body.

        Raises:
            Transient: no connection could be made, so nothing was sent.
            NoAnswer: no answer within `timeout_s`, or the connection broke.
        """

    def stream(
        self, path: str, headers: Mapping[str, str] | None = None, *, quiet_s: float = 10.0
    ) -> AbstractAsyncContextManager[Socket]:
        """Open a websocket; after `quiet_s` without a frame it is pinged, after twice that mute.

        Raises:
            Transient: no connection could be made.
            StreamRefused: the far side said no.
        """

    async def close(self) -> None:
        """End all connections; harmless when they have ended."""


class Link(Protocol):
    """A websocket as an `Http` implementation brings it."""

    async def send(self, frame: Frame) -> None:
        """Send one frame; raises `Transient` when the stream has ended."""

    async def ping(self) -> None:
        """Ask for a sign of life; raises `Transient` when the stream has ended."""

    async def receive(self) -> Frame | None:
        """The next frame, None for the answer to a ping; raises `Transient` at the end."""


class LiveSocket:
    """A link that is pinged when it is quiet, and given up when it is mute."""

    def __init__(self, link: Link, clock: Clock, quiet_s: float) -> None:
        self._link = link
        self._clock = clock
        self._quiet_s = quiet_s

    async def send(self, frame: Frame) -> None:
        """See `Socket.send`."""
        await self._link.send(frame)

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        pinged = False
        while True:
            try:
                frame = await within(self._clock, self._quiet_s, self._link.receive())
            except TimeoutError:
                if pinged:
                    raise Transient(
                        f"the stream is mute: no answer to a ping in {self._quiet_s:g} s"
                    ) from None
                await self._link.ping()
                pinged = True
                continue
            if frame is not None:
                return frame
            pinged = False


async def within(clock: Clock, wait_s: float, work: Awaitable[T]) -> T:
    """Await `work` for at most `wait_s` seconds of the clock, then cancel it.

    Raises:
        TimeoutError: it was not done in time.
    """
    async with asyncio.timeout(None) as limit:
        timer = asyncio.create_task(_expire(clock, wait_s, limit))
        try:
            return await work
        finally:
            timer.cancel()


async def _expire(clock: Clock, wait_s: float, limit: asyncio.Timeout) -> None:
    await clock.wait(wait_s)
    limit.reschedule(0.0)
