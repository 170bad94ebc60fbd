"""Alpaca's calls about orders and positions."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from brokers.errors import VenueRefused
from brokers.orders import OrderSchema
from brokers.wire.transport import ENDED, VenueOrder, VenuePosition
from live.paper import alpaca_json
from live.paper.alpaca_errors import ApiError, not_found, refused, unprocessable
from live.paper.alpaca_forms import json_object, order_form, replacement_form
from live.paper.alpaca_query import Query
from live.paper.tickets import Ticket
from live.paper.venue import Venue

_AWAKE = ("pending", "new", "partially_filled")
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Orders:
    """/v2/orders."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def submit(self, request: Request) -> Response:
        """POST /v2/orders."""
        body = json_object(await request.body())
        form = order_form(body, self._venue.next_id, self._venue.market.price)
        order = await self._venue.submit(form.schema, form.notional)
        return JSONResponse(written(self._venue, order, nested=True))

    async def all(self, request: Request) -> Response:
        """GET /v2/orders: pages by `after` and `until`, both exclusive, on submitted_at."""
        query = Query(request.query_params)
        nested, limit = query.flag("nested"), query.count("limit", 50, 500)
        status = query.choice("status", ("open", "closed", "all"), "open")
        newest_first = query.choice("direction", ("asc", "desc"), "desc") == "desc"
        side = query.choice("side", ("buy", "sell", "any"), "any")
        after, until = query.instant("after") or _FIRST, query.instant("until") or _LAST
        symbols = query.symbols()
        found = []
        for ticket in self._tickets(nested=nested):
            if not after < ticket.created_at < until or (symbols and ticket.symbol not in symbols):
                continue
            order = self._venue.matching.order(ticket.venue_order_id)
            if order is None or side not in ("any", order.side):
                continue
            if status == "all" or _is_open(order, nested=nested) == (status == "open"):
                found.append(order)
        found = found[::-1] if newest_first else found
        return JSONResponse([written(self._venue, order, nested=nested) for order in found[:limit]])

    async def one(self, request: Request) -> Response:
        """GET /v2/orders/{id}."""
        order = self._known(request)
        nested = Query(request.query_params).flag("nested")
        return JSONResponse(written(self._venue, order, nested=nested))

    async def find(self, request: Request) -> Response:
        """GET /v2/orders:by_client_order_id."""
        query = Query(request.query_params)
        name = query.text("client_order_id")
        if not name:
            raise unprocessable("client_order_id is required")
        order = self._venue.matching.find(name)
        if order is None:
            raise not_found(f"order not found for {name}")
        return JSONResponse(written(self._venue, order, nested=query.flag("nested")))

    async def replace(self, request: Request) -> Response:
        """PATCH /v2/orders/{id}: another order, with an id of its own."""
        body = json_object(await request.body())
        order = self._alive(request)
        ticket = self._venue.tickets[order.venue_order_id]
        change, name = replacement_form(body, ticket.terms)
        new = await self._venue.replace(ticket, change, name)
        return JSONResponse(written(self._venue, new, nested=True))

    async def cancel(self, request: Request) -> Response:
        """DELETE /v2/orders/{id}."""
        await self._venue.cancel(self._alive(request).venue_order_id)
        return Response(status_code=204)

    async def cancel_all(self, _request: Request) -> Response:
        """DELETE /v2/orders."""
        return JSONResponse(await cancel_open(self._venue), 207)

    def _tickets(self, *, nested: bool) -> Iterator[Ticket]:
        return (it for it in self._venue.tickets if not (nested and it.parent_id))

    def _known(self, request: Request) -> VenueOrder:
        name = request.path_params["order_id"]
        order = self._venue.matching.order(name)
        if order is None:
            raise not_found(f"order not found for {name}")
        return order

    def _alive(self, request: Request) -> VenueOrder:
        order = self._known(request)
        if order.status in ENDED:
            raise unprocessable(f'order is already in "{order.status}" state')
        return order


