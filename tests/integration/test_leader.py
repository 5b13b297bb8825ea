"""One sync process leads, the next one follows when it is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ops.cache import keys
from ops.cache.client import Cache
from ops.crm_sync import worker as sync_worker
from ops.crm_sync.worker import Worker
from ops.db.engine import Database
from ops.settings import Settings
from tests.small_event import SmallEvent

_LEADS = """
SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted)
FROM pg_locks WHERE locktype = 'advisory' AND classid = 7303
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_END = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l
WHERE l.locktype = 'advisory' AND l.classid = 7303 AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


_HOLDER = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7303 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
async def two(
    database: Database, database_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[list[Worker]]:
    settings = Settings(
        database_url=database_url, redis_url=redis_url, data_dir=tmp_path
    )
    workers = [Worker(settings), Worker(settings)]
    for worker in workers:
        await worker.start()
    yield workers
    for worker in workers:
        await worker.stop()


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[Cache]:
    cache = Cache(redis_url, timeout_s=2.0)
    yield cache
    await cache.stop()


async def become(question: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Ask until the answer is this one; the limit of the test ends it."""
    while await question() != wanted:  # noqa: ASYNC110 - another process's state
        await asyncio.sleep(0.05)


async def test_one_leads_and_the_other_takes_over(
    two: list[Worker], database: Database, cache: Cache
) -> None:
    async def locks() -> tuple[int, int]:
        row = await database.pool.fetchrow(_LEADS)
        return row[0], row[1]

    async def state(event: SmallEvent) -> bytes | None:
        return await cache.redis.hget(keys.meta(event.id), "state")

    await become(locks, (1, 1))
    first = await SmallEvent.make(database.pool, tickets=1)
    await become(lambda: state(first), b"ready")
    # The leader's connection dies, as with a restart of PostgreSQL or a lost network:
    # the one that waited leads, the other one waits.
    await database.pool.execute(_END)
    await become(locks, (1, 1))
    second = await SmallEvent.make(database.pool, tickets=1)
    await become(lambda: state(second), b"ready")
    await two[0].stop()
    third = await SmallEvent.make(database.pool, tickets=1)
    await become(lambda: state(third), b"ready")


async def test_the_lead_is_taken_up_again_whatever_fails_meanwhile(
    two: list[Worker], database: Database, cache: Cache
) -> None:
    """A duty whose clean-up fails at the moment of its end must not outlive the lead.

    It did: with PostgreSQL gone, measuring the relay failed in place of the
    cancellation, the process never led again, and events stayed in mode D for ever.
    """

    async def locks() -> tuple[int, int]:
        row = await database.pool.fetchrow(_LEADS)
        return row[0], row[1]

    async def state(event: SmallEvent) -> bytes | None:
        return await cache.redis.hget(keys.meta(event.id), "state")

    async def away(*_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("PostgreSQL is away")

    for worker in two:
        worker.relay.turn = away  # type: ignore[assignment]
    await become(locks, (1, 1))
    for _ in range(2):
        await database.pool.execute(_END)
        await become(locks, (1, 1))
    event = await SmallEvent.make(database.pool, tickets=1)
    await become(lambda: state(event), b"ready")


async def test_a_lead_that_is_silent_is_given_up(
    two: list[Worker], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody closes a connection whose other end lost its power or its network."""
    monkeypatch.setattr(sync_worker, "LEAD_CHECK_S", 0.1)
    monkeypatch.setattr(sync_worker, "LEAD_TRY_S", 1.0)

    async def holder() -> int | None:
        return await database.pool.fetchval(_HOLDER)

    async def led() -> bool:
        return any(task.get_name() == "relay" for task in asyncio.all_tasks())

    await become(led, True)
    silent = await holder()
    assert silent is not None
    os.kill(silent, signal.SIGSTOP)
    try:
        await become(led, False)
    finally:
        os.kill(silent, signal.SIGCONT)
    await become(led, True)
    assert await holder() != silent
