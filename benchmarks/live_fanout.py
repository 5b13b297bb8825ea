"""Fan-out of the live role: CPU per delivered update, memory per idle socket.

A child process opens the sockets over loopback; this process serves them with the
live role's own handler, hub and channel. The same payload is sent once by
`Channel` and once by `websockets.broadcast` in turns, and the CPU time of this
process is divided by the messages delivered. Memory is this process's private memory
before and after the sockets (a figure of the plain library from a process of its own
stands beside it).

    python -m benchmarks.live_fanout [SOCKETS]
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import resource
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from uuid import UUID

import msgspec
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from ops.clock import Clock
from ops.ids import uuid7
from ops.live.connection import Handler, LiveConnection
from ops.live.frames import raw
from ops.live.hub import QUEUE_BYTES_MAX, Channel, Hub
from ops.live.protocol import FRAME_BYTES_MAX
from ops.live.server import READ_QUEUE_FRAMES, raise_file_limit
from ops.live.topics import Grants, Kind, Subject, Topic

SOCKETS = 3000
ROUNDS, UPDATES_PER_ROUND = 7, 8
HOST = "127.0.0.1"
CONNECTS_AT_ONCE = 100

TOPIC = Topic(UUID(int=1), Kind.ATTENDANCE)
GRANTS = Grants(Subject.STAFF, {None: frozenset({"events.read"})})

Figure = dict[str, float]


def private_bytes() -> int:
    """Memory that only this process has (USS)."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return sum(
        int(line.split()[1]) * 1024
        for line in text.splitlines()
        if line.startswith("Private_")
    )


def cpu_s() -> float:
    """CPU time of this process, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _hold(port: int, sockets: int, says_welcome: bool, pipe: Connection) -> None:
    """The child: open sockets, read and throw away all that comes."""
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    received = goal = 0
    reached = asyncio.Event()

    async def one(opened: asyncio.Queue[None]) -> None:
        nonlocal received
        async with gate:
            client: ClientConnection = await connect(
                f"ws://{HOST}:{port}/live", compression=None, ping_interval=None
            )
            await client.send('{"op":"hello","v":1,"token":"staff_x"}')
            subscribe = {"op": "subscribe", "topics": [TOPIC.name]}
            await client.send(json.dumps(subscribe))
            if says_welcome:
                # Frames are answered in order: after the pong it is subscribed.
                await client.send('{"op":"ping"}')
                while "pong" not in str(await client.recv()):
                    pass
        opened.put_nowait(None)
        try:
            async for _ in client:
                received += 1
                if received == goal:
                    reached.set()
        except ConnectionClosed:
            return

    opened: asyncio.Queue[None] = asyncio.Queue()
    tasks = [asyncio.create_task(one(opened)) for _ in range(sockets)]
    for _ in range(sockets):
        await opened.get()
    pipe.send("open")
    loop = asyncio.get_running_loop()
    while goal := await loop.run_in_executor(None, pipe.recv):
        if received < goal:
            await reached.wait()
        reached.clear()
        pipe.send("reached")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _child(port: int, sockets: int, says_welcome: bool, pipe: Connection) -> None:
    raise_file_limit()
    uvloop.run(_hold(port, sockets, says_welcome, pipe))


class Clients:
    """The child process with the sockets."""

    def __init__(self, port: int, sockets: int, says_welcome: bool = True) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_child, args=(port, sockets, says_welcome, theirs)
        )

    async def open(self) -> None:
        self.process.start()
        assert await self._hear() == "open"

    async def reach(self, count: int) -> None:
        """Wait until all that was sent has arrived."""
        self.pipe.send(count)
        assert await self._hear() == "reached"

    async def close(self) -> None:
        self.pipe.send(0)
        await asyncio.get_running_loop().run_in_executor(None, self.process.join)

    async def _hear(self) -> object:
        heard: object = await asyncio.get_running_loop().run_in_executor(
            None, self.pipe.recv
        )
        return heard


class _Nothing:
    """In the place of the feed: the benchmark publishes by itself."""

    def want(self, topic: Topic) -> None:
        pass


async def _identify(token: str) -> Grants | None:
    return GRANTS


async def _live(hub: Hub) -> Server:
    handler = Handler(hub, _Nothing(), _identify, Clock(), sockets_max=100_000)
    return await serve(
        handler.serve,
        HOST,
        0,
        compression=None,
        server_header=None,
        ping_interval=None,
        max_size=FRAME_BYTES_MAX,
        max_queue=READ_QUEUE_FRAMES,
        write_limit=QUEUE_BYTES_MAX,
        create_connection=LiveConnection,
    )


async def _plain() -> Server:
    """The library as it comes, compression off: the baseline of the memory."""

    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    return await serve(handler, HOST, 0, compression=None)


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


async def _memory(plain: bool, sockets: int) -> float:
    """KiB of private memory for each idle socket."""
    server = await (_plain() if plain else _live(Hub()))
    gc.collect()
    before = private_bytes()
    clients = Clients(_port(server), sockets, not plain)
    await clients.open()
    gc.collect()
    each = (private_bytes() - before) / sockets / 1024
    await clients.close()
    server.close()
    await server.wait_closed()
    return each


def _measure_memory(plain: bool, sockets: int, pipe: Connection) -> None:
    raise_file_limit()
    pipe.send(uvloop.run(_memory(plain, sockets)))


def memory_each(plain: bool, sockets: int) -> float:
    """The same in a process of its own, so that nothing is reused."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure_memory, args=(plain, sockets, theirs))
    process.start()
    each: float = ours.recv()
    process.join()
    return each


