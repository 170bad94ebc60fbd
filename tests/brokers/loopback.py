"""An application on a loopback port, served by the running event loop itself."""

import asyncio
from contextlib import asynccontextmanager

import uvicorn


@asynccontextmanager
async def serving(app):
    """Yield the address at which the application answers."""
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="off",
        log_config=None,
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await asyncio.sleep(0)
        await server.shutdown()
