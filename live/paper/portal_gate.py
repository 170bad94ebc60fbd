"""What stands before every call to the Client Portal: faults, pacing, the session."""

import math
import re
from collections import deque
from dataclasses import dataclass, field

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brokers.clock import Clock
from live.paper.faults import Fault
from live.paper.portal_errors import PortalError, bad_request, not_authenticated, too_many
from live.paper.portal_session import PortalSession
from live.paper.silence import nowhere, silence
from live.paper.trouble import Passage, Trouble

ROOT = "/v1/api"
PENALTY_S = 600.0
_IDS = re.compile(r"/(?:DU\d+|-?\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")
_DATA_CALLS = ("/iserver/marketdata/", "/trsrv/", "/iserver/secdef/", "/iserver/contract/")
_LOGIN_CALLS = ("/tickle", "/iserver/auth/", "/iserver/reauthenticate", "/logout", "/sso/")
_PAGE = "<html><body><h1>504 Gateway Time-out</h1></body></html>"
# Calls in so many seconds, for the calls that have a limit of their own.
_OWN: dict[str, tuple[int, float]] = {
    "GET /iserver/account/orders": (1, 5.0),
    "GET /iserver/account/trades": (1, 5.0),
    "GET /portfolio/accounts": (1, 5.0),
    "GET /iserver/marketdata/snapshot": (10, 1.0),
    "GET /sso/validate": (1, 60.0),
    "POST /tickle": (1, 1.0),
}
_ALL = (10, 1.0)


class _Rate:
    """So many calls in any so many seconds."""

    def __init__(self, calls: int, span_s: float) -> None:
        self._calls = calls
        self._span_s = span_s
        self._at_s: deque[float] = deque()

    def take(self, now_s: float) -> bool:
        """Count one call; False when there were too many."""
        while self._at_s and self._at_s[0] <= now_s - self._span_s:
            self._at_s.popleft()
        self._at_s.append(now_s)
        return len(self._at_s) <= self._calls


@dataclass(slots=True)
class Pacing:
    """The limits of one login; beyond them nothing is answered for a while.

    Args:
        is_on: False lets any number through; a penalty that a fault brings still holds.
    """

    clock: Clock
    is_on: bool = True
    penalty_s: float = PENALTY_S
    _all: _Rate = field(default_factory=lambda: _Rate(*_ALL))
    _own: dict[str, _Rate] = field(
        default_factory=lambda: {name: _Rate(*rate) for name, rate in _OWN.items()}
    )
    _until_s: float = -math.inf

    def check(self, verb: str) -> None:
        """Count one call.

        Raises:
            PortalError: 429; the client asks too fast, or did.
        """
        now_s = self.clock.monotonic()
        if now_s < self._until_s:
            raise too_many()
        if not self.is_on:
            return
        if not self._all.take(now_s):
            self.punish(self.penalty_s)
            raise too_many()
        own = self._own.get(verb)
        if own is not None and not own.take(now_s):
            raise too_many()

    def punish(self, wait_s: float) -> None:
        """Answer nothing but 429 for so many seconds."""
        self._until_s = self.clock.monotonic() + wait_s


class Gate:
    """The ASGI application behind faults, pacing and session, and the count of what passed."""

    def __init__(
        self, app: ASGIApp, trouble: Trouble, session: PortalSession, pacing: Pacing
    ) -> None:
        self._app = app
        self._trouble = trouble
        self._session = session
        self._pacing = pacing
        self.requests = 0
        self.in_flight = 0
        self.parked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one call through, or not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.requests += 1
        self.in_flight += 1
        passage = self._trouble.request(verb(scope), is_broker=not _is_data(scope))
        try:
            await self._pass(scope, receive, send, passage)
        finally:
            self.in_flight -= 1

    async def _pass(self, scope: Scope, receive: Receive, send: Send, passage: Passage) -> None:
        fault = passage.fault
        if fault is None:
            status = await self._serve(scope, receive, send)
            if status < 500 and status != 429 and not _is_data(scope):
                self._trouble.answered(passage)
            return
        if fault.after or fault.kind == "accepted_then_504":
            await self._serve(scope, receive, nowhere)
        await self._fail(fault, scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        told = [500]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                told[0] = message["status"]
            await send(message)

        try:
            self._pacing.check(verb(scope))
            self._admit(_path(scope))
        except PortalError as error:
            await error.response()(scope, receive, noting)
        else:
            await self._app(scope, receive, noting)
        return told[0]

    def _admit(self, path: str) -> None:
        """Ask for a login, and for a brokerage session where the call needs one."""
        is_login = path.startswith(_LOGIN_CALLS)
        self._session.touch()
        if not self._session.is_logged_in and not path.startswith("/iserver/auth/"):
            raise not_authenticated()
        if not self._session.is_authenticated and path.startswith("/iserver/") and not is_login:
            if self._session.is_competing:
                raise bad_request("no bridge")
            raise not_authenticated()

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind in ("hang", "reset"):
            self.parked += fault.kind == "hang"
            try:
                await silence(fault, scope, receive)
            finally:
                self.parked -= fault.kind == "hang"
            return
        if fault.kind == "too_many_requests" and fault.wait_s:
            self._pacing.punish(fault.wait_s)
        await _broken_answer(fault)(scope, receive, send)


def verb(scope: Scope) -> str:
    """Name a call as fault plans do: method and route, DATA instead of GET for market data."""
    route = _IDS.sub("/{id}", _path(scope))
    return f"{'DATA' if _is_data(scope) else scope['method']} {route}"


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(ROOT).rstrip("/")


def _is_data(scope: Scope) -> bool:
    return _path(scope).startswith(_DATA_CALLS)


def _broken_answer(fault: Fault) -> Response:
    if fault.kind == "too_many_requests":
        return too_many().response()
    if fault.kind == "not_json":
        return Response(_PAGE, 200, media_type="text/html")
    if fault.kind == "accepted_then_504":
        return Response(_PAGE, 504, media_type="text/html")
    return PlainTextResponse("upstream connect error", fault.status or 500)
