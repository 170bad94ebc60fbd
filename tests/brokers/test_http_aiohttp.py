import asyncio
import socket
from contextlib import suppress

import pytest

from brokers.clock import SystemClock
from brokers.errors import Transient
from brokers.wire.http import NoAnswer
from brokers.wire.http_aiohttp import Aiohttp, proxy_for
from tests.brokers.loopback import serving


def at_port(answer, scene):
    """Play a scene against a raw TCP server on loopback."""

    async def staged():
        async def serve(reader, writer):
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await answer(reader, writer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        http = Aiohttp(f"http://127.0.0.1:{port}", clock=SystemClock())
        async with asyncio.timeout(10), server:
            await scene(http)
            await http.close()

    asyncio.run(staged())


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_broken_connection_is_no_answer_and_nothing_is_sent_again(method):
    heads = []

    async def answer(reader, writer):
        """Answer the first request of the first connection, and nothing else."""
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if len(heads) == 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            heads.append(await reader.readuntil(b"\r\n\r\n"))

    async def scene(http):
        await http.request(method, "/", timeout_s=5)
        with pytest.raises(NoAnswer, match="the connection broke during"):
            await http.request(method, "/", timeout_s=5)

    at_port(answer, scene)
    assert len(heads) == 2


def test_answer_that_breaks_off_is_no_answer():
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async def scene(http):
        with pytest.raises(NoAnswer):
            await http.request("GET", "/", timeout_s=5)

    at_port(answer, scene)


def test_stream_that_breaks_off_at_its_opening_is_transient():
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")

    async def scene(http):
        with pytest.raises(Transient):
            async with http.stream("/"):
                pass

    at_port(answer, scene)


def test_refused_connection_was_surely_not_sent():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]

        async def scene():
            http = Aiohttp(f"http://127.0.0.1:{port}", clock=SystemClock())
            with pytest.raises(Transient, match="no connection for POST /v2/orders"):
                await http.request("POST", "/v2/orders", json={}, timeout_s=5)
            with pytest.raises(Transient, match="no connection for GET /stream"):
                async with http.stream("/stream"):
                    pass
            await http.close()

        asyncio.run(scene())


def test_ping_of_the_far_side_is_answered():
    pongs = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            pongs.append(message["text"])
            await send({"type": "websocket.send", "text": "heard"})

    async def scene():
        async with serving(app, ws_ping_interval=0.02, ws_ping_timeout=0.1) as url:
            http = Aiohttp(url, clock=SystemClock())
            async with http.stream("/") as stream:
                frame = asyncio.create_task(anext(stream))
                await asyncio.wait({frame}, timeout=0.3)  # longer than the server would wait
                await stream.send("alive")
                assert await frame == "heard"
            await http.close()

    asyncio.run(scene())
    assert pongs == ["alive"]


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.alpaca.markets", "http://proxy.example:3128"),
        ("https://inside.example", None),
        ("http://127.0.0.1:8765", None),
        ("http://[::1]:8765", None),
        ("http://localhost:8765", None),
    ],
)
def test_proxy_of_the_environment_is_not_for_this_machine(monkeypatch, url, proxy):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for(url) == proxy
