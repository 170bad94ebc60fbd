import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from brokers.clock import SystemClock
from brokers.errors import Transient
from brokers.wire.http import LiveSocket, NoAnswer, StreamRefused, within
from brokers.wire.http_aiohttp import Aiohttp
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
