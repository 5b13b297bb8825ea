"""From a scan to the screens: how long until every viewer has its line.

Real api, live and sync processes on durable stores, over loopback. A Poisson clock
scans fresh tickets at a modest rate while viewers watch figures and ticker; the
latency of a line counts from the planned moment of its scan to its arrival at each
viewer. Beside it stands the best that a topic can do which speaks once in 250 ms and
always has something to say: the answers of the same scans, each with a wait that is
uniform over that interval.

    python -m benchmarks.scan_to_screen [SCANS_PER_S] [VIEWERS]
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.event import BulkEvent
from benchmarks.house import House, Role, free_port, open_house
from ops.errors import OpsError
from ops.ids import uuid7
from ops.live.feed import INTERVAL_S

RATE_PER_S, VIEWERS, SECONDS = 50.0, 100, 10.0
TICKETS, WARM_UP_SCANS = 20_000, 50
HOST = "127.0.0.1"
LAST_LINE_S_MAX = 10.0
QUANTILES = (0.5, 0.99)

Figure = dict[str, float]


class Run:
    """One measurement: when scans were due, answered, and seen by each viewer."""

    def __init__(self, viewers: int) -> None:
        self.viewers = viewers
        self.due_s: dict[str, float] = {}
        self.answers_s: list[float] = []
        self.lines_s: list[float] = []
        self.seen: dict[str, int] = {}
        self.all_seen = asyncio.Event()
        self._expected = 0

    def expect(self) -> None:
        """All scans are answered: wait for the lines that are still under way."""
        self._expected = len(self.due_s)
        self._check()

    def see(self, scan_id: str, now_s: float) -> None:
        """A viewer has a line."""
        due_s = self.due_s.get(scan_id)
        if due_s is not None:
            self.lines_s.append(now_s - due_s)
            self.seen[scan_id] = self.seen.get(scan_id, 0) + 1
            self._check()

    def _check(self) -> None:
        if self._expected and len(self.lines_s) >= self._expected * self.viewers:
            self.all_seen.set()


async def _staff_token(house: House) -> str:
    """A session of somebody who may read everything."""
    role, user, token = uuid7(), uuid7(), f"staff_{uuid7()}"
    await house.db.execute(
        "INSERT INTO roles (id, name, permissions) VALUES ($1, $2, $3::text::jsonb)",
        role,
        f"viewer-{role}",
        '{"*": {"read": true}}',
    )
    await house.db.execute(
        "INSERT INTO users (id, first_name, last_name, email, role_id)"
        " VALUES ($1, 'Zoë', 'Ng', $2, $3)",
        user,
        f"{user}@example.org",
        role,
    )
    await house.db.execute(
        "INSERT INTO ops.staff_sessions (id, user_id, token_hash, kind, expires_at)"
        " VALUES ($1, $2, $3, 'bearer', now() + interval '1 hour')",
        uuid7(),
        user,
        hashlib.sha256(token.encode()).digest(),
    )
    return token


async def _live(house: House) -> Role:
    """A live process that answers."""
    port = str(free_port())
    settings = house.environment(port=port, live_port=port)
    role = Role(("-m", "ops.cli", "serve", "live"), settings)
    house.roles.append(role)
    await role.answers()
    return role


async def _open(port: int, token: str, event: BulkEvent) -> ClientConnection:
    """A viewer of figures and ticker that has both snapshots."""
    socket = await connect(f"ws://{HOST}:{port}/live", compression=None)
    topics = [f"event:{event.id}:{kind}" for kind in ("attendance", "scans")]
    for message in (
        {"op": "hello", "v": 1, "token": token},
        {"op": "subscribe", "topics": topics},
    ):
        await socket.send(msgspec.json.encode(message), text=True)
    snapshots = 0
    while snapshots < len(topics):
        frame = msgspec.json.decode(await socket.recv())
        snapshots += frame["op"] == "snapshot"
    return socket


async def _view(socket: ClientConnection, run: Run) -> None:
    async for text in socket:
        now_s = time.perf_counter()
        frame: dict[str, Any] = msgspec.json.decode(text)
        if frame.get("op") == "update":
            for line in frame["data"].get("lines", ()):
                run.see(line["id"], now_s)


async def _scan(
    run: Run, http: httpx.AsyncClient, event: BulkEvent, number: int, due_s: float
) -> None:
    scan_id = str(uuid7())
    run.due_s[scan_id] = due_s
    answer = await http.post(
        f"/api/v1/events/{event.id}/scans",
        json={"id": scan_id, "code": event.code(number)},
        headers={"Authorization": f"Device {event.tokens[number % len(event.tokens)]}"},
    )
    run.answers_s.append(time.perf_counter() - due_s)
    if answer.status_code != 200 or answer.json()["verdict"] != "admitted":
        raise OpsError(f"a scan was answered with {answer.status_code}")


async def _scans(
    run: Run, http: httpx.AsyncClient, event: BulkEvent, rate_per_s: float, count: int
) -> None:
    """Scan at the times of a Poisson clock, whether answers keep up or not."""
    rng, due_s = random.Random(1), time.perf_counter()
    async with asyncio.TaskGroup() as scans:
        for number in event.fresh(count):
            due_s += rng.expovariate(rate_per_s)
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            scans.create_task(_scan(run, http, event, number, due_s))


async def measure(rate_per_s: float, viewers: int, seconds: float) -> Run:
    """Start everything, scan for so long, wait until all viewers have all lines.

    Raises:
        OpsError: a scan was not admitted, or a line did not arrive everywhere.
    """
    async with open_house() as house, AsyncExitStack() as stack:
        event = await BulkEvent.make(house.db, TICKETS)
        token = await _staff_token(house)
        house.sync()
        await house.warm(event)
        api, live = await house.api(), await _live(house)
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://{HOST}:{api.port}", timeout=30)
        )
        await _scans(Run(0), http, event, RATE_PER_S, WARM_UP_SCANS)
        run = Run(viewers)
        sockets = [await _open(live.port, token, event) for _ in range(viewers)]
        views = [asyncio.create_task(_view(socket, run)) for socket in sockets]
        await _scans(run, http, event, rate_per_s, int(rate_per_s * seconds))
        run.expect()
        try:
            async with asyncio.timeout(LAST_LINE_S_MAX):
                await run.all_seen.wait()
        except TimeoutError as error:
            raise OpsError("a line did not reach every viewer") from error
        for socket in sockets:
            await socket.close()
        await asyncio.gather(*views)
    return run


def quantile_ms(values_s: list[float], part: float) -> float:
    """A quantile in milliseconds."""
    ordered = sorted(values_s)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000


def run(
    rate_per_s: float = RATE_PER_S, viewers: int = VIEWERS, seconds: float = SECONDS
) -> dict[str, Figure]:
    """Median and 99th percentile, each with its baseline of the same run."""
    found = uvloop.run(measure(rate_per_s, viewers, seconds))
    waits_s = [INTERVAL_S * (step + 0.5) / 50 for step in range(50)]
    ideal = [answer_s + wait_s for answer_s in found.answers_s for wait_s in waits_s]
    figures: dict[str, Figure] = {}
    for part in QUANTILES:
        ours = quantile_ms(found.lines_s, part)
        best = quantile_ms(ideal, part)
        name = (
            f"ms from scan to screen, p{part * 100:g}, {rate_per_s:g} scans/s,"
            f" {viewers} viewers / answer and a uniform wait of 250 ms"
        )
        figures[name] = {
            "value": round(ours, 1),
            "baseline": round(best, 1),
            "ratio": round(ours / best, 3),
        }
    return figures


if __name__ == "__main__":
    rate = float(sys.argv[1]) if len(sys.argv) > 1 else RATE_PER_S
    sockets = int(sys.argv[2]) if len(sys.argv) > 2 else VIEWERS
    for figure, numbers in run(rate, sockets).items():
        print(figure, numbers)
