"""Whom Alpaca lets in: keys, and 200 calls a minute."""

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from brokers.clock import Clock
from live.paper.alpaca_errors import FORBIDDEN, INTERNAL, UNAUTHORIZED, ApiError
from live.paper.faults import Fault

_WINDOW_S = 60.0
_OPEN_PATHS = ("/openapi.json",)
_TEMPLATES = (
    (re.compile(r"^/v2/(orders|assets)/[^/]+$"), r"/v2/\1/{id}"),
    (re.compile(r"^/v2/positions/[^/]+$"), "/v2/positions/{symbol}"),
    (re.compile(r"^/v2/account/activities/[^/]+$"), "/v2/account/activities/{type}"),
    (re.compile(r"^/v2/stocks/[^/]+/(.+)$"), r"/v2/stocks/{symbol}/\1"),
)
_DATA_CALLS = re.compile(r"^/v2/stocks/(bars|trades|quotes|snapshots)(/latest)?$")


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


class AlpacaDoor:
    """Lets in who has the keys and has not used up the minute.

    Args:
        quotas: for the trading calls and for the market data calls.
    """

    def __init__(self, keys: Keys, quotas: tuple[Quota, Quota]) -> None:
        self._keys = keys
        self._trading, self._data = quotas

    def counts(self, scope: Scope) -> bool:
        """See `Door.counts`: the document is open to all."""
        return scope["path"] not in _OPEN_PATHS

    def verb(self, scope: Scope) -> str:
        """See `Door.verb`."""
        path: str = scope["path"]
        if not _DATA_CALLS.match(path):
            for pattern, template in _TEMPLATES:
                path = pattern.sub(template, path)
        return f"{'DATA' if self.is_data(scope) else scope['method']} {path}"

    def is_data(self, scope: Scope) -> bool:
        """See `Door.is_data`."""
        path: str = scope["path"]
        return path.startswith(("/v2/stocks/", "/v1/"))

    def refusal(self, scope: Scope) -> Response | None:
        """See `Door.refusal`."""
        try:
            self._keys.check_request(Request(scope).headers)
        except ApiError as error:
            return error.response()
        return None if self._quota(scope).take() else _too_many()

    def headers(self, scope: Scope) -> Mapping[str, str]:
        """See `Door.headers`: what is left of the minute."""
        return self._quota(scope).headers()

    def broken(self, fault: Fault) -> Response | None:
        """See `Door.broken`."""
        if fault.kind == "too_many_requests":
            response = _too_many()
            response.headers.update(self._trading.headers())
            return response
        if fault.kind == "server_error" and fault.status in (0, 500):
            return ApiError(500, INTERNAL, "internal server error occurred").response()
        return None

    def _quota(self, scope: Scope) -> Quota:
        return self._data if self.is_data(scope) else self._trading


def _too_many() -> Response:
    return ApiError(429, None, "too many requests.").response()
