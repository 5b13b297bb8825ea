"""A storm of sockets: many watchers come at once, lose their server and come again."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.faults.doors import Crowd
from tests.faults.ground import Ground

AT_ONCE = 200
JITTER_S = 5.0
TIMEOUT_S = 30.0


async def reconnect_storm(
    ground: Ground, event_id: UUID, crowd: Crowd, count: int
) -> None:
    """Open the sockets, kill the live role, and see all of them back.

    Raises:
        AssertionError: less than 99 of 100 came back.
    """
    url = f"ws://127.0.0.1:{ground.live.env['OPS_LIVE_PORT']}/live"
    token = crowd.doors[0].token
    door = asyncio.Semaphore(AT_ONCE)
    for round_ in range(2):
        spread_s = JITTER_S if round_ else 0.0
        sockets = await asyncio.gather(
            *(_watch(url, token, event_id, door, spread_s) for _ in range(count))
        )
        there = [socket for socket in sockets if socket is not None]
        assert len(there) >= 0.99 * count, f"{len(there)} of {count} came"
        if round_ == 0:
            ground.live.kill()
            ground.live.start()
        await asyncio.gather(*(_leave(socket) for socket in there))


async def _watch(
    url: str, token: str, event_id: UUID, door: asyncio.Semaphore, spread_s: float
) -> ClientConnection | None:
    await asyncio.sleep(random.uniform(0, spread_s))
    for _ in range(30):
        try:
            async with door, asyncio.timeout(TIMEOUT_S):
                socket = await connect(url, compression=None, proxy=None)
                await socket.send(json.dumps({"op": "hello", "v": 1, "token": token}))
                topic = f"event:{event_id}:attendance"
                await socket.send(json.dumps({"op": "subscribe", "topics": [topic]}))
                while json.loads(await socket.recv())["op"] != "snapshot":
                    pass
                return socket
        except (OSError, TimeoutError, WebSocketException):
            await asyncio.sleep(random.uniform(0.1, 1.0))
    return None


async def _leave(socket: ClientConnection) -> None:
    with suppress(OSError, TimeoutError, WebSocketException):
        async with asyncio.timeout(2.0):
            await socket.close()
