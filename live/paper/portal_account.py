"""The Client Portal's calls about the account: money and positions."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from brokers.clock import Clock
from live.paper import portal_words
from live.paper.portal_errors import bad_request
from live.paper.portal_session import PortalSession
from live.paper.tws_words import Listing
from live.paper.venue import Venue

PAGE, KEPT_S = 100, 60.0


class Account:
    """/iserver/accounts and /portfolio; positions by page are as old as their first page.

    Args:
        listings: by symbol.
        clock: in which the age of positions is measured.
    """

    def __init__(
        self,
        venue: Venue,
        session: PortalSession,
        listings: Mapping[str, Listing],
        account: str,
        clock: Clock,
    ) -> None:
        self._venue = venue
        self._session = session
        self._listings = listings
        self._account = account
        self._clock = clock
        self._kept: list[dict[str, Any]] | None = None
        self._kept_at_s = 0.0

    async def brokerage(self, _request: Request) -> Response:
        """GET /iserver/accounts, which orders and snapshots want to come first."""
        self._session.asked.accounts = True
        words: dict[str, Any] = {
            "aliases": {self._account: self._account},
            "selectedAccount": self._account,
        }
        words |= {"sessionId": self._session.name[:8], "isFT": False, "isPaper": True}
        return JSONResponse({"accounts": [self._account], "acctProps": {}, **words})

    async def select(self, _request: Request) -> Response:
        """POST /iserver/account: there is one account only."""
        return JSONResponse({"success": "Account already set"})

    async def portfolios(self, _request: Request) -> Response:
        """GET /portfolio/accounts, which every other /portfolio call wants to come first."""
        self._session.asked.portfolio = True
        words = {"id": self._account, "accountId": self._account, "displayName": self._account}
        return JSONResponse([words | {"currency": "USD", "type": "DEMO", "tradingType": "STKNOPT"}])

    async def positions(self, request: Request) -> Response:
        """GET /portfolio/{account}/positions/{page}: kept for a minute."""
        self._check(request)
        text = request.path_params["page"]
        if not (text.isascii() and text.isdigit()):
            raise bad_request("Bad Request: page")
        first, now_s = int(text) * PAGE, self._clock.monotonic()
        if self._kept is None or now_s - self._kept_at_s > KEPT_S:
            self._kept, self._kept_at_s = self._positions(), now_s
        return JSONResponse(self._kept[first : first + PAGE])

    async def positions_now(self, request: Request) -> Response:
        """GET /portfolio2/{account}/positions: never kept."""
        self._check(request)
        return JSONResponse(self._positions())

    async def invalidate(self, request: Request) -> Response:
        """POST /portfolio/{account}/positions/invalidate."""
        self._check(request)
        self._kept = None
        return JSONResponse({"message": "success"})

    async def ledger(self, request: Request) -> Response:
        """GET /portfolio/{account}/ledger."""
        self._check(request)
        account, at = self._venue.matching.account(), int(self._venue.at.timestamp())
        words = {
            "acctcode": self._account,
            "cashbalance": float(account.cash),
            "settledcash": float(account.cash),
            "netliquidationvalue": float(account.equity),
            "stockmarketvalue": float(account.equity - account.cash),
            "timestamp": at,
            "key": "LedgerList",
        }
        return JSONResponse(
            {name: words | {"currency": name, "secondkey": name} for name in ("USD", "BASE")}
        )

    async def summary(self, request: Request) -> Response:
        """GET /portfolio/{account}/summary."""
        self._check(request)
        account, at = self._venue.matching.account(), portal_words.millis(self._venue.at)
        numbers = {
            "totalcashvalue": account.cash,
            "netliquidation": account.equity,
            "equitywithloanvalue": account.equity,
            "availablefunds": account.cash,
            "buyingpower": account.buying_power,
            "grosspositionvalue": abs(account.equity - account.cash),
        }
        told: dict[str, Any] = {
            name: {"amount": float(it), "currency": "USD", "isNull": False, "value": None}
            for name, it in numbers.items()
        }
        told["accountcode"] = {"amount": 0, "currency": None, "value": self._account}
        told["accounttype"] = {"amount": 0, "currency": None, "value": "INDIVIDUAL"}
        return JSONResponse({name: {"timestamp": at, **row} for name, row in told.items()})

    def _positions(self) -> list[dict[str, Any]]:
        rows = []
        for held in self._venue.matching.positions():
            price: Decimal = self._venue.market.price(held.symbol) or held.average_price
            listing = self._listings[held.symbol]
            rows.append(portal_words.position(held, listing, price, self._account))
        return rows

    def _check(self, request: Request) -> None:
        self._session.needs_portfolio()
        if request.path_params["account"] != self._account:
            raise bad_request("Bad Request: accountId")
