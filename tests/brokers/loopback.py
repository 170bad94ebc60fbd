"""An application on a loopback port, served by the running event loop itself."""

import asyncio
from contextlib import asynccontextmanager

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
