"""A Client Portal that does what a test says, where our venue's own one does as IBKR's does."""

import asyncio
from collections import defaultdict
from contextlib import suppress

import orjson
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

ACCOUNT = "DU123456"
AT_MS = 1709564400000  # 2024-03-04 15:00 UTC


def order_row(number, ref, **fields):
    """A row as `Live Orders` has it."""
    row = {
        "acct": ACCOUNT,
        "orderId": number,
        "order_ref": ref,
        "conid": 265598,
        "ticker": "AAPL",
        "side": "BUY",
        "totalSize": 10.0,
        "filledQuantity": 0.0,
        "remainingQuantity": 10.0,
        "orderType": "Limit",
        "price": "90.0",
        "timeInForce": "GTC",
        "status": "Submitted",
        "lastExecutionTime_r": AT_MS,
    }
    return {key: value for key, value in {**row, **fields}.items() if value is not None}


def trade_row(number, ref, **fields):
    """A row as `Trades` has it."""
    row = {
        "execution_id": f"0000e0d5.{number}.01",
        "symbol": "AAPL",
        "conid": 265598,
        "side": "B",
        "size": 10.0,
        "price": "100.00",
        "order_ref": ref,
        "trade_time_r": AT_MS,
        "commission": "1.00",
        "account": ACCOUNT,
    }
    return {**row, **fields}