def payload() -> dict[str, object]:
    """An update of the size of a real one: 12 gates, 6 types, 240 minutes."""
    gates = [
        {"id": uuid7(), "name": f"Gate {n}", "entered": 400 + n, "rate_per_min": 6.1}
        for n in range(12)
    ]
    curve = {"start_minute": 29_384_012, "entered": [n % 40 for n in range(240)]}
    return {"figures": {"inside": 4012}, "gates": gates, "curve": curve}


async def _cpu(sockets: int) -> tuple[float, float]:
    """Microseconds of CPU for each delivery: ours, broadcast's."""
    hub = Hub()
    server = await _live(hub)
    clients = Clients(_port(server), sockets)
    await clients.open()
    channel = hub.channels[TOPIC]
    data = raw(payload())
    channel.restart("e", 0, data, "", time.monotonic())
    expected = sockets
    await clients.reach(expected)
    ours: list[float] = []
    theirs: list[float] = []
    for round_no in range(2 * ROUNDS):
        mine = round_no % 2 == 0
        before = cpu_s()
        for _ in range(UPDATES_PER_ROUND):
            if mine:
                channel.advance(channel.offset + 1, data, data, time.monotonic())
            else:
                _broadcast(channel, data)
            # The writes happen when the loop turns.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        spent = cpu_s() - before
        assert not any(s.wire.transport.get_write_buffer_size() for s in hub.sockets)  # type: ignore[attr-defined]
        expected += sockets * UPDATES_PER_ROUND
        await clients.reach(expected)
        each = spent / (sockets * UPDATES_PER_ROUND) * 1e6
        (ours if mine else theirs).append(each)
    await clients.close()
    server.close()
    await server.wait_closed()
    return median(ours), median(theirs)


def _broadcast(channel: Channel, data: msgspec.Raw) -> None:
    """What one would write with the library: encode once, broadcast."""
    text = json.dumps({"op": "update", "topic": channel.name}).encode() + bytes(data)
    connections = [socket.wire for socket in channel.subscribers]
    broadcast(connections, text, text=True)  # type: ignore[arg-type]


def run(sockets: int = SOCKETS) -> dict[str, Figure]:
    """Both figures, each with its baseline of the same run."""
    raise_file_limit()
    ours, theirs = uvloop.run(_cpu(sockets))
    memory, plain = memory_each(False, sockets), memory_each(True, sockets)
    return {
        f"CPU us per delivered update, {sockets} sockets / websockets.broadcast": {
            "value": round(ours, 2),
            "baseline": round(theirs, 2),
            "ratio": round(ours / theirs, 3),
        },
        "KiB per idle socket / plain websockets server": {
            "value": round(memory, 2),
            "baseline": round(plain, 2),
            "ratio": round(memory / plain, 3),
        },
    }


if __name__ == "__main__":
    print(run(int(sys.argv[1]) if len(sys.argv) > 1 else SOCKETS))
