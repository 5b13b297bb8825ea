"""Which evening it is: it goes on until it is over, then the next one begins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from ops.dev import evenings
from ops.dev.evenings import LEAD_S

SECRET = "a secret key of at least 32 characters"
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        yield pool


async def counted(pool: asyncpg.Pool, sql: str) -> object:
    return await pool.fetchval(sql)


async def test_an_evening_goes_on_and_the_next_one_follows(pool: asyncpg.Pool) -> None:
    first = await evenings.current(pool, SECRET, NOW)
    assert first.number == 1
    assert first.timetable.opens_at == NOW + timedelta(seconds=LEAD_S)

    # Five minutes later it is the same one, built again without being written again.
    later = await evenings.current(pool, SECRET, NOW + timedelta(minutes=5))
    assert later.ids == first.ids
    assert later.tickets == first.tickets
    assert await counted(pool, "SELECT count(*) FROM tickets") == 5_000

    # When it is over, the next one begins with the same people.
    people = await counted(pool, "SELECT count(*) FROM contacts")
    second = await evenings.current(pool, SECRET, NOW + timedelta(minutes=11), 2.0)
    assert second.number == 2
    assert second.timetable.length_s == 300
    assert second.ids.event != first.ids.event
    assert await counted(pool, "SELECT count(*) FROM contacts") == people
    assert await counted(pool, "SELECT count(*) FROM tickets") == 10_000
    states = dict(await pool.fetch("SELECT id, status FROM events"))
    assert states == {first.ids.event: "completed", second.ids.event: "live"}
    revoked = await pool.fetch("SELECT id FROM ops.devices WHERE state = 'revoked'")
    assert {row["id"] for row in revoked} == {device.id for device in first.devices}


async def test_the_logins_are_made_once_and_work(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await evenings.prepare(connection)
        before = await connection.fetch("SELECT email, password_hash FROM users")
        await evenings.prepare(connection)
        after = await connection.fetch("SELECT email, password_hash FROM users")
    assert before == after
    emails = {row["email"] for row in after}
    assert emails == {login.email for login in evenings.LOGINS}
    assert all(row["password_hash"].startswith("$argon2id$") for row in after)
