"""A connection of the door knows its calls before a scan uses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ops.db.door_calls import COMMIT, READ, rehearse
from ops.db.engine import DOOR_SIZE_MIN, Database
from ops.errors import StoreUnavailable

_PREPARED = "SELECT statement FROM pg_prepared_statements"
_ROWS = """
SELECT (SELECT count(*) FROM check_ins) + (SELECT count(*) FROM ops.scan_log)
  + (SELECT count(*) FROM ops.facts)
"""


@asynccontextmanager
async def opened(url: str, **more: Any) -> AsyncIterator[Database]:
    database = Database(url, **more)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


async def prepared(database: Database) -> list[set[str]]:
    """What each open connection of the door has prepared."""
    taken = [await database.door.acquire() for _ in range(DOOR_SIZE_MIN)]
    found = [{row[0] for row in await one.fetch(_PREPARED)} for one in taken]
    for one in taken:
        await database.door.release(one)
    return found


async def test_every_connection_has_rehearsed_and_nothing_was_written(
    database_url: str,
) -> None:
    async with opened(database_url, rehearse=rehearse) as database:
        assert all({COMMIT, READ} <= known for known in await prepared(database))
        assert await database.pool.fetchval(_ROWS) == 0


async def test_without_a_rehearsal_they_know_nothing(database_url: str) -> None:
    async with opened(database_url) as database:
        assert not any({COMMIT, READ} & known for known in await prepared(database))


async def test_those_that_broke_are_opened_and_rehearsed_beside_the_work(
    database_url: str,
) -> None:
    async with opened(database_url, rehearse=rehearse) as database:
        for _ in range(DOOR_SIZE_MIN):
            (await database.door.acquire()).terminate()
        async with asyncio.timeout(30):
            while database.door.get_size() < DOOR_SIZE_MIN:  # noqa: ASYNC110 - the pool
                await asyncio.sleep(0.01)
        assert all({COMMIT, READ} <= known for known in await prepared(database))


async def test_a_database_without_the_functions_is_nobodys_door(
    empty_database_url: str,
) -> None:
    async with opened(empty_database_url, rehearse=rehearse) as database:
        assert await database.pool.fetchval("SELECT 1") == 1


async def test_one_that_never_answers_is_thrown_away(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.db.door_calls.REHEARSAL_S", 0.0)
    with pytest.raises(StoreUnavailable):
        async with opened(database_url, rehearse=rehearse):
            pass
