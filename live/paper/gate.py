"""What stands before every call to a front that speaks HTTP: planned faults, then its own door."""

from collections.abc import Mapping
from typing import Protocol

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from live.paper.faults import Fault
from live.paper.silence import nowhere, silence
from live.paper.trouble import Passage, Trouble

_PAGE = "<html><body><h1>504 Gateway Time-out</h1></body></html>"
_NOTHING = 500  # the status of an answer that was never begun


class Door(Protocol):
    """Whom one protocol lets in, and how it puts its refusals."""

    def counts(self, scope: Scope) -> bool:
        """Whether it is a call at all; faults strike no other."""

    def verb(self, scope: Scope) -> str:
        """The call as fault plans name it: method and route, DATA instead of GET for data."""

    def is_data(self, scope: Scope) -> bool:
        """Whether it asks for market data, which the breaker does not count."""

    def refusal(self, scope: Scope) -> Response | None:
        """Look at a call and count it; the answer to one that may not pass."""

    def headers(self, scope: Scope) -> Mapping[str, str]:
        """What every answer that is none of a fault's says besides."""

    def broken(self, fault: Fault) -> Response | None:
        """The answer that a fault gives in the protocol's own words; None: in any server's."""


class Gate:
    """The ASGI application behind faults and a door, and the count of what passed."""

    def __init__(self, app: ASGIApp, trouble: Trouble, door: Door) -> None:
        self._app = app
        self._trouble = trouble
        self._door = door
        self.requests = 0
        self.in_flight = 0
        self.parked = 0
        self.told = -1  # answers are no messages of a stream: the venue's channels count these

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one call through, or not."""
        if scope["type"] != "http" or not self._door.counts(scope):
            await self._app(scope, receive, send)
            return
        self.requests += 1
        self.in_flight += 1
        is_broker = not self._door.is_data(scope)
        passage = self._trouble.request(self._door.verb(scope), is_broker=is_broker)
        try:
            await self._pass(scope, receive, send, passage)
        finally:
            self.in_flight -= 1

    async def _pass(self, scope: Scope, receive: Receive, send: Send, passage: Passage) -> None:
        fault = passage.fault
        if fault is None:
            status = await self._serve(scope, receive, send)
            if status < 500 and status != 429 and not self._door.is_data(scope):
                self._trouble.answered(passage)
            return
        if fault.after or fault.kind == "accepted_then_504":
            await self._serve(scope, receive, nowhere)
        await self._fail(fault, scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        told = [_NOTHING]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                told[0] = message["status"]
                words = self._door.headers(scope).items()
                extra = [(name.lower().encode(), word.encode()) for name, word in words]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        await (self._door.refusal(scope) or self._app)(scope, receive, noting)
        return told[0]

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind not in ("hang", "reset"):
            await (self._door.broken(fault) or _broken(fault))(scope, receive, send)
            return
        self.parked += fault.kind == "hang"
        try:
            await silence(fault, scope, receive)
        finally:
            self.parked -= fault.kind == "hang"


def _broken(fault: Fault) -> Response:
    if fault.kind == "not_json":
        return Response(_PAGE, 200, media_type="text/html")
    if fault.kind == "accepted_then_504":
        return Response(_PAGE, 504, media_type="text/html")
    return PlainTextResponse("upstream connect error", fault.status or 500)
