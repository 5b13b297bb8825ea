"""How soon a started server answers: `ops serve`, stores running, cache warm."""

from __future__ import annotations

import asyncio
import time
from statistics import median

from benchmarks.client import HOST, Job, requests
from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target
from benchmarks.house import House, Role, free_port
from ops.errors import OpsError

START_S_MAX = 60.0
POLL_S = 0.005


async def first_scan(house: House, event: BulkEvent, rounds: int) -> list[Figure]:
    """From the start of the command to the first scan answered by it."""
    took = [await _once(house, event) for _ in range(rounds)]
    return [
        Figure(
            "`ops serve` to its first scan, warm cache",
            median(took),
            "s",
            target=Target("at most", 4.0),
            details={"rounds": took},
        )
    ]


async def _once(house: House, event: BulkEvent) -> float:
    port = free_port()
    settings = house.environment(port=str(port), live_port=str(free_port()))
    job = Job(
        port,
        f"/api/v1/events/{event.id}/scans",
        event.tokens,
        1,
        1.0,
        [event.code(event.fresh(1)[0])],
    )
    (request,) = requests(job)
    started_s = time.perf_counter()
    role = Role(("-m", "ops.cli", "serve"), settings)
    try:
        while b'"verdict":"admitted"' not in await _ask(port, request):
            if time.perf_counter() - started_s > START_S_MAX or role.process.poll():
                raise OpsError("`ops serve` does not answer: see roles.log")
            await asyncio.sleep(POLL_S)
        took_s = time.perf_counter() - started_s
        role.port = port
        figures = await role.metrics()
        if not figures.get('ops_step_seconds_count{step="finish"}'):
            raise OpsError("the first scan did not use the cache")
    finally:
        role.stop()
    return took_s


async def _ask(port: int, request: bytes) -> bytes:
    """One request on a connection of its own; empty while nobody answers."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return b""
    try:
        writer.write(request)
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.index(b"content-length: ") + 16
            return await reader.readexactly(int(head[at : head.index(b"\r", at)]))
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return b""
    finally:
        writer.close()
