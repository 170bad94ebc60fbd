"""HTTP over real sockets, by aiohttp."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from ssl import SSLContext
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson

from brokers.clock import Clock
from brokers.errors import Transient
from brokers.wire.clearance import cleared
from brokers.wire.http import Frame, LiveSocket, NoAnswer, Response, Socket, StreamRefused, within

CLOSE_WAIT_S = 1.0
LARGEST_FRAME = 2**24
NO_LIMIT = aiohttp.ClientTimeout(total=None, sock_connect=None)


class Aiohttp:
    """One far side over TCP; made, used and closed on one running event loop.

    Connections are kept alive. A proxy is taken from the environment (HTTPS_PROXY, NO_PROXY, ...)
    unless the far side is this machine.

    Args:
        base_url: scheme, host and port, such as ``https://paper-api.alpaca.markets``.
        headers: sent with every request and every stream.
        clock: times the waiting for answers.
        connections: how many requests may be out at once.
        tls: how a certificate is looked at; None: as this machine does.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        connections: int = 8,
        tls: SSLContext | None = None,
    ) -> None:
        self._base_url = base_url
        self._clock = clock
        self._session = aiohttp.ClientSession(
            base_url,
            connector=aiohttp.TCPConnector(limit=connections, ssl=tls or True),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            middlewares=(_once,),
            proxy=proxy_for(base_url),
            timeout=NO_LIMIT,
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        timeout_s: float,
    ) -> Response:
        """See `Http.request`."""
        body = None if json is None else orjson.dumps(json)
        asking = self._ask(method, path, params, body)
        try:
            return await within(self._clock, timeout_s, asking)
        except TimeoutError:
            raise NoAnswer(f"no answer to {method} {path} within {timeout_s:g} s") from None

    async def _ask(
        self, method: str, path: str, params: Mapping[str, str] | None, body: bytes | None
    ) -> Response:
        headers = None if body is None else {"Content-Type": "application/json"}
        with _translated(f"{method} {path}"):
            async with self._session.request(
                method, path, params=params, data=body, headers=headers, allow_redirects=False
            ) as answer:
                content = await answer.read()
        return Response(
            answer.status, {name.lower(): text for name, text in answer.headers.items()}, content
        )

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str] | None = None, *, quiet_s: float = 10.0
    ) -> AsyncIterator[Socket]:
        """See `Http.stream`."""
        try:
            websocket = await within(self._clock, quiet_s, self._open(path, headers))
        except TimeoutError:
            raise Transient(f"the stream {path} did not open within {quiet_s:g} s") from None
        try:
            yield LiveSocket(_AiohttpLink(websocket, path), self._clock, quiet_s)
        finally:
            await websocket.close()

    async def _open(
        self, path: str, headers: Mapping[str, str] | None
    ) -> aiohttp.ClientWebSocketResponse:
        try:
            return await self._session.ws_connect(
                path,
                autoping=False,
                headers=headers,
                max_msg_size=LARGEST_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_WAIT_S),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise StreamRefused(f"the stream {path} was refused", error.status) from None
        except NoAnswer as error:
            raise Transient(str(error)) from None

    async def close(self) -> None:
        """See `Http.close`."""
        await self._session.close()


class _AiohttpLink:
    """Answers the far side's pings and lets our own be seen."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, path: str) -> None:
        self._websocket = websocket
        self._path = path

    async def send(self, frame: Frame) -> None:
        with _ending(self._path):
            if isinstance(frame, str):
                await self._websocket.send_str(frame)
            else:
                await self._websocket.send_bytes(frame)

    async def ping(self) -> None:
        with _ending(self._path):
            await self._websocket.ping()

    async def receive(self) -> Frame | None:
        while True:
            message = await self._websocket.receive()
            if message.type is aiohttp.WSMsgType.PONG:
                return None
            if message.type is aiohttp.WSMsgType.PING:
                with _ending(self._path):
                    await self._websocket.pong(message.data)
            elif message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                frame: Frame = message.data
                return frame
            else:
                code = self._websocket.close_code
                raise Transient(f"the stream {self._path} ended (code {code})")


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for an address; None on loopback."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Let a request that is ready go when it may, and only once.

    aiohttp sends a GET or DELETE again on a fresh connection by itself, after its own errors only;
    the breaker must hear of every try.
    """
    await cleared()
    with _translated(f"{request.method} {request.url.path}"):
        return await handler(request)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Say of aiohttp's errors whether the request can have arrived."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Transient(f"no connection for {what}: {error}") from None
    except (aiohttp.ClientError, OSError) as error:
        text = str(error) or type(error).__name__
        raise NoAnswer(f"the connection broke during {what}: {text}") from None


@contextmanager
def _ending(path: str) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError):
        raise Transient(f"the stream {path} has ended") from None
