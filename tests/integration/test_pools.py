"""Calls of a pool end within their time, whatever holds the others up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from ops.db.engine import POOL_SIZE_MAX, Database
from ops.db.pools import BoundedPool

HURRY_S = 0.2
LONG_S = 3.0
"""Far more than the limit, far less than what would hold a call up without it."""


@pytest.fixture
async def exhausted(database: Database) -> AsyncIterator[asyncpg.Pool[Any]]:
    """The pool of a process whose connections are all at work."""
    taken = [await database.pool.acquire() for _ in range(POOL_SIZE_MAX)]
    yield database.pool
    for one in taken:
        await database.pool.release(one)


async def test_the_wait_for_a_connection_counts(
    exhausted: asyncpg.Pool[Any],
) -> None:
    began_s = time.monotonic()
    for call in (exhausted.fetch, exhausted.fetchval, exhausted.execute):
        with pytest.raises(TimeoutError):
            await call("SELECT 1", timeout=HURRY_S)
    assert time.monotonic() - began_s < LONG_S


async def test_a_statement_that_may_take_long_does_not_wait_long_for_a_connection(
    exhausted: asyncpg.Pool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exhausted, "wait_s", HURRY_S)
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        await exhausted.fetch("SELECT 1", timeout=LONG_S * 2)
    assert time.monotonic() - began_s < LONG_S


async def test_asyncpg_by_itself_waits_without_end(database_url: str) -> None:
    """The negative control."""
    async with (
        asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool,
        pool.acquire(),
    ):
        call = asyncio.create_task(pool.fetch("SELECT 1", timeout=HURRY_S))
        done, _ = await asyncio.wait([call], timeout=HURRY_S * 3)
        assert not done
        call.cancel()
        await asyncio.wait([call])


async def test_a_call_that_timed_out_leaves_at_once_and_its_connection_is_replaced(
    database: Database,
) -> None:
    before = await database.pool.fetchval("SELECT pg_backend_pid()")
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        await database.pool.fetchval("SELECT pg_sleep(20)", timeout=HURRY_S)
    assert time.monotonic() - began_s < LONG_S
    assert database.pool.get_size() - database.pool.get_idle_size() == 0
    assert await database.pool.fetchval("SELECT pg_backend_pid()") != before


async def test_a_statement_that_is_refused_costs_no_connection(
    database: Database,
) -> None:
    before = await database.pool.fetchval("SELECT pg_backend_pid()")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await database.pool.fetchval("SELECT 1 / 0")
    row = await database.pool.fetchrow("SELECT pg_backend_pid() AS pid")
    assert row is not None
    assert row["pid"] == before


async def test_a_cancelled_call_gives_its_place_back(database: Database) -> None:
    call = asyncio.create_task(database.pool.fetchval("SELECT pg_sleep(20)"))
    while database.pool.get_size() == database.pool.get_idle_size():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert database.pool.get_size() == database.pool.get_idle_size()


async def test_the_way_back_has_connections_of_its_own(
    exhausted: asyncpg.Pool[Any], database: Database
) -> None:
    assert isinstance(database.back, BoundedPool)
    assert await database.back.fetchval("SELECT $1::jsonb", {"a": 1}) == {"a": 1}
