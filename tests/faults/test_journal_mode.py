"""PostgreSQL is stopped and killed under scan load, and an api process with it.

The doors go on by the journal; afterwards every green they were told is in the record,
nobody is in twice, and the event is back in normal mode.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.db import migrate
from ops.db.engine import Database
from ops.dev.process import inhabitants
from ops.dev.servers import EmbeddedPostgres
from ops.ids import uuid7
from tests.running import Role, client, free_port, until_answers
from tests.small_event import SmallEvent

TICKETS = 300
DOORS = 6
STEADY_S = 1
DEVICE_WAITS_S = 0.8
BACK_S = 60.0
KILLED_S = 10.0


class Evening:
    """Doors that scan and remember; a scan is repeated with its id until answered."""

    def __init__(self, event: SmallEvent, urls: list[str]) -> None:
        self.event, self.urls = event, urls
        self.codes = [f"T-{n}" for n in range(1, TICKETS + 1)]
        self.history: list[tuple[str, str, dict[str, Any]]] = []
        self.late: list[float] = []
        self.answers_503 = 0

    async def scan_some(self, count: int) -> None:
        """All doors together take the next guests of the queue."""
        taken, self.codes = self.codes[:count], self.codes[count:]
        waiting = taken + taken[: count // 5]
        async with client(timeout=5) as http:

            async def door(number: int) -> None:
                while waiting:
                    await self._scan(http, waiting.pop(0), number)

            await asyncio.gather(*(door(n) for n in range(DOORS)))

    async def _scan(self, http: httpx.AsyncClient, code: str, number: int) -> None:
        body = {"id": str(uuid7()), "code": code}
        device = (self.event.device, self.event.other_device)[number % 2]
        for attempt in range(400):
            url = self.urls[(number + attempt) % len(self.urls)]
            started_s = time.monotonic()
            try:
                answer = await http.post(
                    f"{url}/api/v1/events/{self.event.id}/scans",
                    json=body,
                    headers={"Authorization": f"Device dev_{device}"},
                )
            except httpx.HTTPError:
                await asyncio.sleep(0.02)
                continue
            self.late.append(time.monotonic() - started_s)
            if answer.status_code == 503:
                self.answers_503 += 1
                await asyncio.sleep(0.02)
                continue
            assert answer.status_code == 200, answer.text
            self.history.append((body["id"], code, answer.json()))
            return
        raise AssertionError("a scan was never answered")

    def greens(self) -> list[tuple[str, str, str]]:
        """Scan, code and how durable, of every green that a door was told."""
        return [
            (scan, code, said["durable"])
            for scan, code, said in self.history
            if said["verdict"] == "admitted"
        ]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL of this test, because it is stopped and killed."""
    server = EmbeddedPostgres(tmp_path / "postgres")
    await asyncio.to_thread(server.start)
    await migrate.upgrade(server.url)
    yield server
    # Wherever the test ended: a stopped server hears no other signal.
    signal_all(data_folder(server), signal.SIGCONT)
    await asyncio.to_thread(server.stop)
    await killed(data_folder(server))


