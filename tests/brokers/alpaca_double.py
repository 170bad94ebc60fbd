"""Enough of Alpaca for the tests of its transport: orders that fill when the test says so.

It keeps no cash and refuses little; `answers` scripts what a request gets instead of its due.
"""

import asyncio
import json
import uuid
from collections import deque
from datetime import timedelta

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from brokers.wire.alpaca_access import AlpacaKeys
from tests.brokers.timers import START_AT

KEY_ID, SECRET = "PKTEST", "a-secret-of-the-test"
NULLS = (
    *("filled_at", "expired_at", "expires_at", "canceled_at", "failed_at", "replaced_at"),
    *("replaced_by", "replaces", "notional", "limit_price", "stop_price", "trail_price"),
    *("trail_percent", "hwm", "filled_avg_price", "legs"),
)
ENDED = ("filled", "canceled", "expired", "rejected", "replaced")


class AlpacaDouble:
    """The venue; `app` speaks for it, the rest is for the test."""

    def __init__(self):
        self.orders = {}
        self.activities = []
        self.requests = []
        self.answers = deque()  # (method, what): a Response, or a coroutine function
        self.sockets = {}  # socket -> whether it listens
        self.refuse_streams = deque()  # statuses for the next openings
        self.is_binary = True
        self.sends_execution_ids = True
        self.account = {
            "id": str(self._uuid(0)),
            "account_number": "PA1",
            "status": "ACTIVE",
            "currency": "USD",
            "cash": "100000",
            "equity": "100000",
            "buying_power": "200000",
            "created_at": "2024-01-01T00:00:00Z",
            "trading_blocked": False,
        }
        self._at = START_AT
        self._last_id = 0
        self.app = Starlette(
            routes=[
                Route("/v2/account", self._get_account),
                Route("/v2/account/activities/FILL", self._get_fills),
                Route("/v2/positions", self._get_positions),
                Route("/v2/orders", self._post, methods=["POST"]),
                Route("/v2/orders", self._get_orders),
                Route("/v2/orders:by_client_order_id", self._get_by_client_id),
                Route("/v2/orders/{id}", self._one, methods=["GET", "PATCH", "DELETE"]),
                WebSocketRoute("/stream", self._stream),
            ]
        )

    def script(self, method, answer):
        """Give the next request of this method another answer than its due."""
        self.answers.append((method, answer))

    async def trade(self, symbol, price):
        """Fill whatever fills at this price."""
        for row in [row for row in self.orders.values() if row["symbol"] == symbol]:
            is_exit = row["status"] == "held" and row["order_class"] == "oco"  # triggers from there
            works = is_exit or row["status"] in ("new", "accepted", "partially_filled")
            if works and _hits(row, price):
                await self.fill(row, price)

    async def fill(self, row, price, quantity=None):
        """Fill an order, whole or in part."""
        left = float(row["qty"]) - float(row["filled_qty"])
        quantity = left if quantity is None else quantity
        done = float(row["filled_qty"]) + quantity
        status = "filled" if done == float(row["qty"]) else "partially_filled"
        self._change(row, status, filled_qty=f"{done:g}", filled_avg_price=f"{price}")
        number, event = self._uuid(), "fill" if status == "filled" else "partial_fill"
        activity = {
            "id": f"{self._at:%Y%m%d%H%M%S}{self._at.microsecond // 1000:03}::{number}",
            "activity_type": "FILL",
            "transaction_time": row["updated_at"],
            "type": event,
            "price": f"{price}",
            "qty": f"{quantity:g}",
            "cum_qty": row["filled_qty"],
            "side": row["side"],
            "symbol": row["symbol"],
            "order_id": row["id"],
        }
        self.activities.append(activity)
        extra = {"price": activity["price"], "qty": activity["qty"]}
        if self.sends_execution_ids:
            extra["execution_id"] = str(number)
        await self._tell(event, row, **extra)
        if status == "filled":
            await self._follow(row)

    async def drop(self):
        """End every stream."""
        for socket in [*self.sockets]:
            self.sockets.pop(socket, None)
            await socket.close(1001)

    async def send_raw(self, text):
        """Send a frame of any content to those who listen."""
        for socket in [socket for socket, listens in self.sockets.items() if listens]:
            await socket.send_text(text)

    async def _scripted(self, request):
        """What stands before every call: the record, the keys, the script."""
        self.requests.append((request.method, request.url.path, await request.body()))
        if request.headers.get("apca-api-secret-key") != SECRET:
            return _error(401, 40110000, "request is not authorized.")
        if self.answers and self.answers[0][0] == request.method:
            answer = self.answers.popleft()[1]
            return answer if isinstance(answer, Response) else await answer(self, request)
        return None

    async def _get_account(self, request):
        return await self._scripted(request) or JSONResponse(self.account)

    async def _get_fills(self, request):
        if scripted := await self._scripted(request):
            return scripted
        asked = request.query_params
        rows = [row for row in self.activities if row["transaction_time"] > asked["after"]]
        ids = [row["id"] for row in rows]
        first = ids.index(asked["page_token"]) + 1 if "page_token" in asked else 0
        return JSONResponse(rows[first : first + int(asked["page_size"])])

    async def _get_positions(self, request):
        if scripted := await self._scripted(request):
            return scripted
        held = {}
        for row in self.activities:
            sign = 1 if row["side"] == "buy" else -1
            held[row["symbol"]] = held.get(row["symbol"], 0) + sign * float(row["qty"])
        price = {row["symbol"]: row["price"] for row in self.activities}
        return JSONResponse([_position(s, q, price[s]) for s, q in held.items() if q])

    async def _post(self, request):
        if scripted := await self._scripted(request):
            return scripted
        return self.accept(await request.json())

    def accept(self, body):
        """Take an order in, and answer as Alpaca does."""
        known = {row["client_order_id"] for row in self.orders.values()}
        if body["client_order_id"] in known:
            return _error(422, 40010001, "client_order_id must be unique")
        if body["symbol"] == "POOR":
            return _error(403, 40310000, "insufficient buying power")
        exits = body.get("take_profit"), body.get("stop_loss")
        is_oco = body.get("order_class") == "oco"
        if is_oco:
            body = body | body["take_profit"]
            exits = None, body["stop_loss"]
        row = self._row(body)
        other = body["side"] if is_oco else {"buy": "sell", "sell": "buy"}[body["side"]]
        legs = [
            self._row(_leg(body, other, kind, prices), status="held")
            for kind, prices in zip(("limit", "stop"), exits, strict=True)
            if prices
        ]
        row["legs"] = legs or None
        return JSONResponse(row)

    async def _get_orders(self, request):
        if scripted := await self._scripted(request):
            return scripted
        asked, legs = request.query_params, self._legs()
        rows = [
            row
            for row in reversed(self.orders.values())
            if row["id"] not in legs
            and row["submitted_at"] > asked["after"]
            and row["submitted_at"] < asked.get("until", "9")
        ]
        return JSONResponse(rows[: int(asked["limit"])])

    async def _get_by_client_id(self, request):
        if scripted := await self._scripted(request):
            return scripted
        wanted = request.query_params["client_order_id"]
        for row in self.orders.values():
            if row["client_order_id"] == wanted:
                return JSONResponse(row | {"legs": None})
        return _error(404, 40410000, f"order not found for {wanted}")

    async def _one(self, request):
        if scripted := await self._scripted(request):
            return scripted
        row = self.orders.get(request.path_params["id"])
        if row is None:
            return _error(404, 40410000, f"order not found for {request.path_params['id']}")
        if request.method == "GET":
            return JSONResponse(row)
        if row["status"] in ENDED:
            return _error(422, 42210000, f'order is already in "{row["status"]}" state')
        if request.method == "DELETE":
            await self.cancel(row)
            return Response(status_code=204)
        return JSONResponse(await self._replace(row, await request.json()))

    async def cancel(self, row):
        """Cancel an order and its legs."""
        self._change(row, "canceled", canceled_at=self._now())
        await self._tell("canceled", row)
        for leg in row["legs"] or ():
            await self.cancel(leg)

    async def _replace(self, row, body):
        terms = {name: row[name] for name in ("symbol", "side", "type", "qty", "time_in_force")}
        prices = {name: row[name] for name in ("limit_price", "stop_price")}
        new = self._row(terms | prices | body, replaces=row["id"])
        self._change(row, "replaced", replaced_by=new["id"], replaced_at=self._now())
        await self._tell("replaced", row)
        await self._tell("new", new)
        return new

    async def _stream(self, socket):
        if self.refuse_streams:
            status = self.refuse_streams.popleft()
            await socket.send_denial_response(Response(status_code=status))
            return
        await socket.accept()
        self.sockets[socket] = False
        try:
            while True:
                await self._hear(socket, json.loads(await socket.receive_text()))
        except (WebSocketDisconnect, RuntimeError):
            self.sockets.pop(socket, None)

    async def _hear(self, socket, said):
        if said["action"] == "authenticate":
            right = said["data"] == {"key_id": KEY_ID, "secret_key": SECRET}
            status = "authorized" if right else "unauthorized"
            await self._send(socket, "authorization", {"status": status, "action": "authenticate"})
        else:
            self.sockets[socket] = True
            await self._send(socket, "listening", said["data"])

    async def _tell(self, event, row, **extra):
        data = {"event": event, "order": row | {"legs": None}, "timestamp": self._now(), **extra}
        for socket in [socket for socket, listens in self.sockets.items() if listens]:
            await self._send(socket, "trade_updates", data)

    async def _send(self, socket, stream, data):
        text = json.dumps({"stream": stream, "data": data})
        if self.is_binary:
            await socket.send_bytes(text.encode())
        else:
            await socket.send_text(text)

    def _row(self, body, status="new", **more):
        number, at = self._uuid(), self._now()
        row = dict.fromkeys(NULLS) | {
            "id": str(number),
            "client_order_id": body.get("client_order_id") or f"venue-{number}",
            "created_at": at,
            "updated_at": at,
            "submitted_at": at,
            "asset_id": str(self._uuid(1)),
            "asset_class": "us_equity",
            "filled_qty": "0",
            "order_class": "",
            "extended_hours": False,
            "status": status,
            **{name: text for name, text in body.items() if not isinstance(text, dict)},
            **more,
        }
        row["order_type"] = row["type"]
        self.orders[row["id"]] = row
        return row

    def _change(self, row, status, **more):
        row.update(status=status, updated_at=self._now(), **more)

    async def _follow(self, row):
        """Wake the legs of a filled entry, or cancel the sibling of a filled leg."""
        for entry in [entry for entry in self.orders.values() if entry["legs"]]:
            for leg in entry["legs"]:
                if entry is row and leg["status"] == "held":
                    if row["order_class"] == "oco":
                        await self.cancel(leg)
                        continue
                    self._change(leg, "new")
                    await self._tell("new", leg)
                elif row in entry["legs"] and leg is not row and leg["status"] not in ENDED:
                    await self.cancel(leg)
            if row in entry["legs"] and entry["status"] not in ENDED:
                await self.cancel(entry)

    def _legs(self):
        return {leg["id"] for row in self.orders.values() for leg in row["legs"] or ()}

    def _now(self):
        self._at += timedelta(milliseconds=1)
        return self._at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _uuid(self, number=None):
        if number is None:
            self._last_id = number = getattr(self, "_last_id", 0) + 1
        return uuid.UUID(int=(4 << 76) | (8 << 60) | number)


