"""HTTP without sockets or threads: an ASGI application is called in this process.

For mass runs and tests. Each request and each stream is a task of its own, as at a real server: it
goes on when the caller has given up. The application's lifespan events are not sent.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from collections.abc import Mapping as Headers
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from brokers.clock import Clock
from brokers.errors import Transient
from brokers.wire.clearance import cleared
from brokers.wire.http import Frame, LiveSocket, NoAnswer, Response, Socket, StreamRefused, within

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


class Asgi:
    """One far side that is an application; made, used and closed on one running event loop.

    An `OSError` that the application leaves unhandled is a connection that it broke; any other
    exception comes out at the caller: it is a fault of the application and not an answer.

    Args:
        app: the application.
        headers: sent with every request and every stream.
        clock: times the waiting for answers.
        base_url: what the application takes for its own address.
    """

    def __init__(
        self,
        app: Application,
        *,
        clock: Clock,
        headers: Headers[str, str] | None = None,
        base_url: str = "http://127.0.0.1",
    ) -> None:
        self._app = app
        self._clock = clock
        self._headers = dict(headers or {})
        self._base = urlsplit(base_url)
        self._tasks: set[asyncio.Task[None]] = set()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Headers[str, str] | None = None,
        json: object = None,
        timeout_s: float,
    ) -> Response:
        """See `Http.request`; there is always a connection."""
        await cleared()
        body = b"" if json is None else orjson.dumps(json)
        headers = {"content-length": str(len(body)), "content-type": "application/json"}
        scope = self._scope("http", path, headers, params or {})
        scope["method"] = method
        exchange = _Exchange(body)
        task = self._start(scope, exchange.receive, exchange.send)
        task.add_done_callback(exchange.ended)
        try:
            return await within(self._clock, timeout_s, asyncio.shield(exchange.answer))
        except TimeoutError:
            raise NoAnswer(f"no answer to {method} {path} within {timeout_s:g} s") from None
        finally:
            exchange.left.set()

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Headers[str, str] | None = None, *, quiet_s: float = 10.0
    ) -> AsyncIterator[Socket]:
        """See `Http.stream`; memory answers every ping."""
        link = _AsgiLink(path)
        scope = self._scope("websocket", path, headers or {}, {})
        scope.update(subprotocols=[], extensions={"websocket.http.response": {}})
        task = self._start(scope, link.to_app.get, link.from_app)
        task.add_done_callback(link.ended)
        try:
            await self._opened(link, path, quiet_s)
            yield LiveSocket(link, self._clock, quiet_s)
        finally:
            link.leave()

    async def _opened(self, link: "_AsgiLink", path: str, wait_s: float) -> None:
        try:
            await within(self._clock, wait_s, asyncio.shield(link.opened))
        except TimeoutError:
            raise Transient(f"the stream {path} did not open within {wait_s:g} s") from None

    async def close(self) -> None:
        """See `Http.close`; what the application still does for us is cancelled."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, scope: Message, receive: Any, send: Any) -> asyncio.Task[None]:
        async def serve() -> None:
            await self._app(scope, receive, send)

        task = asyncio.create_task(serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _scope(
        self, kind: str, path: str, headers: Headers[str, str], params: Headers[str, str]
    ) -> Message:
        sent = {"host": self._base.netloc} | self._headers | dict(headers)
        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": self._base.scheme if kind == "http" else "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": urlencode(params).encode(),
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1"), text.encode("latin-1"))
                for name, text in sent.items()
            ],
            "client": ("127.0.0.1", 0),
            "server": (self._base.hostname, self._base.port or 80),
        }


class _Exchange:
    """One request and its answer."""

    def __init__(self, body: bytes) -> None:
        self.answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.left = asyncio.Event()
        self._bodies = [body]
        self._status = 0
        self._headers: dict[str, str] = {}
        self._content = b""

    async def receive(self) -> Message:
        if self._bodies:
            return {"type": "http.request", "body": self._bodies.pop(), "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = _texts(message)
            return
        self._content += message.get("body", b"")
        if not message.get("more_body") and not self.answer.done():
            self.answer.set_result(Response(self._status, self._headers, self._content))

    def ended(self, task: asyncio.Task[None]) -> None:
        if not self.answer.done() and not self.left.is_set():
            broken = NoAnswer("the connection broke before the answer")
            self.answer.set_exception(_why(task) or broken)


class _AsgiLink:
    """One websocket, a queue each way."""

    def __init__(self, path: str) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.to_app: asyncio.Queue[Message] = asyncio.Queue()
        self.to_app.put_nowait({"type": "websocket.connect"})
        self._path = path
        self._frames: asyncio.Queue[Frame | BaseException | None] = asyncio.Queue()
        self._has_left = False

    async def send(self, frame: Frame) -> None:
        if self._has_left:
            raise self._end("has ended")
        text, data = (frame, None) if isinstance(frame, str) else (None, frame)
        self.to_app.put_nowait({"type": "websocket.receive", "text": text, "bytes": data})

    async def ping(self) -> None:
        self._frames.put_nowait(None)

    async def receive(self) -> Frame | None:
        frame = await self._frames.get()
        if isinstance(frame, BaseException):
            self._frames.put_nowait(frame)
            raise frame
        return frame

    async def from_app(self, message: Message) -> None:
        """Take what the application sends; OSError once the caller has left, as ASGI asks."""
        if self._has_left:
            raise OSError(f"the caller left the stream {self._path}")
        kind = message["type"]
        if kind == "websocket.accept":
            self.opened.set_result(None)
        elif kind == "websocket.send":
            text: Frame | None = message.get("text")
            self._frames.put_nowait(message["bytes"] if text is None else text)
        elif kind == "websocket.http.response.start":
            self._refuse(int(message["status"]))
        elif kind == "websocket.close":
            self._refuse(403)
            self._has_left = True
            self._frames.put_nowait(self._end(f"ended (code {message.get('code', 1000)})"))

    def ended(self, task: asyncio.Task[None]) -> None:
        if self._has_left:
            return
        self._has_left = True
        error = _why(task) or self._end("ended (code 1006)")
        if not self.opened.done():
            self.opened.set_exception(error)
        self._frames.put_nowait(error)

    def leave(self) -> None:
        if not self._has_left:
            self._has_left = True
            self.to_app.put_nowait({"type": "websocket.disconnect", "code": 1000, "reason": ""})

    def _refuse(self, status: int) -> None:
        if not self.opened.done():
            self.opened.set_exception(StreamRefused(f"the stream {self._path} was refused", status))

    def _end(self, how: str) -> Transient:
        return Transient(f"the stream {self._path} {how}")


def _why(task: asyncio.Task[None]) -> BaseException | None:
    """The fault that ended a task; None: it ended, broke the connection, or was cancelled."""
    error = None if task.cancelled() else task.exception()
    return None if isinstance(error, OSError) else error


def _texts(message: Message) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): text.decode("latin-1")
        for name, text in message.get("headers", ())
    }
