"""Whom the Client Portal lets in: logged in, with a session, and not too fast."""

import math
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Scope

from brokers.clock import Clock
from live.paper.faults import Fault
from live.paper.portal_errors import PortalError, bad_request, not_authenticated, too_many
from live.paper.portal_session import PortalSession

ROOT = "/v1/api"
PENALTY_S = 600.0
_IDS = re.compile(r"/(?:DU\d+|-?\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")
_DATA_CALLS = ("/iserver/marketdata/", "/trsrv/", "/iserver/secdef/", "/iserver/contract/")
_LOGIN_CALLS = ("/tickle", "/iserver/auth/", "/iserver/reauthenticate", "/logout", "/sso/")
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


class PortalDoor:
    """Lets in who is logged in, has a session where one is needed, and does not ask too fast."""

    def __init__(self, session: PortalSession, pacing: Pacing) -> None:
        self._session = session
        self._pacing = pacing

    def counts(self, _scope: Scope) -> bool:
        """See `Door.counts`: everything."""
        return True

    def verb(self, scope: Scope) -> str:
        """See `Door.verb`."""
        route = _IDS.sub("/{id}", _path(scope))
        return f"{'DATA' if self.is_data(scope) else scope['method']} {route}"

    def is_data(self, scope: Scope) -> bool:
        """See `Door.is_data`."""
        return _path(scope).startswith(_DATA_CALLS)

    def refusal(self, scope: Scope) -> Response | None:
        """See `Door.refusal`."""
        try:
            self._pacing.check(f"{scope['method']} {_path(scope)}")
            self._admit(_path(scope))
        except PortalError as error:
            return error.response()
        return None

    def headers(self, _scope: Scope) -> Mapping[str, str]:
        """See `Door.headers`: nothing."""
        return {}

    def broken(self, fault: Fault) -> Response | None:
        """See `Door.broken`; too many requests may bring a penalty."""
        if fault.kind != "too_many_requests":
            return None
        if fault.wait_s:
            self._pacing.punish(fault.wait_s)
        return too_many().response()

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


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(ROOT).rstrip("/")