def html(status):
    return Response("<html>gateway</html>", status, media_type="text/html")


async def hang(double, request):
    """Never answer."""
    await asyncio.Event().wait()


async def accept_then_504(double, request):
    double.accept(await request.json())
    return html(504)


async def accept_then_hang(double, request):
    double.accept(await request.json())
    await asyncio.Event().wait()


def _error(status, code, message):
    return JSONResponse({"code": code, "message": message}, status)


def _leg(body, side, kind, prices):
    kind = "stop_limit" if kind == "stop" and "limit_price" in prices else kind
    kept = {name: body[name] for name in ("symbol", "qty", "time_in_force", "order_class")}
    return kept | {"side": side, "type": kind} | prices


def _hits(row, price):
    """Whether an order, alone at the venue, would fill at this price."""
    sign = 1 if row["side"] == "buy" else -1
    if row["type"] == "market":
        return True
    if row["type"] == "limit":
        return sign * (float(row["limit_price"]) - price) >= 0
    return sign * (price - float(row["stop_price"])) >= 0


def _position(symbol, quantity, price):
    return {
        "asset_id": str(uuid.UUID(int=(4 << 76) | (8 << 60))),
        "symbol": symbol,
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "qty": f"{quantity:g}",
        "side": "long" if quantity > 0 else "short",
        "avg_entry_price": price,
        "cost_basis": "0",
    }


def keys(secret=SECRET):
    return AlpacaKeys(SecretStr(KEY_ID), SecretStr(secret))