class PortalDouble:
    """Answers as a gateway does, but for what is scripted.

    `script` holds, by method and path, answers (status, body) that come before its own; a status
    of None never answers. `questions` are asked about the next orders, one set of ids after the
    other.
    """

    def __init__(self):
        self.script = defaultdict(list)
        self.calls = []
        self.login = {"authenticated": True, "competing": False, "connected": True}
        self.accounts = [ACCOUNT]
        self.orders = {}
        self.trades = []
        self.questions = []
        self.tics = 0
        self.positions = []
        self.stocks = {"AAPL": [(265598, "NASDAQ", True), (38708077, "MEXI", False)]}
        self.is_prepared = False
        self.takes_websockets = True
        self.lets_go = asyncio.Event()  # of orders; cleared, they wait for their answer
        self.lets_go.set()
        self.holds = asyncio.Event()  # one that waits
        self.sockets = []
        self.joined, self.ticked = asyncio.Event(), asyncio.Event()
        self.said = []
        self._waiting = None
        self.app = Starlette(
            routes=[
                WebSocketRoute("/v1/api/ws", self._websocket),
                Route("/v1/api/{path:path}", self._answer, methods=["GET", "POST", "DELETE"]),
            ]
        )

    def asked(self, method, path):
        """Bodies of all calls of one kind."""
        return [body for verb, where, body in self.calls if (verb, where) == (method, path)]

    async def say(self, topic, *rows):
        """Send something by the websocket."""
        await self.send(orjson.dumps({"topic": topic, "args": rows}).decode())

    async def send(self, text):
        """Send a frame."""
        await self.joined.wait()
        for socket in self.sockets:
            await socket.send_text(text)

    async def drop(self):
        """Close every websocket."""
        for socket in tuple(self.sockets):
            await socket.close()

    async def _websocket(self, socket):
        if not self.takes_websockets:
            await socket.close()
            return
        self.cookie = socket.headers.get("cookie")
        await socket.accept()
        self.sockets.append(socket)
        self.joined.set()
        with suppress(WebSocketDisconnect):
            while True:
                self.said.append(await socket.receive_text())
                if self.said[-1] == "tic":
                    self.tics += 1
                    await socket.send_text('{"topic":"tic","alive":true}')
                if self.tics == 2:  # the first one says that all is listened to
                    self.ticked.set()
        self.sockets.remove(socket)
        self.joined.clear()

    async def _answer(self, request):
        path, body = request.path_params["path"], await request.body()
        told = orjson.loads(body) if body else dict(request.query_params) or None
        self.calls.append((request.method, path, told))
        if request.method == "POST" and "/order" in path:
            self.holds.set()
            await self.lets_go.wait()
        scripted = self.script.get((request.method, path))
        if scripted:
            status, answer = scripted.pop(0)
            if status is None:
                await asyncio.Event().wait()
            if isinstance(answer, str):
                return PlainTextResponse(answer, status)
        else:
            status, answer = 200, self._own(request.method, path, told)
        return Response(orjson.dumps(answer), status, media_type="application/json")

    def _own(self, method, path, told):
        status = {**self.login, "message": "", "MAC": "x"}
        plain = {
            "tickle": {"session": "s3cret", "iserver": {"authStatus": status}},
            "iserver/auth/status": status,
            "iserver/auth/ssodh/init": status,
            "iserver/accounts": {"accounts": self.accounts, "selectedAccount": self.accounts[0]},
            "iserver/account": {"set": True},
            "portfolio/accounts": [{"id": it} for it in self.accounts],
            f"portfolio2/{ACCOUNT}/positions": self.positions,
            f"portfolio/{ACCOUNT}/summary": {
                name: {"amount": 100000.0, "currency": "USD", "timestamp": AT_MS}
                for name in ("totalcashvalue", "netliquidation", "buyingpower")
            },
            "iserver/account/trades": self.trades,
        }
        return plain[path] if path in plain else self._of_orders(method, path, told)

    def _of_orders(self, method, path, told):
        number = path.rpartition("/")[2]
        if path == "trsrv/stocks":
            return self._stocks(told["symbols"])
        if path == "iserver/account/orders":
            was_prepared, self.is_prepared = self.is_prepared, True
            rows = list(self.orders.values()) if was_prepared else []
            return {"orders": rows, "snapshot": was_prepared}
        if path.startswith("iserver/reply/"):
            return self._replied(told["confirmed"])
        if method == "DELETE":
            self.orders[number]["status"] = "Cancelled"
            return {"msg": "Request was submitted", "order_id": number, "account": ACCOUNT}
        is_new = path == f"iserver/account/{ACCOUNT}/orders"
        self._waiting = (None, told["orders"]) if is_new else (number, [told])
        return self._asks_or_takes()

    def _replied(self, is_confirmed):
        if not is_confirmed:
            self._waiting = None
            return {"error": "discarded"}
        return self._asks_or_takes()

    def _asks_or_takes(self):
        if self.questions:
            ids = self.questions.pop(0)
            return [{"id": "q1", "message": ["Are you\nsure?"], "messageIds": ids}]
        known, bodies = self._waiting
        return [self._take(body, known) for body in bodies]

    def _take(self, body, known):
        number = known or str(1000 + len(self.orders))
        words = {"MKT": "Market", "LMT": "Limit", "STP": "Stop", "STOP_LIMIT": "Stop Limit"}
        fields = {
            "side": body["side"],
            "totalSize": body["quantity"],
            "orderType": words.get(body["orderType"], body["orderType"]),
            "price": body.get("price"),
            "auxPrice": body.get("auxPrice"),
            "timeInForce": body["tif"],
            "parentId": body.get("parentId"),
            "ocaGroupId": "g1" if body.get("isSingleGroup") else None,
            "status": "PreSubmitted" if body.get("parentId") else "Submitted",
        }
        self.orders[number] = order_row(number, body["cOID"], **fields)
        told = {"order_id": number, "local_order_id": body["cOID"]}
        return {**told, "order_status": self.orders[number]["status"], "encrypt_message": "1"}

    def _stocks(self, symbol):
        found = self.stocks.get(symbol)
        if found is None:
            return {symbol: []}
        contracts = [
            {"conid": conid, "exchange": place, "isUS": is_us} for conid, place, is_us in found
        ]
        return {symbol: [{"name": symbol, "assetClass": "STK", "contracts": contracts}]}