def signal_all(folder: Path, number: int) -> None:
    """Send a signal to every process of the server that works in this folder."""
    for pid in inhabitants(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def killed(folder: Path) -> None:
    """kill -9 of all of them, until none is left: a postmaster may have forked."""
    async with asyncio.timeout(KILLED_S):
        while inhabitants(folder):
            signal_all(folder, signal.SIGKILL)
            await asyncio.sleep(0.02)


def data_folder(server: EmbeddedPostgres) -> Path:
    """Where the server keeps its postmaster.pid."""
    return Path(server.dir)


@pytest.mark.timeout(300)
async def test_the_door_survives_the_loss_of_postgresql(
    server: EmbeddedPostgres, redis_url: str, tmp_path: Path
) -> None:
    database = Database(server.url, "tests")
    await database.start()
    event = await SmallEvent.make(database.pool, tickets=TICKETS)
    env = {
        "OPS_DATABASE_URL": server.url,
        "OPS_REDIS_URL": redis_url,
        "OPS_DATA_DIR": str(tmp_path / "data"),
        "OPS_STEADY_S": str(STEADY_S),
    }
    roles = [Role("sync", env, tmp_path / "sync.log")]
    ports = [str(free_port()) for _ in range(2)]
    roles += [
        Role("api", {**env, "OPS_PORT": port}, tmp_path / f"api{port}.log")
        for port in ports
    ]
    try:
        for role in roles:
            role.start()
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        for url, role in zip(urls, roles[1:], strict=True):
            await until_answers(f"{url}/healthz", role.process)
        evening = Evening(event, urls)
        await until_normal(urls, evening)
        folder = data_folder(server)

        signal_all(folder, signal.SIGSTOP)
        await evening.scan_some(60)
        await database.stop()
        assert {said for _, _, said in evening.greens()} == {"committed", "journal"}
        (mode,) = await modes(urls[:1])
        assert mode == "journal"
        roles[1].kill()
        await evening.scan_some(40)
        await killed(folder)
        await evening.scan_some(40)
        await asyncio.to_thread(server.start)
        roles[1].start()
        await until_answers(f"{urls[0]}/healthz", roles[1].process)
        await evening.scan_some(40)
        await until_merged(server, evening)
        await until_normal(urls, evening)
        await evening.scan_some(len(evening.codes))
    finally:
        for role in reversed(roles):
            await asyncio.to_thread(role.stop)
    await check(server, event, evening)
    slow = sorted(evening.late)
    assert slow[int(len(slow) * 0.99)] < DEVICE_WAITS_S, slow[-20:]


async def modes(urls: list[str]) -> list[str]:
    async with client(timeout=5) as http:
        return [(await http.get(f"{url}/readyz")).json()["mode"] for url in urls]


async def until_normal(urls: list[str], evening: Evening) -> None:
    """Guests come until one is committed at each process, and the cache is used."""
    end = time.monotonic() + BACK_S
    while time.monotonic() < end:
        before = len(evening.history)
        await evening.scan_some(2)
        said = [one["durable"] for _, _, one in evening.history[before:]]
        if "committed" in said and set(await modes(urls)) == {"normal"}:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"not back in normal mode: {await modes(urls)}")


async def until_merged(server: EmbeddedPostgres, evening: Evening) -> None:
    wanted = {scan for scan, _, _ in evening.greens()}
    database = Database(server.url, "tests")
    await database.start()
    try:
        end = time.monotonic() + BACK_S
        while missing := wanted - await written(database):
            assert time.monotonic() < end, f"{len(missing)} greens are not merged"
            await asyncio.sleep(0.1)
    finally:
        await database.stop()


async def written(database: Database) -> set[str]:
    rows = await database.pool.fetch("SELECT scan_id FROM check_ins")
    return {str(row["scan_id"]) for row in rows}


async def check(server: EmbeddedPostgres, event: SmallEvent, evening: Evening) -> None:
    """The doors' histories against the record."""
    database = Database(server.url, "tests")
    await database.start()
    try:
        greens = evening.greens()
        assert {scan for scan, _, _ in greens} <= await written(database), "lost"
        twice = [c for c, n in Counter(code for _, code, _ in greens).items() if n > 1]
        assert twice == []
        rows = await database.pool.fetch(
            "SELECT ticket_id, count(*) FROM check_ins GROUP BY 1 HAVING count(*) > 1"
        )
        assert rows == []
        inside = await database.pool.fetchval(
            "SELECT inside FROM ops.scopes WHERE id = $1", event.venue_scope
        )
        assert inside == await database.pool.fetchval("SELECT count(*) FROM check_ins")
        assert sum(said == "journal" for _, _, said in greens) >= 100
    finally:
        await database.stop()
