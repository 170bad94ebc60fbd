"""Sockets without sockets: an event loop that connects its clients to its servers in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from selectors import BaseSelector
from typing import Any, Protocol

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Tap(Protocol):
    """What stands in a client's line and may cut it."""

    def leaves(self, data: bytes) -> bool:
        """Whether what the client writes arrives."""

    def comes(self, data: bytes) -> bool:
        """Whether what is written to it arrives."""


class PipeLoop(asyncio.SelectorEventLoop):
    """An event loop whose connections end in the servers that `listen` named; nowhere else."""

    def __init__(self, selector: BaseSelector) -> None:
        super().__init__(selector)
        self._served: dict[int, tuple[Serve, Tap | None]] = {}

    def listen(self, port: int, serve: Serve, tap: Tap | None = None) -> None:
        """Let those who connect to a port be served, by what `asyncio.start_server` takes.

        Args:
            tap: in the lines of those who come from now on.
        """
        self._served[port] = (serve, tap)

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str | None = None,
        port: int | None = None,
        **_: Any,
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """Connect in memory.

        Raises:
            ConnectionRefusedError: nobody listens on that port.
        """
        if port not in self._served:
            raise ConnectionRefusedError(f"nobody listens on {host}:{port}")
        serve, tap = self._served[port]
        reader = asyncio.StreamReader(loop=self)
        client = protocol_factory()
        near = _End(self, client)
        far = _End(self, asyncio.StreamReaderProtocol(reader, serve, loop=self))
        near.join(far, None if tap is None else tap.leaves)
        far.join(near, None if tap is None else tap.comes)
        for end in (far, near):
            end.protocol.connection_made(end)
        return near, client


class _End(asyncio.Transport):
    """One end of a connection; what it writes reaches the other end in its order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self._loop = loop
        self._is_closing = False

    def join(self, other: "_End", passes: Callable[[bytes], bool] | None) -> None:
        """Name the other end, and what decides whether it gets what is written here."""
        self._other = other
        self._passes = passes

    def write(self, data: Any) -> None:
        """Send; nothing is lost but what the tap keeps."""
        if not self._is_closing and (self._passes is None or self._passes(bytes(data))):
            self._loop.call_soon(self._other.take, bytes(data))

    def take(self, data: bytes) -> None:
        """Get what the other end has written."""
        if not self._is_closing:
            self.protocol.data_received(data)

    def is_closing(self) -> bool:
        """Whether nothing more is sent."""
        return self._is_closing

    def write_eof(self) -> None:
        """Say no more; closing says it as well."""

    def close(self) -> None:
        """End the connection; what was written before still arrives."""
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._other.hear_the_end)
            self._loop.call_soon(self.protocol.connection_lost, None)

    def hear_the_end(self) -> None:
        """The other end was closed."""
        if not self._is_closing and not self.protocol.eof_received():
            self.close()
