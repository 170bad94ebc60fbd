"""The Client Portal's calls about contracts, prices and bars."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from brokers.wire.transport import VenueBar
from live.paper import portal_words
from live.paper.portal_errors import PortalError, bad_request
from live.paper.portal_session import PortalSession
from live.paper.spans import Span, gathered
from live.paper.tws_words import Listing
from live.paper.venue import Venue

MOST_POINTS = 1000
CLOSED = "C"  # before a price: the last one of a session that is over
ABROAD = 38_000_000  # added to the number of the same share in Mexico, which cannot be traded here
LAST, SYMBOL, BID, ASK, VOLUME = "31", "55", "84", "86", "87"
_BARS = {
    "1min": "1Min",
    "2min": "2Min",
    "3min": "3Min",
    "5min": "5Min",
    "10min": "10Min",
    "15min": "15Min",
    "30min": "30Min",
    "1h": "1Hour",
    "2h": "2Hour",
    "3h": "3Hour",
    "4h": "4Hour",
    "8h": "8Hour",
    "1d": "1Day",
    "1w": "1Week",
    "1m": "1Month",
}
_PERIOD = re.compile(r"^([1-9]\d{0,3})(min|h|d|w|m|y)$")
_UNITS = {"min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "m": 31 * 86_400, "y": 366 * 86_400}


class Data:
    """Contracts by symbol or number, snapshots, history.

    Args:
        twins: symbols that are listed a second time in the same country.
        unsubscribed: symbols whose prices the account may not see.
    """

    def __init__(
        self,
        venue: Venue,
        session: PortalSession,
        listings: Sequence[Listing],
        twins: Sequence[Listing] = (),
        unsubscribed: frozenset[str] = frozenset(),
    ) -> None:
        self._venue = venue
        self._session = session
        self._by_id = {it.con_id: it for it in (*listings, *twins)}
        self._unsubscribed = unsubscribed

    async def stocks(self, request: Request) -> Response:
        """GET /trsrv/stocks."""
        symbols = request.query_params.get("symbols", "").split(",")
        return JSONResponse({symbol: self._companies(symbol) for symbol in symbols})

    async def search(self, request: Request) -> Response:
        """GET /iserver/secdef/search."""
        wanted = request.query_params.get("symbol", "")
        found = [it for it in self._by_id.values() if it.symbol == wanted]
        if not found:
            raise bad_request("No symbol found")
        return JSONResponse([_searched(it) for it in found])

    async def info(self, request: Request) -> Response:
        """GET /iserver/contract/{conid}/info."""
        return JSONResponse(_info(self._listing(request.path_params["conid"])))

    async def info_and_rules(self, request: Request) -> Response:
        """GET /iserver/contract/{conid}/info-and-rules."""
        told = _info(self._listing(request.path_params["conid"]))
        return JSONResponse(told | {"rules": _RULES})

    async def snapshot(self, request: Request) -> Response:
        """GET /iserver/marketdata/snapshot: the first of each contract has no prices."""
        self._session.needs_accounts()
        fields = request.query_params.get("fields", LAST).split(",")
        known = self._session.asked.snapshots
        rows = []
        for text in request.query_params.get("conids", "").split(","):
            listing = self._listing(text)
            is_first = listing.con_id not in known
            known.add(listing.con_id)
            bare = {"conidEx": str(listing.con_id), "conid": listing.con_id}
            rows.append(bare if is_first else bare | self.prices(listing, fields))
        return JSONResponse(rows)

    async def unsubscribe(self, request: Request) -> Response:
        """POST /iserver/marketdata/unsubscribe, and GET /iserver/marketdata/unsubscribeall."""
        if request.method == "GET":
            self._session.asked.snapshots.clear()
        return JSONResponse({"unsubscribed": True})

    async def history(self, request: Request) -> Response:
        """GET /iserver/marketdata/history: what ended by `startTime`, or by now.

        The call is named for the start of the request, but its direction is backwards.
        """
        query = request.query_params
        listing = self._listing(query.get("conid", ""))
        size, period = query.get("bar", "1min"), _PERIOD.match(query.get("period", "1w"))
        if size not in _BARS or period is None:
            raise bad_request("Bad Request: bar or period")
        if listing.symbol in self._unsubscribed:
            raise PortalError(500, "No market data permissions")
        end, span = self._end(query.get("startTime", "")), Span.parse(_BARS[size])
        length = timedelta(seconds=int(period[1]) * _UNITS[period[2]])
        bars = self._bars(listing.symbol, end - length, end, span)[-MOST_POINTS:]
        if not bars:
            raise PortalError(500, "Chart data unavailable")
        return JSONResponse(
            {
                "serverId": "1",
                "symbol": listing.symbol,
                "text": f"{listing.symbol} INC",
                "startTime": f"{bars[0].start_at:%Y%m%d-%H:%M:%S}",
                "timePeriod": period[0],
                "barLength": int(span.width.total_seconds()),
                "mdAvailability": "S",
                "mktDataDelay": 0,
                "outsideRth": query.get("outsideRth", "false").lower() == "true",
                "volumeFactor": 1,
                "priceFactor": 1,
                "direction": -1,
                "messageVersion": 2,
                "data": [portal_words.bar(it) for it in bars],
                "points": len(bars) - 1,
                "travelTime": 1,
            }
        )

    def prices(self, listing: Listing, fields: Sequence[str]) -> dict[str, Any]:
        """What snapshots and the topic `smd` say of a contract; nothing where it may not."""
        bar = self._venue.market.newest(listing.symbol)
        head = {"server_id": "q0", "_updated": portal_words.millis(self._venue.at)}
        if listing.symbol in self._unsubscribed or bar is None:
            return head | {"6509": "N"}
        mark = "" if self._venue.market.hours.is_open(self._venue.at) else CLOSED
        price = f"{mark}{self._venue.market.price(listing.symbol):f}"
        known = {LAST: price, BID: price, ASK: price, SYMBOL: listing.symbol}
        known[VOLUME] = str(bar.volume)
        return head | {"6509": "RB"} | {name: known[name] for name in fields if name in known}

    def listing(self, con_id: int) -> Listing | None:
        """The contract with this number."""
        return self._by_id.get(con_id)

    def _companies(self, symbol: str) -> list[dict[str, Any]]:
        """One company a listing in the same country: a name may stand for several."""
        found = [it for it in self._by_id.values() if it.symbol == symbol]
        return [
            {
                "name": f"{symbol} INC" if number == 0 else f"{symbol} {it.primary}",
                "chineseName": None,
                "assetClass": "STK",
                "contracts": [
                    {"conid": it.con_id, "exchange": it.primary, "isUS": True},
                    {"conid": ABROAD + it.con_id, "exchange": "MEXI", "isUS": False},
                ],
            }
            for number, it in enumerate(found)
        ]

    def _listing(self, text: str) -> Listing:
        con_id = text.partition("@")[0]
        found = self._by_id.get(int(con_id)) if con_id.isascii() and con_id.isdigit() else None
        if found is None:
            raise bad_request(f"Bad Request: no contract {text}")
        return found

    def _end(self, text: str) -> datetime:
        if not text:
            return self._venue.at
        try:
            return datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            raise bad_request("Bad Request: startTime") from None

    def _bars(self, symbol: str, start: datetime, end: datetime, span: Span) -> list[VenueBar]:
        market = self._venue.market
        found = market.bars(symbol, span.start(start), end, adjusted=True)
        return gathered(found, Span.of(market.timeframe), span)


_RULES = {
    "algoEligible": False,
    "canTradeAcctIds": [],
    "error": None,
    "orderTypes": ["limit", "market", "stop", "stop_limit", "trailing_stop"],
    "tifTypes": ["IOC/MARKET,LIMIT", "GTC/o,a", "OPG/LIMIT,MARKET,a", "DAY/o,a"],
    "defaultSize": 100,
    "sizeIncrement": 1,
    "increment": 0.01,
    "incrementDigits": 2,
    "preview": False,
}


def _searched(listing: Listing) -> dict[str, Any]:
    return {
        "conid": str(listing.con_id),
        "companyHeader": f"{listing.symbol} INC - {listing.primary}",
        "companyName": f"{listing.symbol} INC",
        "symbol": listing.symbol,
        "description": listing.primary,
        "sections": [{"secType": "STK"}],
    }


def _info(listing: Listing) -> dict[str, Any]:
    return {
        "con_id": listing.con_id,
        "symbol": listing.symbol,
        "company_name": f"{listing.symbol} INC",
        "exchange": listing.primary,
        "listing_exchange": listing.primary,
        "valid_exchanges": f"SMART,{listing.primary}",
        "instrument_type": "STK",
        "currency": "USD",
        "trading_class": listing.symbol,
        "r_t_h": True,
    }
