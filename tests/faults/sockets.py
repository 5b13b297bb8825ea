"""A storm of sockets: many watchers come at once, lose their server and come again.

A process of its own, or its work would make the doors of the harness wait:

    python -m tests.faults.sockets URL TOKEN EVENT COUNT

It writes a line when all are there, another when all have come back after their server
ended, and ends; less than 99 of 100 is exit 1.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

AT_ONCE = 200
JITTER_S = 5.0
TIMEOUT_S = 30.0
TRIES_MAX = 40
ENOUGH = 0.99


async def storm(url: str, token: str, event_id: str, count: int) -> bool:
    """Whether enough came, and came again."""
    door = asyncio.Semaphore(AT_ONCE)
    for spread_s in (0.0, JITTER_S):
        found = await asyncio.gather(
            *(_watch(url, token, event_id, door, spread_s) for _ in range(count))
        )
        sockets = [socket for socket in found if socket is not None]
        print(len(sockets), flush=True)  # noqa: T201 - the harness reads it
        if len(sockets) < ENOUGH * count:
            return False
        if not spread_s:
            await asyncio.gather(*(_until_lost(socket) for socket in sockets))
    await asyncio.gather(*(_leave(socket) for socket in sockets))
    return True


async def _watch(
    url: str, token: str, event_id: str, door: asyncio.Semaphore, spread_s: float
) -> ClientConnection | None:
    await asyncio.sleep(random.uniform(0, spread_s))
    hello = json.dumps({"op": "hello", "v": 1, "token": token})
    topic = f"event:{event_id}:attendance"
    for _ in range(TRIES_MAX):
        try:
            async with door, asyncio.timeout(TIMEOUT_S):
                socket = await connect(url, compression=None, proxy=None)
                await socket.send(hello)
                await socket.send(json.dumps({"op": "subscribe", "topics": [topic]}))
                while json.loads(await socket.recv())["op"] != "snapshot":
                    pass
                return socket
        except (OSError, TimeoutError, WebSocketException):
            await asyncio.sleep(random.uniform(0.1, 1.0))
    return None


async def _until_lost(socket: ClientConnection) -> None:
    with suppress(WebSocketException):
        while True:
            await socket.recv()


async def _leave(socket: ClientConnection) -> None:
    with suppress(OSError, TimeoutError, WebSocketException):
        async with asyncio.timeout(2.0):
            await socket.close()


if __name__ == "__main__":
    good = asyncio.run(storm(*sys.argv[1:4], int(sys.argv[4])))
    sys.exit(0 if good else 1)
