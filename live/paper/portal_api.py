"""The paper venue speaking as the Client Portal gateway does: REST and one websocket."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from brokers.clock import Clock, SystemClock
from live.paper.gate import Gate
from live.paper.portal_account import Account
from live.paper.portal_data import Data
from live.paper.portal_errors import PortalError, not_authenticated, too_many
from live.paper.portal_faults import PortalFaults
from live.paper.portal_gate import PENALTY_S, ROOT, Pacing, PortalDoor
from live.paper.portal_login import Login
from live.paper.portal_orders import Orders
from live.paper.portal_questions import Precautions
from live.paper.portal_session import LASTS_S, PortalSession
from live.paper.portal_streams import Connection, OrderEvents, Prices
from live.paper.tws_words import Listing
from live.paper.venue import Venue

FIRST_CON_ID = 265_598
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Terms:
    """How the gateway treats its clients.

    Args:
        twins: second listings of symbols, by symbol: their exchange.
        precautions: what it asks back before it takes an order.
        is_paced: the limits of IBKR hold.
        penalty_s: how long nothing is answered to whoever asked too fast.
        lasts_s: a brokerage session without requests.
    """

    account: str = "DU123456"
    twins: tuple[tuple[str, str], ...] = ()
    precautions: Precautions = field(default_factory=Precautions)
    is_paced: bool = True
    penalty_s: float = PENALTY_S
    lasts_s: float = LASTS_S


class PortalApi:
    """An ASGI application.

    Args:
        clock: of the wires: idle time, pacing, how old positions are.
        pulse: the time in which heartbeats come, which goes on while the clock stands still.
    """

    def __init__(
        self, venue: Venue, clock: Clock, terms: Terms | None = None, pulse: Clock | None = None
    ) -> None:
        self.terms = terms or Terms()
        self._venue = venue
        self._pulse = pulse or SystemClock()
        self.session = PortalSession(clock, lasts_s=self.terms.lasts_s)
        self.pacing = Pacing(clock, self.terms.is_paced, self.terms.penalty_s)
        numbers = enumerate(venue.market.symbols, FIRST_CON_ID)
        listings = {symbol: Listing(symbol, con_id) for con_id, symbol in numbers}
        places = enumerate(self.terms.twins, FIRST_CON_ID + len(listings))
        twins = [Listing(symbol, con_id, place) for con_id, (symbol, place) in places]
        by_id = {it.con_id: it for it in listings.values()}
        account, cautions = self.terms.account, self.terms.precautions
        self.orders = Orders(venue, self.session, by_id, account, cautions)
        self.account = Account(venue, self.session, listings, account, clock)
        hidden = frozenset(cautions.unsubscribed)
        self.data = Data(venue, self.session, tuple(listings.values()), twins, hidden)
        self.login = Login(self.session, self.tell_status)
        self.connection: Connection | None = None
        app = Starlette(
            routes=[*self._routes(), WebSocketRoute(f"{ROOT}/ws", self._stream)],
            exception_handlers={PortalError: _refused, HTTPException: _astray},
        )
        venue.front = self.faults = PortalFaults(self, venue.trouble, clock)
        self.gate = Gate(app, venue.trouble, PortalDoor(self.session, self.pacing))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call or the websocket."""
        await self.gate(scope, receive, send)

    @property
    def requests(self) -> int:
        """How many calls came."""
        return self.gate.requests

    @property
    def in_flight(self) -> int:
        """How many are not answered yet."""
        return self.gate.in_flight

    @property
    def parked(self) -> int:
        """How many of these never will be."""
        return self.gate.parked

    @property
    def told(self) -> int:
        """Messages of the websocket, heartbeats left out; -1: nobody is there."""
        return self.connection.sent if self.connection else -1

    async def tell_status(self) -> None:
        """Tell whoever listens how the session is."""
        if self.connection is not None:
            await self.connection.tell_status()

    async def break_off(self) -> None:
        """Break the websocket without a word."""
        if self.connection is not None:
            await self.connection.break_off()

    async def _stream(self, socket: WebSocket) -> None:
        """Serve the websocket; a second one takes the place of the first."""
        venue = self._venue
        if not self.session.is_logged_in:
            await socket.send_denial_response(not_authenticated().response())
            return
        if venue.updates.is_held:
            venue.updates.refuse()
            await socket.send_denial_response(too_many().response())
            return
        await socket.accept()
        before = self.connection
        parts = (socket, venue, self.session, self.orders, self.data, self._pulse)
        connection = self.connection = Connection(*parts)
        events, prices = OrderEvents(connection), Prices(connection)
        venue.updates.attach(events)
        venue.data.attach(prices)
        if before is not None:
            await before.break_off()
        try:
            await connection.run()
        except WebSocketDisconnect:
            return
        finally:
            venue.updates.detach(events)
            venue.data.detach(prices)
            if self.connection is connection:
                self.connection = None

    def _routes(self) -> list[BaseRoute]:
        calls = _calls(self.login, self.account, self.data, self.orders)
        return [
            Route(f"{ROOT}{path}", endpoint, methods=verbs.split("|"))
            for (verbs, path), endpoint in calls.items()
        ]


