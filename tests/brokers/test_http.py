import asyncio
import socket
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from brokers.clock import SystemClock
from brokers.errors import Transient
from brokers.wire.http import LiveSocket, NoAnswer, StreamRefused, within
from brokers.wire.http_aiohttp import Aiohttp, proxy_for
from brokers.wire.http_asgi import Asgi
from tests.brokers.loopback import serving
from tests.brokers.timers import TimerClock


async def echo(request):
    return JSONResponse(
        {
            "method": request.method,
            "query": dict(request.query_params),
            "body": (await request.body()).decode(),
            "key": request.headers.get("x-key"),
        },
        status_code=418,
        headers={"X-Answer": "yes"},
    )


async def parts(request):
    async def bodies():
        yield b"one "
        yield b"two"

    return StreamingResponse(bodies())


async def redirect(request):
    return RedirectResponse("/echo")


async def hang(request):
    await asyncio.Event().wait()


async def wait_for_the_caller_to_leave(request):
    message = await request.receive()
    while message["type"] != "http.disconnect":
        message = await request.receive()
    request.app.state.left.set()
    return Response("late")


async def talk(websocket):
    """Repeat what is said, in the kind of frame in which it was said."""
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                websocket.app.state.left.set()
                return
            if message.get("text") == "bye":
                await websocket.close(1000)
                return
            if message.get("text") is None:
                await websocket.send_bytes(message["bytes"])
            else:
                await websocket.send_text(message["text"])


async def full(websocket):
    await websocket.send_denial_response(Response("one at a time", 429))


async def closed(websocket):
    await websocket.close()


async def silent(websocket):
    await asyncio.Event().wait()


def application():
    routes = [
        Route("/echo", echo, methods=["GET", "POST", "DELETE"]),
        Route("/parts", parts),
        Route("/redirect", redirect),
        Route("/hang", hang),
        Route("/late", wait_for_the_caller_to_leave),
        *(WebSocketRoute(f"/{play.__name__}", play) for play in (talk, full, closed, silent)),
    ]
    app = Starlette(routes=routes)
    app.state.left = asyncio.Event()
    return app


@asynccontextmanager
async def in_memory(app):
    http = Asgi(app, clock=TimerClock(), headers={"X-Key": "k"})
    yield http
    await http.close()


@asynccontextmanager
async def over_sockets(app):
    async with serving(app) as url:
        http = Aiohttp(url, clock=SystemClock(), headers={"X-Key": "k"})
        yield http
        await http.close()


@pytest.fixture(params=[in_memory, over_sockets], ids=["asgi", "aiohttp"])
def play(request):
    """Run a scene with an `Http` of either kind and the application behind it."""

    def run(scene):
        async def staged():
            app = application()
            async with asyncio.timeout(10), request.param(app) as http:
                return await scene(http, app)

        return asyncio.run(staged())

    return run


def test_request_arrives_whole_and_any_status_is_an_answer(play):
    async def scene(http, app):
        return await http.request(
            "POST", "/echo", params={"a": "1 2"}, json={"q": "10"}, timeout_s=5
        )

    answer = play(scene)
    assert (answer.status, answer.headers["x-answer"]) == (418, "yes")
    assert (
        answer.body
        == b'{"method":"POST","query":{"a":"1 2"},"body":"{\\"q\\":\\"10\\"}","key":"k"}'
    )


def test_request_without_json_has_no_body(play):
    async def scene(http, app):
        return await http.request("DELETE", "/echo", timeout_s=5)

    assert b'"body":""' in play(scene).body


def test_answer_in_parts_is_put_together(play):
    async def scene(http, app):
        return await http.request("GET", "/parts", timeout_s=5)

    assert play(scene).body == b"one two"


def test_redirects_are_not_followed(play):
    async def scene(http, app):
        return await http.request("GET", "/redirect", timeout_s=5)

    assert play(scene).status == 307


def test_no_answer_in_time_is_no_answer(play):
    async def scene(http, app):
        with pytest.raises(NoAnswer, match=r"no answer to GET /hang within 0\.05 s"):
            await http.request("GET", "/hang", timeout_s=0.05)

    play(scene)


def test_application_learns_that_the_caller_has_left(play):
    async def scene(http, app):
        with pytest.raises(NoAnswer):
            await http.request("GET", "/late", timeout_s=0.05)
        await app.state.left.wait()

    play(scene)


