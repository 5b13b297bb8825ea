"""Millions of rows in a minute: no triggers, and indexes made when all is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

TIMEOUT_S = 3600.0
_INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made_by
  FROM pg_index i WHERE i.indrelid = ANY ($1::text[]::regclass[])
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


@asynccontextmanager
async def bare(
    db: asyncpg.Connection[asyncpg.Record], tables: Sequence[str]
) -> AsyncIterator[None]:
    """Within: the tables have no triggers and only the indexes of their constraints.

    Afterwards they are as before, vacuumed and with fresh statistics.
    """
    indexes = await db.fetch(_INDEXES, list(tables))
    for index in indexes:
        await db.execute(f"DROP INDEX {index['name']}")
    await db.execute("SET session_replication_role = replica")
    await db.execute("SET maintenance_work_mem = '512MB'")
    yield
    await db.execute("SET session_replication_role = DEFAULT")
    for index in indexes:
        await db.execute(index["made_by"], timeout=TIMEOUT_S)
    for table in tables:
        await db.execute(f"VACUUM (FREEZE, ANALYZE) {table}", timeout=TIMEOUT_S)
    await db.execute("RESET maintenance_work_mem")
