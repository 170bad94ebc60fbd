"""A venue that speaks as much of Alpaca's protocol as one session needs, and stamps its sockets.

Bare sockets on loopback and one event loop, so that next to nothing of what is measured is the
venue's own. What it sends it stamps before the call that sends it; what arrives is stamped by the
kernel (SO_TIMESTAMPNS: of a request, its last segment), not when this process has woken up and
reads it, and told on the monotonic clock, as all else. Where there is no such stamp, as on other
systems than Linux, the reading counts.

It runs as a process, prints its port, plays the script, prints its stamps, and serves until it is
killed. Account, positions and orders read as empty: a session compares them at its start alone.
"""

import asyncio
import base64
import hashlib
import socket
import struct
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from benchmarks.live_script import SYMBOLS, WARM_UP, Script

ANSWER_S = 10.0  # how long the session may take for a minute's orders
START_S = 60.0
REST_S = 0.006  # between minutes, and before fills of their own: the session is idle by then
FIRST_BARS_S = 0.004  # how long the other bars of a minute come before its last one
MODES = ("with the answer", "on its own", "behind the next bars")
CHUNK = 2**16
STAMP = struct.Struct("qq")  # seconds and nanoseconds, see socket(7)
STAMPED = getattr(socket, "SO_TIMESTAMPNS", 35 if sys.platform == "linux" else None)
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_ACCOUNT = {"id": "a1", "status": "ACTIVE", "currency": "USD"} | dict.fromkeys(
    ("cash", "equity", "buying_power"), "1000000"
)
_CLOCK = {"is_open": True} | dict.fromkeys(("next_open", "next_close"), "2025-06-02T20:00:00Z")
_ASSET = {"status": "active", "tradable": True, "fractionable": True}


class Wire:
    """One connection: requests, or frames once it has become a websocket.

    Args:
        connection: a blocking one, which is read when there is something.
    """

    def __init__(self, venue: "Venue", connection: socket.socket) -> None:
        self._venue = venue
        self._connection = connection
        self._buffer = b""
        self._hear: Callable[[Any], None] | None = None
        asyncio.get_running_loop().add_reader(connection, self._read)

    def _read(self) -> None:
        try:
            data, notes, _, _ = self._connection.recvmsg(CHUNK, socket.CMSG_SPACE(STAMP.size))
        except ConnectionError:
            data, notes = b"", []
        if not data:
            asyncio.get_running_loop().remove_reader(self._connection)
            self._connection.close()
            return
        at_ns = arrived_ns(notes)
        self._buffer += data
        while self._frame() if self._hear else self._request(at_ns):
            pass

    def send(self, content: Any, opcode: int = 1) -> None:
        """Send one frame: JSON, or bytes as they are."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        self._connection.sendall(framed(body, opcode))

    def _request(self, at_ns: int) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        first, *lines = head.split(b"\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(b":") for x in lines)
        }
        length = int(headers.get(b"content-length", 0))
        if len(rest) < length:
            return False
        body, self._buffer = rest[:length], rest[length:]
        method, target, _ = first.decode().split(" ")
        path = target.partition("?")[0]
        if b"sec-websocket-key" in headers:
            accepted = hashlib.sha1(headers[b"sec-websocket-key"] + _MAGIC).digest()
            self._connection.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + base64.b64encode(accepted) + b"\r\n\r\n"
            )
            self._hear = self._venue.opened(self, path)
        else:
            self._answer(*self._venue.answer(method, path, body, at_ns))
        return True

    def _answer(self, content: Any, afterwards: Callable[[], None] | None) -> None:
        body = orjson.dumps(content)
        self._connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        if afterwards:
            afterwards()

    def _frame(self) -> bool:
        """Take one client's frame, which is masked and, here, shorter than 64 KiB."""
        head = 2
        if len(self._buffer) < head:
            return False
        opcode, length = self._buffer[0] & 15, self._buffer[1] & 127
        if length == 126:
            head, length = 4, int.from_bytes(self._buffer[2:4])
        if len(self._buffer) < head + 4 + length:
            return False
        mask, body = self._buffer[head : head + 4], self._buffer[head + 4 : head + 4 + length]
        self._buffer = self._buffer[head + 4 + length :]
        body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
        if opcode == 8:
            self.send(body, 8)
            self._connection.shutdown(socket.SHUT_WR)
        elif opcode == 9:
            self.send(body, 10)
        elif self._hear:
            self._hear(orjson.loads(body))
        return True