def _calls(
    login: Login, account: Account, data: Data, orders: Orders
) -> dict[tuple[str, str], Endpoint]:
    one, market = "/iserver/account/{account}", "/iserver/marketdata"
    held = "/portfolio/{account}/positions"
    return {
        ("GET|POST", "/tickle"): login.tickle,
        ("GET|POST", "/iserver/auth/status"): login.status,
        ("POST", "/iserver/auth/ssodh/init"): login.begin,
        ("GET|POST", "/iserver/reauthenticate"): login.begin_again,
        ("GET", "/sso/validate"): login.validate,
        ("GET|POST", "/logout"): login.log_out,
        ("GET", "/iserver/accounts"): account.brokerage,
        ("POST", "/iserver/account"): account.select,
        ("GET", "/portfolio/accounts"): account.portfolios,
        ("GET", held + "/{page}"): account.positions,
        ("POST", held + "/invalidate"): account.invalidate,
        ("GET", "/portfolio2/{account}/positions"): account.positions_now,
        ("GET", "/portfolio/{account}/ledger"): account.ledger,
        ("GET", "/portfolio/{account}/summary"): account.summary,
        ("GET", "/trsrv/stocks"): data.stocks,
        ("GET", "/iserver/secdef/search"): data.search,
        ("GET", "/iserver/contract/{conid}/info"): data.info,
        ("GET", "/iserver/contract/{conid}/info-and-rules"): data.info_and_rules,
        ("GET", f"{market}/snapshot"): data.snapshot,
        ("GET", f"{market}/history"): data.history,
        ("POST", f"{market}/unsubscribe"): data.unsubscribe,
        ("GET", f"{market}/unsubscribeall"): data.unsubscribe,
        ("GET", "/iserver/account/orders"): orders.live,
        ("GET", "/iserver/account/trades"): orders.trades,
        ("GET", "/iserver/account/trades/"): orders.trades,
        ("GET", "/iserver/account/order/status/{order_id}"): orders.status,
        ("POST", one + "/orders"): orders.place,
        ("POST", one + "/order/{order_id}"): orders.modify,
        ("DELETE", one + "/order/{order_id}"): orders.cancel,
        ("POST", "/iserver/reply/{reply_id}"): orders.reply,
        ("POST", "/iserver/questions/suppress"): orders.suppress,
        ("POST", "/iserver/questions/suppress/reset"): orders.ask_again,
    }


async def _refused(_request: Request, error: Exception) -> Response:
    return cast("PortalError", error).response()


async def _astray(_request: Request, error: Exception) -> Response:
    """Answer a call that there is not."""
    lost = cast("HTTPException", error)
    return JSONResponse({"error": lost.detail}, lost.status_code)
