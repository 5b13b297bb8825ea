"""Migrations: from nothing to the schema, once, whoever starts first."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from ops.db import migrate, version
from ops.errors import SchemaOutdated, StoreError, StoreUnavailable


async def test_three_processes_that_start_at_once_migrate_once(
    empty_database_url: str,
) -> None:
    await asyncio.gather(*(migrate.upgrade(empty_database_url) for _ in range(3)))

    await migrate.check(empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    try:
        versions = await connection.fetch("SELECT version_num FROM ops.schema_version")
        locks = await connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        )
    finally:
        await connection.close()
    assert len(versions) == 1
    assert locks == 0


def test_the_program_knows_its_migrations() -> None:
    script = ScriptDirectory.from_config(migrate.configuration())
    steps = [step.revision for step in script.walk_revisions()]
    assert tuple(reversed(steps)) == version.REVISIONS
    assert len(script.get_heads()) == 1


async def test_an_empty_database_is_refused(empty_database_url: str) -> None:
    with pytest.raises(SchemaOutdated):
        await migrate.check(empty_database_url)


async def test_a_migrated_database_is_accepted_and_left_alone(
    database_url: str,
) -> None:
    await migrate.check(database_url)
    await migrate.upgrade(database_url)
    await migrate.check(database_url)


async def test_a_newer_database_is_accepted(database_url: str) -> None:
    # During an upgrade the previous release runs on the next one's schema.
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE ops.schema_version SET version_num = '9999_x'")
    finally:
        await connection.close()
    await migrate.check(database_url)


async def test_a_database_of_an_earlier_state_of_the_step_is_refused(
    database_url: str,
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("COMMENT ON SCHEMA ops IS '0123456789abcdef'")
    finally:
        await connection.close()
    for call in (migrate.check, migrate.upgrade):
        with pytest.raises(SchemaOutdated, match="FRESH=1"):
            await call(database_url)


async def test_a_step_that_fails_leaves_nothing_and_may_be_repeated(
    empty_database_url: str,
) -> None:
    # The last table of all is in the way: 58 were made before it.
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute("CREATE SCHEMA ops CREATE TABLE import_runs ()")
        with pytest.raises(StoreError, match="import_runs"):
            await migrate.upgrade(empty_database_url)
        left = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace IN ('public'::regnamespace, 'ops'::regnamespace)"
        )
        assert {row["relname"] for row in left} <= {"import_runs", "schema_version"}
        with pytest.raises(SchemaOutdated):
            await migrate.check(empty_database_url)
        await connection.execute("DROP TABLE ops.import_runs")
    finally:
        await connection.close()
    await migrate.upgrade(empty_database_url)
    await migrate.check(empty_database_url)


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://ops@/ops?host={tmp_path}"
    with pytest.raises(StoreUnavailable):
        await migrate.check(url)
    with pytest.raises(StoreUnavailable):
        await migrate.upgrade(url)
