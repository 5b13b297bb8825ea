"""Segments: saved conditions over contacts, counted and listed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.crm.conditions import Condition, read
from ops.crm.pool import CrmPool
from ops.crm.segment_sql import Compiled, compile_sql, narrowed
from ops.errors import NotFound
from ops.ids import uuid7

CALL_TIMEOUT_S: Final = 20.0
FEW: Final = 0.3
"""Below this share of all contacts it pays to look for them first."""
CONTACTS: Final = """
SELECT reltuples FROM pg_class WHERE oid = 'public.contacts'::regclass
"""
_COLUMNS: Final = """id, name, description, conditions, created_by, counted, counted_at,
                     created_at, updated_at"""
HASHING: Final = """
SELECT set_config('work_mem', '48MB', true), set_config('enable_mergejoin', 'off', true)
"""
INSERT: Final = f"""
INSERT INTO ops.segments (id, name, description, conditions, created_by)
VALUES ($1, $2, $3, $4, $5) RETURNING {_COLUMNS}
"""
UPDATE: Final = f"""
UPDATE ops.segments SET name = $2, description = $3, conditions = $4, counted = NULL,
       counted_at = NULL, updated_at = now()
 WHERE id = $1 RETURNING {_COLUMNS}
"""
DELETE: Final = "DELETE FROM ops.segments WHERE id = $1 RETURNING id"
ONE: Final = f"SELECT {_COLUMNS} FROM ops.segments WHERE id = $1"
LIST: Final = f"""
SELECT {_COLUMNS} FROM ops.segments WHERE $1::uuid IS NULL OR id > $1
 ORDER BY id LIMIT $2
"""
COUNTED: Final = """
UPDATE ops.segments SET counted = $2, counted_at = now() WHERE id = $1
"""


class Segments:
    """Saves, counts and lists; one statement each."""

    def __init__(self, database: CrmPool, auditor: Auditor) -> None:
        self._database, self._auditor = database, auditor

    async def save(
        self,
        actor: Actor,
        segment_id: UUID | None,
        name: str,
        description: str | None,
        conditions: Condition,
    ) -> Any:
        """Make a segment, or change one.

        Raises:
            NotFound: no such segment.
            asyncpg.UniqueViolationError: the name is taken.
        """
        tree = msgspec.to_builtins(conditions)
        async with self._database.pool.acquire() as db, db.transaction():
            if segment_id is None:
                user = actor.id if actor.kind == "user" else None
                row = await db.fetchrow(
                    INSERT,
                    uuid7(),
                    name,
                    description,
                    tree,
                    user,
                    timeout=CALL_TIMEOUT_S,
                )
            else:
                row = await db.fetchrow(
                    UPDATE,
                    segment_id,
                    name,
                    description,
                    tree,
                    timeout=CALL_TIMEOUT_S,
                )
            if row is None:
                raise NotFound("There is no such segment.")
            verb = "create" if segment_id is None else "update"
            entry = Entry(actor, f"segments.{verb}", "segments", row["id"])
            await self._auditor.record(db, entry)
        return row

    async def delete(self, actor: Actor, segment_id: UUID) -> None:
        """Forget a segment.

        Raises:
            NotFound: no such segment.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            if not await db.fetchval(DELETE, segment_id, timeout=CALL_TIMEOUT_S):
                raise NotFound("There is no such segment.")
            entry = Entry(actor, "segments.delete", "segments", segment_id)
            await self._auditor.record(db, entry)

    async def one(self, segment_id: UUID) -> Any:
        """A segment.

        Raises:
            NotFound: no such segment.
        """
        row = await self._database.pool.fetchrow(
            ONE, segment_id, timeout=CALL_TIMEOUT_S
        )
        if row is None:
            raise NotFound("There is no such segment.")
        return row

    async def page(self, after: UUID | None, limit: int) -> list[Any]:
        """At most `limit + 1` segments, oldest first."""
        return list(
            await self._database.pool.fetch(
                LIST, after, limit + 1, timeout=CALL_TIMEOUT_S
            )
        )

    async def count(self, conditions: Condition) -> int:
        """How many contacts they are now.

        Raises:
            Unavailable: others are counting.
        """
        async with self._counting() as db:
            made = await quickest(db, conditions)
            found: int = await db.fetchval(
                made.select("count(*)"), *made.values, timeout=CALL_TIMEOUT_S
            )
        return found

    @asynccontextmanager
    async def _counting(self) -> AsyncIterator[Any]:
        """A turn, and a connection that hashes where it would merge or sort.

        Ids are random: walking an index in their order reads each page of a table many
        times over (20 s where a hash of all takes less than one).
        """
        async with (
            self._database.turn(),
            self._database.pool.acquire() as db,
            db.transaction(readonly=True),
        ):
            await db.execute(HASHING, timeout=CALL_TIMEOUT_S)
            yield db

    async def count_saved(self, segment_id: UUID) -> int:
        """Count a saved segment, and remember the figure."""
        row = await self.one(segment_id)
        found = await self.count(read(row["conditions"]))
        await self._database.pool.execute(
            COUNTED, segment_id, found, timeout=CALL_TIMEOUT_S
        )
        return found

    async def contacts(
        self, conditions: Condition, after: UUID | None, limit: int
    ) -> list[Any]:
        """At most `limit + 1` contacts, in the order of their ids."""
        made = compile_sql(conditions)
        at, most = len(made.values) + 1, len(made.values) + 2
        async with self._counting() as db:
            rows = await db.fetch(
                made.select(
                    "c.id, c.first_name, c.last_name, c.email, c.lead_score,"
                    " c.company_id",
                    f" AND (${at}::uuid IS NULL OR c.id > ${at})"
                    f" ORDER BY c.id LIMIT ${most}",
                ),
                *made.values,
                after,
                limit + 1,
                timeout=CALL_TIMEOUT_S,
            )
        return list(rows)


async def quickest(db: Any, conditions: Condition) -> Compiled:
    """The statement that counts a segment with the least work, by what is known of
    the table.
    """
    other = narrowed(conditions)
    if other is not None:
        all_of_them = await db.fetchval(CONTACTS, timeout=CALL_TIMEOUT_S)
        plan = await db.fetchval(
            f"EXPLAIN {other.few.select('c.id')}",
            *other.few.values,
            timeout=CALL_TIMEOUT_S,
        )
        few = re.search(r"rows=(\d+)", plan)
        if few and int(few[1]) < FEW * all_of_them:
            return other.segment
    return compile_sql(conditions)
