"""The load test itself: a few seconds of it, and that it leaves real events alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import rich_click as click

from benchmarks.event import BulkEvent
from load_tests.__main__ import locust, shown
from load_tests.config import Target
from ops.db.engine import Database
from tests.running import Role, free_port, until_answers

USERS, SECONDS = 10, 3


@pytest.fixture
async def target(
    database_url: str, redis_url: str, database: Database, tmp_path: Path
) -> AsyncIterator[Target]:
    """An event of 2,000 tickets with all three roles around it."""
    async with database.pool.acquire() as connection:
        event = await BulkEvent.make(connection, 2_000, devices=8)
    port, live_port = free_port(), free_port()
    env = {
        "OPS_DATABASE_URL": database_url,
        "OPS_REDIS_URL": redis_url,
        "OPS_DATA_DIR": str(tmp_path),
        "OPS_PORT": str(port),
        "OPS_LIVE_PORT": str(live_port),
    }
    roles = [
        Role(name, env, tmp_path / "roles.log") for name in ("sync", "live", "api")
    ]
    for role in roles:
        role.start()
    try:
        await until_answers(f"http://127.0.0.1:{port}/healthz", roles[-1].process)
        yield Target(
            f"http://127.0.0.1:{port}",
            f"ws://127.0.0.1:{live_port}/live",
            event.id,
            event.tokens,
            event.prefix,
            event.tickets,
        )
    finally:
        for role in reversed(roles):
            await asyncio.to_thread(role.stop)


async def test_devices_scan_and_screens_agree(
    target: Target, database: Database, tmp_path: Path
) -> None:
    stats = await asyncio.to_thread(locust, target, tmp_path, USERS, SECONDS)
    names = {row["name"]: row for row in stats}
    assert names["scan"]["num_requests"] > 0
    assert names["socket: hello to snapshot"]["num_requests"] > 0
    assert sum(row["num_failures"] for row in stats) == 0, stats
    admitted = await database.pool.fetchval("SELECT count(*) FROM check_ins")
    assert admitted > 0
    assert await shown(target, admitted) == admitted


async def test_a_real_event_is_left_alone(
    target: Target, database: Database, tmp_path: Path
) -> None:
    await database.pool.execute(
        "UPDATE events SET slug = 'gala' WHERE id = $1", target.event_id
    )
    with pytest.raises(click.ClickException, match="not marked as a load test"):
        await asyncio.to_thread(locust, target, tmp_path, USERS, SECONDS)
    away = msgspec.structs.replace(target, host="http://192.0.2.7:80")
    with pytest.raises(click.ClickException, match="not a loopback address"):
        await asyncio.to_thread(locust, away, tmp_path, USERS, SECONDS)
    assert await database.pool.fetchval("SELECT count(*) FROM ops.scan_log") == 0
