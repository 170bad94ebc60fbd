"""The paper venue speaking Alpaca: trading and market data calls, and both streams."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from brokers.clock import Clock
from brokers.errors import VenueRefused
from live.paper import alpaca_json, alpaca_openapi
from live.paper.alpaca_actions import CorporateActions
from live.paper.alpaca_data import Data
from live.paper.alpaca_errors import NOT_ALLOWED, ApiError, not_found, refused
from live.paper.alpaca_gate import AlpacaDoor, Keys, Quota
from live.paper.alpaca_orders import Orders, Positions, written
from live.paper.alpaca_streams import FEEDS, DataSession, Subscription, TradingSession, Wire, serve
from live.paper.alpaca_trading import Account, Announcement, Reference
from live.paper.gate import Gate
from live.paper.venue import Told, Venue

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Terms:
    """How the front treats its clients.

    Args:
        calls_per_minute: of each of the two APIs; 0 is no limit.
        tells_calls: answers carry X-RateLimit headers; no public document promises them.
        subscription: of the market data stream.
        has_sip: market data calls give the consolidated tape up to now.
        auth_timeout_s: to log in to the market data stream; None waits for ever.
    """

    calls_per_minute: int = 200
    tells_calls: bool = True
    subscription: Subscription = field(default_factory=Subscription)
    has_sip: bool = False
    auth_timeout_s: float | None = None


class AlpacaApi:
    """An ASGI application; `gate` counts the calls.

    Args:
        clock: of the wires: the minute that calls are counted in, the timeout of a log-in.
    """

    def __init__(
        self,
        venue: Venue,
        keys: Keys,
        clock: Clock,
        terms: Terms | None = None,
        announcements: tuple[Announcement, ...] = (),
    ) -> None:
        self._venue = venue
        self._keys = keys
        self._clock = clock
        self._terms = terms or Terms()
        app = Starlette(
            routes=[*_routes(venue, self._terms, announcements), *self._streams()],
            exception_handlers=dict.fromkeys((ApiError, VenueRefused, HTTPException), _failed),
        )
        app.router.redirect_slashes = False
        told = self._terms
        quotas = (
            Quota(clock, told.calls_per_minute, with_headers=told.tells_calls),
            Quota(clock, told.calls_per_minute, with_headers=told.tells_calls),
        )
        self.gate = Gate(app, venue.trouble, AlpacaDoor(keys, quotas))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call or one stream."""
        await self.gate(scope, receive, send)

    def _streams(self) -> list[BaseRoute]:
        return [
            WebSocketRoute("/stream", self._trading_stream),
            *(WebSocketRoute(f"/v2/{feed}", self._data_stream) for feed in FEEDS),
        ]

    async def _trading_stream(self, socket: WebSocket) -> None:
        is_paper = self._keys.environment == "paper"
        wire = Wire(socket, is_binary=is_paper, keeps_instants=False)
        session = TradingSession(wire, self._keys, self._venue.updates, self._trade_update)
        await serve(socket, self._venue.updates, session)

    async def _data_stream(self, socket: WebSocket) -> None:
        wire = Wire(socket, is_binary=False, keeps_instants=True)
        wait_s = self._terms.auth_timeout_s
        session = DataSession(
            wire,
            socket.url.path.rpartition("/")[2],
            self._keys,
            self._venue.data,
            self._terms.subscription,
            None if wait_s is None else (self._clock, wait_s),
        )
        await serve(socket, self._venue.data, session)

    def _trade_update(self, told: Told) -> dict[str, object]:
        order = written(self._venue, told.update.order, nested=True)
        return alpaca_json.trade_update(told.update, order, told.position)


def _routes(venue: Venue, terms: Terms, announcements: tuple[Announcement, ...]) -> list[BaseRoute]:
    account, reference = Account(venue), Reference(venue, announcements)
    orders, positions, data = Orders(venue), Positions(venue), Data(venue, has_sip=terms.has_sip)
    calls: dict[str, Endpoint] = {
        "GET /v2/account": account.read,
        "GET /v2/account/configurations": account.configurations,
        "PATCH /v2/account/configurations": account.configure,
        "GET /v2/account/portfolio/history": account.history,
        "GET /v2/account/activities": account.activities,
        "GET /v2/account/activities/{activity_type}": account.activities,
        "GET /v2/assets": reference.assets,
        "GET /v2/assets/{symbol}": reference.asset,
        "GET /v2/calendar": reference.calendar,
        "GET /v2/clock": reference.clock,
        "GET /v2/corporate_actions/announcements": reference.announcements,
        "GET /v2/corporate_actions/announcements/{announcement_id}": reference.announcement,
        "GET /v2/orders": orders.all,
        "POST /v2/orders": orders.submit,
        "DELETE /v2/orders": orders.cancel_all,
        "GET /v2/orders:by_client_order_id": orders.find,
        "GET /v2/orders/{order_id}": orders.one,
        "PATCH /v2/orders/{order_id}": orders.replace,
        "DELETE /v2/orders/{order_id}": orders.cancel,
        "GET /v2/positions": positions.all,
        "DELETE /v2/positions": positions.close_all,
        "GET /v2/positions/{symbol}": positions.one,
        "DELETE /v2/positions/{symbol}": positions.close,
        "GET /v1/corporate-actions": CorporateActions(venue).read,
        "GET /v2/stocks/bars": data.bars,
        "GET /v2/stocks/bars/latest": data.latest_bars,
        "GET /v2/stocks/trades": data.trades,
        "GET /v2/stocks/trades/latest": data.latest_trades,
        "GET /v2/stocks/quotes": data.quotes,
        "GET /v2/stocks/quotes/latest": data.latest_quotes,
        "GET /v2/stocks/snapshots": data.snapshots,
    }
    return [Route("/openapi.json", _Document(venue)), *_by_path(calls)]


def _by_path(calls: dict[str, Endpoint]) -> list[BaseRoute]:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for name, endpoint in calls.items():
        method, path = name.split(" ")
        by_path.setdefault(path, {})[method] = endpoint
    return [Route(path, _Methods(verbs), methods=list(verbs)) for path, verbs in by_path.items()]


class _Methods:
    """The endpoints of one path, by method."""

    def __init__(self, verbs: dict[str, Endpoint]) -> None:
        self._verbs = verbs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        response = await self._verbs[method](Request(scope, receive))
        await response(scope, receive, send)


class _Document:
    """The OpenAPI document of this venue."""

    def __init__(self, venue: Venue) -> None:
        self._response = JSONResponse(alpaca_openapi.document(venue.market.symbols))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._response(scope, receive, send)


async def _failed(_request: Request, error: Exception) -> Response:
    """Put what went wrong as Alpaca would; what is none of these is a fault of ours, a 500."""
    match error:
        case ApiError():
            return error.response()
        case VenueRefused():
            return refused(error).response()
        case HTTPException(status_code=404):
            return not_found("endpoint not found.").response()
        case HTTPException():
            response = ApiError(error.status_code, NOT_ALLOWED, "method not allowed").response()
            allowed = (error.headers or {}).get("Allow", "")
            response.headers["Allow"] = ", ".join(sorted(allowed.split(", ")))
            return response
    raise error