def test_frames_go_both_ways_in_their_own_kind(play):
    async def scene(http, app):
        async with http.stream("/talk") as stream:
            await stream.send("text")
            await stream.send(b"bytes")
            return [await anext(stream), await anext(stream)]

    assert play(scene) == ["text", b"bytes"]


def test_stream_that_the_far_side_ends_is_over(play):
    async def scene(http, app):
        async with http.stream("/talk") as stream:
            await stream.send("bye")
            for _ in range(2):
                with pytest.raises(Transient, match="ended"):
                    await anext(stream)
            with pytest.raises(Transient, match="has ended"):
                await stream.send("again")

    play(scene)


@pytest.mark.parametrize(("path", "status"), [("/full", 429), ("/closed", 403)])
def test_refused_stream_says_the_status(play, path, status):
    async def scene(http, app):
        with pytest.raises(StreamRefused) as refused:
            async with http.stream(path):
                pass
        return refused.value.status

    assert play(scene) == status


def test_stream_that_does_not_open_in_time_is_transient(play):
    async def scene(http, app):
        with pytest.raises(Transient, match="did not open"):
            async with http.stream("/silent", quiet_s=0.05):
                pass

    play(scene)


def test_far_side_learns_that_the_stream_was_left(play):
    async def scene(http, app):
        async with http.stream("/talk"):
            pass
        await app.state.left.wait()

    play(scene)


def test_quiet_stream_is_pinged_and_lives(play):
    async def scene(http, app):
        async with http.stream("/talk", quiet_s=0.02) as stream:
            frame = asyncio.create_task(anext(stream))
            await http._clock.wait(0.15)
            assert not frame.done()
            await stream.send("still here")
            return await frame

    assert play(scene) == "still here"


def test_closing_twice_is_harmless(play):
    async def scene(http, app):
        await http.request("GET", "/echo", timeout_s=5)
        await http.close()
        await http.close()

    play(scene)


class Mute:
    """A link from which nothing comes."""

    async def ping(self):
        pass

    async def receive(self):
        await asyncio.Event().wait()


def test_stream_that_leaves_a_ping_unanswered_is_mute():
    async def scene():
        clock = TimerClock()
        with pytest.raises(Transient, match="mute: no answer to a ping in 10 s"):
            await anext(aiter(LiveSocket(Mute(), clock, 10.0)))
        return clock.monotonic()

    assert asyncio.run(scene()) == 20.0


def test_work_in_time_is_not_disturbed_and_late_work_is_cancelled():
    async def scene():
        clock = TimerClock()
        assert await within(clock, 5.0, asyncio.sleep(0, "done")) == "done"
        with pytest.raises(TimeoutError):
            await within(clock, 5.0, clock.wait(6.0))
        return clock.monotonic()

    assert asyncio.run(scene()) == 5.0


def app_in_memory(app, scene):
    async def staged():
        async with in_memory(app) as http:
            await scene(http)

    asyncio.run(staged())


def test_fault_of_an_application_in_memory_comes_out_at_the_caller():
    async def app(scope, receive, send):
        raise ZeroDivisionError("a fault of the application")

    async def scene(http):
        with pytest.raises(ZeroDivisionError):
            await http.request("GET", "/", timeout_s=5)
        with pytest.raises(ZeroDivisionError):
            async with http.stream("/"):
                pass

    app_in_memory(app, scene)


@pytest.mark.parametrize("error", [None, ConnectionResetError("planned")])
def test_application_that_ends_without_answer_broke_the_connection(error):
    async def app(scope, receive, send):
        if error:
            raise error

    async def scene(http):
        with pytest.raises(NoAnswer, match="broke"):
            await http.request("GET", "/", timeout_s=5)
        with pytest.raises(Transient, match="1006"):
            async with http.stream("/"):
                pass

    app_in_memory(app, scene)


def test_stream_whose_application_ends_in_memory_is_broken():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})

    async def scene(http):
        async with http.stream("/") as stream:
            with pytest.raises(Transient, match="1006"):
                await anext(stream)

    app_in_memory(app, scene)


def test_application_that_sends_to_a_stream_that_was_left_is_told_by_oserror():
    told = asyncio.Queue()

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        try:
            await send({"type": "websocket.send", "text": "late"})
        except OSError as error:
            told.put_nowait(str(error))

    async def scene(http):
        async with http.stream("/private"):
            pass
        assert await told.get() == "the caller left the stream /private"

    app_in_memory(app, scene)


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
