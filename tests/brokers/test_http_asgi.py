import asyncio

import pytest

from brokers.errors import Transient
from brokers.wire.http import NoAnswer
from brokers.wire.http_asgi import Asgi
from tests.brokers.timers import TimerClock


def app_in_memory(app, scene):
    async def staged():
        http = Asgi(app, clock=TimerClock())
        await scene(http)
        await http.close()

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
