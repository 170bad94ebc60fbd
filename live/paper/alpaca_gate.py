"""What stands before every Alpaca call: planned faults, keys, and 200 calls a minute."""

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brokers.clock import Clock
from live.paper.alpaca_errors import FORBIDDEN, INTERNAL, UNAUTHORIZED, ApiError
from live.paper.faults import Fault
from live.paper.silence import nowhere, silence
from live.paper.trouble import Passage, Trouble

_WINDOW_S = 60.0
_OPEN_PATHS = ("/openapi.json",)
_TEMPLATES = (
    (re.compile(r"^/v2/(orders|assets)/[^/]+$"), r"/v2/\1/{id}"),
    (re.compile(r"^/v2/positions/[^/]+$"), "/v2/positions/{symbol}"),
    (re.compile(r"^/v2/account/activities/[^/]+$"), "/v2/account/activities/{type}"),
    (re.compile(r"^/v2/stocks/[^/]+/(.+)$"), r"/v2/stocks/{symbol}/\1"),
)
_DATA_CALLS = re.compile(r"^/v2/stocks/(bars|trades|quotes|snapshots)(/latest)?$")
_PAGE = "<html><body><h1>504 Gateway Time-out</h1></body></html>"


@dataclass(frozen=True)
class Keys:
    """The account's key, and the environment that it belongs to.

    A paper key begins with PK and a live one with AK, so that the key of the other environment can
    be told from a wrong one.
    """

    key_id: str
    secret: str = field(repr=False)
    environment: str = "paper"

    def check(self, key_id: str, secret: str) -> None:
        """Let the right key in.

        Raises:
            ApiError: 401 for a wrong key, 403 for one of the other environment.
        """
        if (key_id, secret) == (self.key_id, self.secret):
            return
        if key_id.startswith("AK" if self.environment == "paper" else "PK"):
            raise ApiError(403, FORBIDDEN, "forbidden.")
        raise ApiError(401, UNAUTHORIZED, "request is not authorized.")

    def check_request(self, headers: Mapping[str, str]) -> None:
        """Let a request in by its APCA headers, or by HTTP's basic authorization.

        Raises:
            ApiError: as `check` does.
        """
        scheme, _, coded = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                key_id, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
            except ValueError:
                key_id = secret = ""
        else:
            key_id = headers.get("apca-api-key-id", "")
            secret = headers.get("apca-api-secret-key", "")
        self.check(key_id, secret)


class Quota:
    """So many calls in each minute, counted from the first one.

    Args:
        calls: a minute may hold; 0 is no limit.
        with_headers: say so in every answer; no public document promises these headers.
    """

    def __init__(self, clock: Clock, calls: int = 200, *, with_headers: bool = True) -> None:
        self._clock = clock
        self._calls = calls
        self._with_headers = with_headers and calls > 0
        self._began = -math.inf
        self._used = 0

    def take(self) -> bool:
        """Count one call; False when the minute is full."""
        now = self._clock.monotonic()
        if now >= self._began + _WINDOW_S:
            self._began, self._used = now, 0
        self._used += 1
        return not self._calls or self._used <= self._calls

    def headers(self) -> dict[str, str]:
        """What the answers say of it."""
        if not self._with_headers:
            return {}
        left_s = max(self._began + _WINDOW_S - self._clock.monotonic(), 0.0)
        used = self._used if left_s else 0  # before the first call, and after its minute
        return {
            "X-RateLimit-Limit": str(self._calls),
            "X-RateLimit-Remaining": str(max(self._calls - used, 0)),
            "X-RateLimit-Reset": str(math.ceil(self._clock.now().timestamp() + left_s)),
        }


class Gate:
    """The ASGI application behind faults, keys and quotas, and the count of what passed.

    Args:
        quotas: for the trading calls and for the market data calls.
    """

    def __init__(
        self, app: ASGIApp, trouble: Trouble, keys: Keys, quotas: tuple[Quota, Quota]
    ) -> None:
        self._app = app
        self._trouble = trouble
        self._keys = keys
        self._trading, self._data = quotas
        self.requests = 0
        self.in_flight = 0
        self.parked = 0
        self.told = -1  # answers are no messages of a stream: the venue's channels count these

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one call through, or not."""
        if scope["type"] != "http" or scope["path"] in _OPEN_PATHS:
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
        quota = self._data if _is_data(scope) else self._trading
        told = [INTERNAL]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                told[0] = message["status"]
                extra = [(k.lower().encode(), v.encode()) for k, v in quota.headers().items()]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        try:
            self._keys.check_request(Request(scope).headers)
            if not quota.take():
                raise ApiError(429, None, "too many requests.")
        except ApiError as error:
            await error.response()(scope, receive, noting)
        else:
            await self._app(scope, receive, noting)
        return told[0]

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind in ("hang", "reset"):
            self.parked += fault.kind == "hang"
            try:
                await silence(fault, scope, receive)
            finally:
                self.parked -= fault.kind == "hang"
            return
        await _broken_answer(fault, self._trading)(scope, receive, send)


def verb(scope: Scope) -> str:
    """Name a call as fault plans do: method and route, DATA instead of GET for market data."""
    path: str = scope["path"]
    if not _DATA_CALLS.match(path):
        for pattern, template in _TEMPLATES:
            path = pattern.sub(template, path)
    return f"{'DATA' if _is_data(scope) else scope['method']} {path}"


def _is_data(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(("/v2/stocks/", "/v1/"))


def _broken_answer(fault: Fault, quota: Quota) -> Response:
    if fault.kind == "too_many_requests":
        response: Response = ApiError(429, None, "too many requests.").response()
        response.headers.update(quota.headers())
        return response
    if fault.kind == "not_json":
        return Response(_PAGE, 200, media_type="text/html")
    if fault.kind == "accepted_then_504":
        return Response(_PAGE, 504, media_type="text/html")
    status = fault.status or 500
    if status == 500:
        return ApiError(500, INTERNAL, "internal server error occurred").response()
    return PlainTextResponse("upstream connect error", status)
