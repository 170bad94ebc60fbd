"""Connections in memory behave as sockets do."""

import asyncio
from selectors import DefaultSelector

import pytest

from live.rehearsal.pipe import PipeLoop


class Client(asyncio.Protocol):
    def __init__(self):
        self.heard = []
        self.is_over = asyncio.Event()

    def data_received(self, data):
        self.heard.append(data)

    def connection_lost(self, error):
        self.is_over.set()


class Echo:
    def __init__(self):
        self.has_ended = asyncio.Event()

    async def __call__(self, reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            if line == b"enough\n":
                break
        writer.close()
        await writer.wait_closed()
        self.has_ended.set()


class Cut:
    """Lets pass what is short."""

    def leaves(self, data):
        return len(data) < 10

    def comes(self, data):
        return data != b"NO\n"


def on_pipe(work, tap=None):
    async def run():
        loop, echo = asyncio.get_running_loop(), Echo()
        loop.listen(7, echo.__call__, tap)
        await work(*await loop.create_connection(Client, "x", 7))
        await echo.has_ended.wait()

    with asyncio.Runner(loop_factory=lambda: PipeLoop(DefaultSelector())) as runner:
        runner.run(run())


def test_what_is_written_arrives_in_its_order_and_is_answered():
    async def work(line, client):
        line.write(b"one\n")
        line.write(b"enough\n")
        await client.is_over.wait()
        assert client.heard == [b"ONE\n", b"ENOUGH\n"]
        assert line.is_closing()
        line.close()

    on_pipe(work)


def test_server_reads_to_the_end_when_its_client_hangs_up():
    async def work(line, client):
        line.write(b"one\n")
        line.write_eof()
        line.close()
        line.write(b"two\n")
        await client.is_over.wait()
        assert client.heard == []

    on_pipe(work)


def test_tap_keeps_messages_from_either_side():
    async def work(line, client):
        for words in (b"much too long\n", b"no\n", b"yes\n", b"enough\n"):
            line.write(words)
        await client.is_over.wait()
        assert client.heard == [b"YES\n", b"ENOUGH\n"]

    on_pipe(work, Cut())


def test_port_where_nobody_listens_refuses():
    async def work(line, client):
        line.close()
        with pytest.raises(ConnectionRefusedError, match="nobody listens on x:8"):
            await asyncio.get_running_loop().create_connection(Client, "x", 8)

    on_pipe(work)