class Venue:
    """The venue's side of all connections, and its stopwatch."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._starts = [_written(at) for at in script.starts()]
        self.bars_ns: list[int] = []  # by minute
        self.orders_ns: list[list[int]] = []  # by minute
        self.fills_ns: dict[str, int] = {}
        self.modes: dict[str, str] = {}
        self.is_ready = asyncio.Event()
        self._arrived = asyncio.Event()
        self._unfilled: list[dict[str, Any]] = []
        self._accounts_read = 0
        self._others: dict[str, Callable[[], Any]] = {  # asked at the start
            "/v2/clock": lambda: _CLOCK | {"timestamp": self._starts[WARM_UP]},
            "/v2/stocks/bars": lambda: {"bars": self._past(), "next_page_token": None},
            "/v1/corporate-actions": lambda: {"corporate_actions": {}, "next_page_token": None},
        }
        self._data: Wire | None = None
        self._news: Wire | None = None

    def opened(self, wire: Wire, path: str) -> Callable[[Any], None]:
        """Take a websocket on; returns what hears its client."""
        if path == "/stream":
            self._news = wire
            return self._on_stream
        self._data = wire
        wire.send([{"T": "success", "msg": "connected"}])
        return self._on_data

    def answer(
        self, method: str, path: str, body: bytes, at_ns: int
    ) -> tuple[Any, Callable[[], None] | None]:
        """Answer a request at once; and what to do afterwards."""
        if method == "POST":
            return self._take(orjson.loads(body), at_ns)
        if path == "/v2/account":
            self._accounts_read += 1
            if self._accounts_read == 2:  # once before the session, once in its first comparison
                self.is_ready.set()
            return _ACCOUNT, None
        if path.startswith("/v2/assets/"):
            return _ASSET, None
        return self._others.get(path, list)(), None

    async def play(self) -> None:
        """Go through all minutes."""
        await asyncio.sleep(0.5)
        for minute in range(self._script.minutes):
            self._arrived.clear()
            self.orders_ns.append([])
            await self._send_bars(minute)
            if MODES[(minute - 1) % 3] == "behind the next bars":
                self._fill(minute - 1)
            if self._script.turning(minute):
                await asyncio.wait_for(self._arrived.wait(), ANSWER_S)
            await asyncio.sleep(REST_S)
            if MODES[minute % 3] == "on its own":
                self._fill(minute)
                await asyncio.sleep(REST_S)

    async def _send_bars(self, minute: int) -> None:
        rows = [
            {"T": "b", "S": symbol, **self._bar(number, minute)}
            for number, symbol in enumerate(SYMBOLS)
        ]
        if not self._script.in_one_frame(minute):
            self._data.send(rows[:-1])
            del rows[:-1]
            await asyncio.sleep(FIRST_BARS_S)
        frame = orjson.dumps(rows)
        self.bars_ns.append(time.monotonic_ns())
        self._data.send(frame)

    def _take(self, asked: dict[str, Any], at_ns: int) -> tuple[Any, Callable[[], None]]:
        minute = len(self.orders_ns) - 1
        self.orders_ns[minute].append(at_ns)
        order = _order(asked, f"v{minute}-{len(self.orders_ns[minute])}")

        def afterwards() -> None:
            self._news.send(_update("new", order | {"status": "new"}))
            self._unfilled.append(order)
            if MODES[minute % 3] == "with the answer":
                self._fill(minute)
            if len(self.orders_ns[minute]) == self._script.turning(minute):
                self._arrived.set()

        return order, afterwards

    def _fill(self, minute: int) -> None:
        orders, self._unfilled = self._unfilled, []
        for order in orders:
            done = order | {"status": "filled", "filled_qty": order["qty"]}
            frame = orjson.dumps(_update("fill", done | {"filled_avg_price": "100"}))
            name = order["client_order_id"]
            self.modes[name] = "burst" if self._script.is_burst(minute) else MODES[minute % 3]
            self.fills_ns[name] = time.monotonic_ns()
            self._news.send(frame, 2)  # binary, as Alpaca's paper account does

    def _past(self) -> dict[str, list[dict[str, Any]]]:
        return {
            symbol: [self._bar(number, minute) for minute in range(-WARM_UP, 0)]
            for number, symbol in enumerate(SYMBOLS)
        }

    def _bar(self, number: int, minute: int) -> dict[str, Any]:
        close = self._script.price(number, minute)
        sides = {"o": close, "h": close + 0.05, "l": close - 0.05, "c": close}
        at = self._starts[WARM_UP + minute]
        return {"t": at, **sides, "v": 1000 + number, "n": 10, "vw": close}

    def _on_data(self, said: Any) -> None:
        if said["action"] == "auth":
            self._data.send([{"T": "success", "msg": "authenticated"}])
        else:
            self._data.send([{"T": "subscription", "bars": said["bars"]}])

    def _on_stream(self, said: Any) -> None:
        if said["action"] == "authenticate":
            data = {"status": "authorized", "action": "authenticate"}
            self._news.send({"stream": "authorization", "data": data})
        else:
            self._news.send({"stream": "listening", "data": {"streams": ["trade_updates"]}})


def arrived_ns(notes: list[tuple[int, int, bytes]]) -> int:
    """When it came to this machine, on the monotonic clock."""
    real_ns = time.time_ns()
    now_ns = time.monotonic_ns()  # read second: what comes between makes the stamp no earlier
    for level, kind, content in notes:
        if (level, kind) == (socket.SOL_SOCKET, STAMPED):
            seconds, rest_ns = STAMP.unpack(content)
            return int(now_ns - real_ns + seconds * 10**9 + rest_ns)
    return now_ns


def listening() -> socket.socket:
    """A socket of loopback; the connections that it accepts stamp what arrives."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if STAMPED is not None:
        listener.setsockopt(socket.SOL_SOCKET, STAMPED, 1)
    return listener


