"""The Client Portal's calls about the session: upkeep, status, competition."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from live.paper.portal_errors import PortalError
from live.paper.portal_session import PortalSession


class Login:
    """/tickle, /iserver/auth, /sso and /logout.

    Args:
        tell: passes a change of the session on to the websocket.
    """

    def __init__(self, session: PortalSession, tell: Callable[[], Awaitable[None]]) -> None:
        self._session = session
        self._tell = tell

    async def tickle(self, _request: Request) -> Response:
        """POST /tickle: keeps the session alive, and names it."""
        session = self._session
        words = {"session": session.name, "ssoExpires": 300_000, "userId": 1}
        words |= {"collission": session.is_competing, "hmds": {"error": "no bridge"}}
        return JSONResponse(words | {"iserver": {"authStatus": session.status()}})

    async def status(self, _request: Request) -> Response:
        """POST /iserver/auth/status."""
        return JSONResponse(self._session.status())

    async def begin(self, request: Request) -> Response:
        """POST /iserver/auth/ssodh/init: begins a brokerage session."""
        try:
            compete = (await request.json()).get("compete") is True
        except (ValueError, AttributeError):
            compete = False
        if not self._session.begin(compete=compete):
            raise PortalError(500, "failed to generate sso dh token")
        await self._tell()
        return JSONResponse(self._session.status())

    async def begin_again(self, _request: Request) -> Response:
        """POST /iserver/reauthenticate: the old way, which ousts nobody."""
        self._session.begin(compete=False)
        await self._tell()
        return JSONResponse({"message": "triggered"})

    async def validate(self, _request: Request) -> Response:
        """GET /sso/validate."""
        words = {"USER_ID": 1, "USER_NAME": "seawall", "EXPIRES": 300_000, "LOGIN_TYPE": 2}
        return JSONResponse(words | {"RESULT": self._session.is_logged_in})

    async def log_out(self, _request: Request) -> Response:
        """POST /logout."""
        self._session.log_out()
        await self._tell()
        return JSONResponse({"status": True})