class Positions:
    """/v2/positions."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def all(self, _request: Request) -> Response:
        """GET /v2/positions."""
        return JSONResponse([self._written(held) for held in self._venue.matching.positions()])

    async def one(self, request: Request) -> Response:
        """GET /v2/positions/{symbol or asset id}."""
        return JSONResponse(self._written(self._held(request)))

    async def close(self, request: Request) -> Response:
        """DELETE /v2/positions/{symbol or asset id}: a market order for all or a part of it."""
        query = Query(request.query_params)
        quantity, percentage = query.decimal("qty"), query.decimal("percentage")
        if quantity is not None and percentage is not None:
            raise unprocessable("only one of qty or percentage is allowed")
        if percentage is not None and percentage > 100:
            raise unprocessable("percentage must be between 0 and 100")
        held = self._held(request)
        if percentage is not None:
            quantity = (abs(held.quantity) * percentage / 100).quantize(
                Decimal("1e-9"), rounding="ROUND_DOWN"
            )
        order = await self._close(held, quantity or abs(held.quantity))
        return JSONResponse(written(self._venue, order, nested=False))

    async def close_all(self, request: Request) -> Response:
        """DELETE /v2/positions: each for itself, one row each."""
        if Query(request.query_params).flag("cancel_orders"):
            await cancel_open(self._venue)
        rows: list[dict[str, Any]] = []
        for held in self._venue.matching.positions():
            row: dict[str, Any] = {"symbol": held.symbol}
            try:
                order = await self._close(held, abs(held.quantity))
            except VenueRefused as error:
                verdict = refused(error)
                rows.append({**row, "status": verdict.status, "body": verdict.body})
            else:
                body = written(self._venue, order, nested=False)
                rows.append({**row, "status": 200, "body": body})
        return JSONResponse(rows, 207)

    async def _close(self, held: VenuePosition, quantity: Decimal) -> VenueOrder:
        fields = {
            "client_order_id": self._venue.next_id(),
            "symbol": held.symbol,
            "side": "sell" if held.quantity > 0 else "buy",
            "quantity": quantity,
            "order_type": "market",
            "time_in_force": "day",
        }
        return await self._venue.submit(OrderSchema.model_validate(fields))

    def _held(self, request: Request) -> VenuePosition:
        name = request.path_params["symbol"]
        for held in self._venue.matching.positions():
            if name in (held.symbol, alpaca_json.asset_id(held.symbol)):
                return held
        raise not_found("position does not exist")

    def _written(self, held: VenuePosition) -> dict[str, Any]:
        price = self._venue.market.price(held.symbol) or held.average_price
        before = self._venue.market.price_before_today(held.symbol) or price
        promised = self._promised(held)
        sign = 1 if held.quantity > 0 else -1
        free = sign * max(abs(held.quantity) - promised, Decimal(0))
        return alpaca_json.position(held, price, before, free)

    def _promised(self, held: VenuePosition) -> Decimal:
        """Units that working orders would close; legs of one family never fill together."""
        side = "sell" if held.quantity > 0 else "buy"
        promised: dict[str, Decimal] = {}
        alive = self._venue.matching.desk.alive
        for ticket in self._venue.tickets:
            order = alive.get(ticket.venue_order_id)
            if order and (order.symbol, order.terms.side) == (held.symbol, side):
                left = order.remaining if order.status in _AWAKE else Decimal(0)
                family = ticket.parent_id or ticket.venue_order_id
                promised[family] = max(promised.get(family, left), left)
        return sum(promised.values(), Decimal(0))


def written(venue: Venue, order: VenueOrder, *, nested: bool) -> dict[str, Any]:
    """Write an order, with its legs inside where it was asked for nested."""
    legs = [written(venue, leg, nested=False) for leg in order.legs] if nested else []
    return alpaca_json.order(order, venue.tickets[order.venue_order_id], legs or None)


async def cancel_open(venue: Venue) -> list[dict[str, Any]]:
    """Cancel every order at work; a row each with the status of its cancel."""
    rows: list[dict[str, Any]] = []
    for ticket in venue.tickets:
        order = venue.matching.order(ticket.venue_order_id)
        if order is None or order.status not in (*_AWAKE, "held"):
            continue
        row: dict[str, Any] = {"id": ticket.venue_order_id}
        try:
            await venue.cancel(ticket.venue_order_id)
        except VenueRefused as error:
            verdict: ApiError = refused(error)
            rows.append({**row, "status": 500, "body": verdict.body})
        else:
            rows.append({**row, "status": 200})
    return rows


def _is_open(order: VenueOrder, *, nested: bool) -> bool:
    """Sleeping legs are not open by themselves (trade-api-python#322), inside their entry they are.

    A filled entry stays open, nested, as long as a leg of it is at work.
    """
    if order.status in _AWAKE:
        return True
    return nested and any(leg.status in (*_AWAKE, "held") for leg in order.legs)
