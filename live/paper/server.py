"""The paper venue as a process of its own: loopback sockets, a control door, a clean end."""

import asyncio
import errno
import os
import secrets
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TextIO

import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from brokers.clock import Clock, ManualClock, SystemClock
from brokers.errors import ConfigError, SeawallError
from live.paper.control import Control, Traffic, control_app
from live.paper.pace import play
from live.paper.portal_tls import Identity, identity
from live.paper.silence import RESET
from live.paper.spec import VenueSpec
from live.paper.tws_api import TwsApi
from live.paper.venue import Venue

AUTH_TIMEOUT_S = 10.0
# Of calls and of the stream, by protocol; what stands for an address is put in.
URLS = {
    "alpaca": ("http://{}", "ws://{}"),
    "tws": ("tws://{}", "tws://{}"),
    "portal": ("https://{}", "wss://{}/v1/api/ws"),
}
_RELEASE_EVERY_S = 0.1
_KEEP_S = 3600  # a harness may think for long between two steps
_LINGER_NOT = struct.pack("ii", 1, 0)  # closing sends RST


class _Server(uvicorn.Server):
    """A uvicorn that says when it is ready, and leaves signals to us: two share this process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Breakable:
    """An application whose connections it may break, by the `RESET` extension."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.connections: set[Any] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        client, is_stream = scope.get("client"), scope["type"] == "websocket"
        known = scope.get("extensions") or {}
        scope["extensions"] = {**known, RESET: lambda: self._break(client, is_stream)}
        await self._app(scope, receive, send)

    def _break(self, client: Any, is_stream: bool) -> None:
        """Reset a call's connection; a stream's ends unannounced behind what was sent on it."""
        for connection in tuple(self.connections):
            if connection.client == client:
                if not is_stream:
                    line = connection.transport.get_extra_info("socket")
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                connection.transport.close()


async def serve(
    spec: VenueSpec, venue: Venue, clock: Clock, out: TextIO, *, heeds_process: bool = True
) -> None:
    """Run a venue until it is told to stop; one JSON line when it is ready and one at its end.

    Args:
        heeds_process: SIGINT and SIGTERM end it, and the parent's end if so wished; where a thread
            serves, the control door alone does.

    Raises:
        ConfigError: the port is taken.
    """
    token, stopped = secrets.token_urlsafe(16), asyncio.Event()
    with _bound(spec.host, spec.port) as front_socket, _bound("127.0.0.1", 0) as control_socket:
        async with _front(spec, venue, clock, front_socket) as (traffic, words):
            control = control_app(Control(venue, traffic, clock), token, stopped.set)
            async with _serving(_server(control), control_socket):
                if heeds_process:
                    _stop_when_told(spec, stopped.set)
                door = f"http://127.0.0.1:{control_socket.getsockname()[1]}"
                address = f"{spec.host}:{front_socket.getsockname()[1]}"
                url, stream = (pattern.format(address) for pattern in URLS[spec.front])
                _say(out, url=url, stream=stream, control=door, token=token, **words)
                pace = asyncio.create_task(
                    _idle() if spec.speed is None else _run(venue, clock, spec.speed)
                )
                await stopped.wait()
                pace.cancel()
                await asyncio.gather(pace, return_exceptions=True)
    _say(out, **_summary(venue, traffic))


@asynccontextmanager
async def _front(
    spec: VenueSpec, venue: Venue, clock: Clock, line: socket.socket
) -> AsyncIterator[tuple[Traffic, dict[str, str]]]:
    """Let clients in while the block runs, in the protocol that the spec names.

    Gives what counts them, and what else they have to be told.
    """
    if spec.front == "tws":
        gateway = TwsApi(venue, clock)
        async with await asyncio.start_server(gateway.serve, sock=line):
            yield gateway, {}
            gateway.break_off()
        return
    if spec.front == "portal":
        portal = spec.portal(venue, clock)
        with identity(spec.host) as shown:
            async with _web(portal, line, shown):
                yield portal, {"authority": str(shown.authority)}
        return
    api = spec.api(venue, clock, None if spec.speed is None else AUTH_TIMEOUT_S)
    async with _web(api, line):
        yield api.gate, {}


@asynccontextmanager
async def _web(
    app: ASGIApp, line: socket.socket, shown: Identity | None = None
) -> AsyncIterator[None]:
    """Serve an application whose connections can be broken; over TLS where it has an identity."""
    front = Breakable(app)
    server = _server(front, shown)
    front.connections = server.server_state.connections
    async with _serving(server, line):
        yield


@asynccontextmanager
async def _serving(server: _Server, line: socket.socket) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve([line]))
    await server.is_ready.wait()
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)


def main(folder: Path, out: TextIO = sys.stdout) -> int:
    """Run the venue that `VenueSpec.save` wrote into a folder; 0, or 2 for a wrong setting."""
    try:
        spec, frames = VenueSpec.load(folder)
        clock: Clock = SystemClock()
        venue = spec.venue(frames, clock)
        if spec.speed is None:
            clock = ManualClock(venue.at)
            venue = spec.venue(frames, clock)
        asyncio.run(serve(spec, venue, clock, out))
    except SeawallError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _summary(venue: Venue, traffic: Traffic) -> dict[str, Any]:
    return {
        "calls": traffic.requests,
        "orders": len(venue.tickets),
        "fills": len(venue.executions),
        "equity": str(venue.matching.account().equity),
        "updates": venue.updates.sent,
        "faults": venue.trouble.hits,
        "missed": [fault.kind for fault in venue.trouble.missed],
    }


async def _run(venue: Venue, clock: Clock, speed: float) -> None:
    late = asyncio.create_task(_release(venue, clock))
    try:
        async for step in play(venue.market, clock, speed):
            await venue.match(step)
            await venue.send_bars(step)
        await _idle()
    finally:
        late.cancel()


async def _release(venue: Venue, clock: Clock) -> None:
    while True:
        await clock.wait(_RELEASE_EVERY_S)
        await venue.release()


async def _idle() -> None:
    await asyncio.Event().wait()


def _server(app: Any, shown: Identity | None = None) -> _Server:
    config = uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_S,
        timeout_graceful_shutdown=1,
        ssl_context_factory=None if shown is None else lambda _config, _default: shown.context,
    )
    return _Server(config)


def _bound(host: str, port: int) -> socket.socket:
    # asyncio sends small answers at once on sockets that say that they are TCP, and no others.
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind((host, port))
    except OSError as error:
        line.close()
        taken = error.errno == errno.EADDRINUSE
        why = (
            "the port is in use: choose another one, or 0 for a free one"
            if taken
            else f"{error.strerror}: choose an address of this machine, such as 127.0.0.1"
        )
        raise ConfigError(f"cannot listen on {host}:{port}, {why}") from None
    return line


def _stop_when_told(spec: VenueSpec, stop: Callable[[], None]) -> None:
    """End at SIGINT or SIGTERM, and with the parent if so wished."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    if spec.leaves_with_parent:
        line = sys.stdin.fileno()

        def parent_spoke() -> None:
            if not os.read(line, 1):
                loop.remove_reader(line)
                stop()

        loop.add_reader(line, parent_spoke)


def _say(out: TextIO, **words: Any) -> None:
    out.write(orjson.dumps(words).decode() + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