def framed(body: bytes, opcode: int) -> bytes:
    """One frame of a server."""
    size = len(body)
    if size < 126:
        return bytes((128 | opcode, size)) + body
    if size < 65536:
        return bytes((128 | opcode, 126)) + size.to_bytes(2) + body
    return bytes((128 | opcode, 127)) + size.to_bytes(8) + body


def _order(asked: dict[str, Any], name: str) -> dict[str, Any]:
    """An order as Alpaca answers it, with all the fields that it writes."""
    nothing = (
        "filled_at expired_at expires_at canceled_at failed_at replaced_at replaced_by replaces "
        "notional filled_avg_price limit_price stop_price legs trail_percent trail_price hwm"
    )
    at = _now()
    return {
        "id": name,
        **dict.fromkeys(("created_at", "updated_at", "submitted_at"), at),
        **dict.fromkeys(nothing.split()),
        "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415",
        "asset_class": "us_equity",
        "filled_qty": "0",
        "order_class": "",
        "order_type": asked["type"],
        "status": "accepted",
        "extended_hours": False,
        **asked,
    }


def _update(event: str, order: dict[str, Any]) -> dict[str, Any]:
    data = {"event": event, "order": order, "timestamp": _now()}
    if event == "fill":
        fill = {"execution_id": f"x-{order['id']}", "price": "100", "qty": order["qty"]}
        data |= fill | {"position_qty": order["qty"]}
    return {"stream": "trade_updates", "data": data}


def _now() -> str:
    return _written(datetime.now().astimezone())


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def main(script: Script) -> None:
    """Serve and play."""
    venue, listener = Venue(script), listening()
    loop = asyncio.get_running_loop()
    loop.add_reader(listener, lambda: Wire(venue, listener.accept()[0]))
    print(listener.getsockname()[1], flush=True)
    await asyncio.wait_for(venue.is_ready.wait(), START_S)
    await venue.play()
    names = ("bars_ns", "orders_ns", "fills_ns", "modes")
    told = {name: getattr(venue, name) for name in names}
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Script(*map(int, sys.argv[1:]))))
