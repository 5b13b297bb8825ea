"""With real processes: an act at the desk is at every door within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis.asyncio as redis

from ops.cache import keys
from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.people_kit import OWNER, sign_in, user
from tests.running import Role, client, free_port, until_answers
from tests.small_event import SmallEvent

WHY = {"reason": "Phone lost"}


class House:
    """An api and a sync process over a warm cache, and an owner who is signed in."""

    def __init__(
        self, event: SmallEvent, database: Database, http: httpx.AsyncClient
    ) -> None:
        self.event, self.database, self.http = event, database, http
        self.owner: dict[str, str] = {}

    async def act(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self.http.post(f"/api/v1{path}", json=body, headers=self.owner)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def scan(self, code: str) -> Any:
        device = self.event.other_device
        answer = await self.http.post(
            f"/api/v1/events/{self.event.id}/scans",
            json={"id": str(uuid7()), "code": code, "dry_run": True},
            headers={"Authorization": f"Device dev_{device}"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until(self, code: str, reason: str) -> float:
        """Seconds until a door answers with this reason."""
        start = time.monotonic()
        while (await self.scan(code))["reason"] != reason:
            assert time.monotonic() - start < 10, f"{code} is never {reason}"
        return time.monotonic() - start


@pytest.fixture(scope="module")
async def house(
    cloned_database_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("desk")
    database = Database(cloned_database_url, "tests")
    await database.start()
    event = await SmallEvent.make(database.pool, tickets=12)
    port = free_port()
    env = {
        "OPS_DATABASE_URL": cloned_database_url,
        "OPS_REDIS_URL": valkey_url,
        "OPS_DATA_DIR": str(folder),
        "OPS_PORT": str(port),
    }
    roles = [Role(name, env, folder / f"{name}.log") for name in ("sync", "api")]
    for role in roles:
        role.start()
    http = client(base_url=f"http://127.0.0.1:{port}", timeout=10)
    house = House(event, database, http)
    cache = redis.from_url(valkey_url, protocol=2)
    try:
        await until_answers(f"http://127.0.0.1:{port}/healthz", roles[1].process)
        await user(database, OWNER, "owner")
        house.owner = await sign_in(http, OWNER)
        for _ in range(600):
            if await cache.hget(keys.meta(event.id), "state") == b"ready":
                break
            await asyncio.sleep(0.05)
        yield house
    finally:
        await cache.aclose()
        await http.aclose()
        for role in reversed(roles):
            await asyncio.to_thread(role.stop)
        await database.stop()


async def test_an_act_is_at_the_door_within_a_second(house: House) -> None:
    """Three tickets each; the best of them: a busy machine is not the subject."""
    took: dict[str, list[float]] = {"reissued": [], "blocked": [], "cancelled": []}
    for n in range(1, 4):
        for reason, act in (
            ("reissued", "reissue"),
            ("blocked", "block"),
            ("cancelled", "cancel"),
        ):
            code = f"T-{n + 3 * list(took).index(reason)}"
            assert (await house.scan(code))["reason"] == "ok"
            ticket = house.event.tickets[code]
            await house.act(f"/tickets/{ticket}/{act}", WHY)
            took[reason].append(await house.until(code, reason))
    assert {reason: min(each) < 1 for reason, each in took.items()} == {
        "reissued": True,
        "blocked": True,
        "cancelled": True,
    }


async def test_the_sync_role_gives_seats_away(house: House) -> None:
    event, pool = house.event, house.database.pool
    await pool.execute(
        "UPDATE sessions SET door_mode = 'registered', max_attendees = 1,"
        " start_time = now() - interval '6 minutes' WHERE id = $1",
        event.session,
    )
    await pool.execute(
        "INSERT INTO ops.session_registrations (session_id, event_id, ticket_id,"
        " registered_at) VALUES ($1, $2, $3, now() - interval '1 day')",
        event.session,
        event.id,
        event.tickets["T-10"],
    )
    status = "SELECT status FROM ops.session_registrations WHERE ticket_id = $1"
    for _ in range(200):
        if await pool.fetchval(status, event.tickets["T-10"]) == "released":
            break
        await asyncio.sleep(0.05)
    assert await pool.fetchval(status, event.tickets["T-10"]) == "released"
    seats = "SELECT current_registrations FROM sessions WHERE id = $1"
    assert await pool.fetchval(seats, event.session) == 0
