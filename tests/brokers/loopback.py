"""An application on a loopback port, and a relay to it, both on the running event loop."""

import asyncio
from contextlib import asynccontextmanager, suppress

import uvicorn

TURNS = 200


@asynccontextmanager
async def serving(app, **options):
    """Yield the address at which the application answers."""
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="off",
        log_config=None,
        ws="websockets-sansio",
        **options,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        for _ in range(TURNS):  # uvicorn cannot shut down a websocket that is just closing
            if server.server_state.connections:
                await asyncio.sleep(0)
        server.force_exit = True
        await server.shutdown()


class Relay:
    """Carries bytes to an address and back; `freeze` strikes the connections of the moment."""

    def __init__(self, url):
        self.url = ""
        self._port = int(url.rpartition(":")[2])
        self._flows = []
        self._writers = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error):
        self.freeze()
        for writer in self._writers:
            writer.close()
        self._server.close()
        await asyncio.gather(*self._flows, return_exceptions=True)

    def freeze(self):
        """Carry nothing more, and end nothing, as a dropped network does."""
        for flow in self._flows:
            flow.cancel()

    async def _carry(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        for source, target in ((reader, far_writer), (far_reader, writer)):
            self._flows.append(asyncio.create_task(self._pump(source, target)))

    async def _pump(self, source, target):
        with suppress(ConnectionError):
            while data := await source.read(65536):
                target.write(data)
        target.close()
