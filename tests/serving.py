"""An application on a real socket of this process, for as long as a test needs it.

uvicorn's protocol and its state, without its main loop: that one looks every tenth of a
second whether it shall end and sleeps another tenth after it, in each test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

STOP_S = 2.0


@asynccontextmanager
async def served(app: Any, *, lifespan: bool) -> AsyncIterator[str]:
    """Where the application listens: a free port of the loopback.

    At the end connections are closed, and requests under way have 2 s, then are
    cancelled.
    """
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        ws="none",
        lifespan="on" if lifespan else "off",
        proxy_headers=False,
        log_config=None,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    await server.on_tick(0)  # the headers of each answer
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await _end(server)


async def _end(server: uvicorn.Server) -> None:
    state = server.server_state
    for listening in server.servers:
        listening.close()
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        _, late = await asyncio.wait(set(state.tasks), timeout=STOP_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for connection in list(state.connections):
        connection.transport.abort()
    for listening in server.servers:
        await listening.wait_closed()
    await server.lifespan.shutdown()
