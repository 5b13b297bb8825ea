"""kill -9 of a desk and FLUSHALL of the cache in the middle of a rush.

Eight doors write their own history: what they asked and what they were told. Then the
database is held against it: nothing shown was lost, and nobody came in twice.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import redis.asyncio

from ops.cache import keys
from ops.db.engine import Database
from ops.ids import uuid7
from tests.running import Role, free_port, until_answers
from tests.small_event import SmallEvent

TICKETS = 400
DOORS = 8
SEED = 20261123


class Rush:
    """Doors that scan every ticket once, copies of some, and remember."""

    def __init__(self, event: SmallEvent, urls: list[str]) -> None:
        self.event, self.urls = event, urls
        self.history: list[tuple[str, str, str]] = []
        random_ = random.Random(SEED)
        codes = [f"T-{n}" for n in range(1, TICKETS + 1)]
        codes += random_.sample(codes, TICKETS // 5)
        random_.shuffle(codes)
        self._waiting = codes
        self.done = False
        self._answered = asyncio.Condition()

    async def run(self) -> None:
        """All doors until no guest is left."""
        limits = httpx.Limits(max_connections=DOORS * 2)
        async with httpx.AsyncClient(timeout=5, limits=limits) as client:
            await asyncio.gather(*(self._door(client, n) for n in range(DOORS)))
        self.done = True
        async with self._answered:
            self._answered.notify_all()

    async def reach(self, count: int) -> None:
        """Wait until there are so many answers, or the rush is over."""
        async with self._answered:
            await self._answered.wait_for(
                lambda: len(self.history) >= count or self.done
            )

    async def _door(self, client: httpx.AsyncClient, number: int) -> None:
        device = (self.event.device, self.event.other_device)[number % 2]
        while self._waiting:
            code = self._waiting.pop()
            await self._ask(client, device, code, number)

    async def _ask(self, client, device, code: str, number: int) -> None:
        body = {"id": str(uuid7()), "code": code}
        for attempt in range(200):
            url = self.urls[(number + attempt) % len(self.urls)]
            try:
                answer = await client.post(
                    f"{url}/api/v1/events/{self.event.id}/scans",
                    json=body,
                    headers={"Authorization": f"Device dev_{device}"},
                )
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 503:
                continue
            assert answer.status_code == 200, answer.text
            async with self._answered:
                self.history.append((body["id"], code, answer.json()["verdict"]))
                self._answered.notify_all()
            return
        raise AssertionError("a scan was never answered")


@pytest.fixture
async def roles(
    database_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[list[Role]]:
    env = {
        "OPS_DATABASE_URL": database_url,
        "OPS_REDIS_URL": redis_url,
        "OPS_DATA_DIR": str(tmp_path),
    }
    roles = [Role("sync", env, tmp_path / "sync.log")]
    for _ in range(2):
        port = str(free_port())
        roles.append(Role("api", {**env, "OPS_PORT": port}, tmp_path / "api.log"))
    for role in roles:
        role.start()
    yield roles
    for role in reversed(roles):
        await asyncio.to_thread(role.stop)


async def check(database: Database, event: SmallEvent, rush: Rush) -> Counter[str]:
    """Hold the doors' histories against the database."""
    green = {scan for scan, _, verdict in rush.history if verdict == "admitted"}
    rows = await database.pool.fetch("SELECT scan_id, ticket_id FROM check_ins")
    written = {str(row["scan_id"]) for row in rows}
    found = Counter(
        lost=len(green - written),
        twice=len(rows) - len({row["ticket_id"] for row in rows}),
        shown_twice=sum(
            count > 1
            for count in Counter(
                code for _, code, verdict in rush.history if verdict == "admitted"
            ).values()
        ),
        missing=TICKETS - len({row["ticket_id"] for row in rows}),
    )
    inside = await database.pool.fetchval(
        "SELECT inside FROM ops.scopes WHERE id = $1", event.venue_scope
    )
    assert inside == len(rows)
    return found


@pytest.mark.timeout(180)
async def test_nothing_is_lost_and_nobody_is_in_twice(
    roles: list[Role], database: Database, redis_url: str
) -> None:
    event = await SmallEvent.make(database.pool, tickets=TICKETS)
    _, first, second = roles
    urls = [f"http://127.0.0.1:{role.env['OPS_PORT']}" for role in (first, second)]
    for url, role in zip(urls, (first, second), strict=True):
        await until_answers(f"{url}/healthz", role.process)
    rush = Rush(event, urls)
    running = asyncio.create_task(rush.run())
    await rush.reach(60)
    first.kill()
    await rush.reach(120)
    async with redis.asyncio.Redis.from_url(redis_url, protocol=2) as store:
        await store.flushall()
    await rush.reach(200)
    first.start()
    await rush.reach(260)
    second.kill()
    second.start()
    await running
    found = await check(database, event, rush)
    assert found == Counter(lost=0, twice=0, shown_twice=0, missing=0), found
    async with (
        redis.asyncio.Redis.from_url(redis_url, protocol=2) as store,
        asyncio.timeout(30),
    ):
        await converged(store, database, event)


async def converged(
    store: redis.asyncio.Redis, database: Database, event: SmallEvent
) -> None:
    """The screens' counters come to what the database holds, whatever was killed."""
    scope = await database.pool.fetchval(
        "SELECT no FROM ops.scopes WHERE id = $1", event.venue_scope
    )
    while True:
        state = await store.hget(keys.meta(event.id), "state")
        inside = await store.hget(keys.counters(event.id), f"i:{scope}")
        if state == b"ready" and int(inside or 0) == TICKETS:
            return
        await asyncio.sleep(0.05)


async def test_the_checker_sees_a_double_entry(
    database: Database,
) -> None:
    """The negative control: without the unique key a second row is written and seen."""
    event = await SmallEvent.make(database.pool, tickets=TICKETS)
    rush = Rush(event, [])
    insert = (
        "INSERT INTO check_ins (id, event_id, ticket_id, scope_id, scan_id, pass_no)"
        " VALUES ($1, $2, $3, $4, $5, $6)"
    )
    for pass_no in (1, 2):
        await database.pool.execute("DROP INDEX IF EXISTS uq_check_ins_inside")
        scan = uuid7()
        await database.pool.execute(
            insert,
            uuid7(),
            event.id,
            event.tickets["T-1"],
            event.venue_scope,
            scan,
            pass_no,
        )
        rush.history.append((str(scan), "T-1", "admitted"))
    await database.pool.execute(
        "UPDATE ops.scopes SET inside = 2 WHERE id = $1", event.venue_scope
    )
    rush.history.append((str(uuid7()), "T-2", "admitted"))
    found = await check(database, event, rush)
    assert (found["lost"], found["twice"], found["shown_twice"]) == (1, 1, 1)
