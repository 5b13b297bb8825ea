"""Rows of a list as CSV, streamed: a million of them in the memory of a thousand.

A cursor of the database feeds the answer as fast as the client reads. A text that a
spreadsheet would take for a formula gets an apostrophe in front, which the import
takes away again.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

import asyncpg
import msgspec

from ops.audit.auditor import Auditor
from ops.audit.entry import Entry
from ops.crm import statements
from ops.crm.changes import Actor
from ops.crm.history import acting
from ops.crm.pool import CrmPool
from ops.crm.query import Query
from ops.crm.reach import reach_of
from ops.crm.resource import Resource
from ops.errors import TooManyRequests
from ops.sheets.cells import escape

FETCHED: Final = 1_000
"""Rows a round trip, and a chunk of the answer."""
AT_ONCE_MAX: Final = 2
"""Exports of a process: each holds one of the CRM's six connections."""
BOM: Final = "\ufeff"
"""Spreadsheets take the file for UTF-8 by it."""

_encode = msgspec.json.Encoder(decimal_format="string").encode


def cell(value: Any) -> str:
    """A value as the text of a cell; formulas are disarmed in texts alone."""
    if value is None:
        return ""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (list, dict)):
        return cell(_encode(value).decode())
    return str(value)


def lines(rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as lines of CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


class Export:
    """Streams lists."""

    def __init__(self, pool: CrmPool, auditor: Auditor) -> None:
        self._pool, self._auditor = pool, auditor
        self._free = asyncio.Semaphore(AT_ONCE_MAX)

    async def open(
        self, actor: Actor, resource: Resource, query: Query
    ) -> AsyncIterator[bytes]:
        """The chunks of the file; what may be refused is refused before the first.

        Raises:
            Forbidden: as for the list.
            TooManyRequests: others are exporting.
            TimeoutError: all connections are taken.
        """
        reach = reach_of(actor.staff, resource, "read")
        reach.refuse_private(set(query.named()) | set(query.fields))
        asked = query.fields or tuple(field.name for field in resource.shown)
        names = [name for name in asked if name not in reach.private]
        values: list[Any] = []
        within = reach.condition(resource, values)
        endless = msgspec.structs.replace(query, limit=2**62, after=None)
        statement = statements.listing(
            resource, endless, names, within, values, reach.private
        )
        if self._free.locked():
            raise TooManyRequests(
                "Others are exporting just now.", headers={"Retry-After": "20"}
            )
        # Whoever would wait too long for a connection is told so while it can be told.
        async with self._pool.pool.acquire():
            pass
        return self._chunks(actor, resource, names, statement)

    async def _chunks(
        self,
        actor: Actor,
        resource: Resource,
        names: Sequence[str],
        statement: statements.Statement,
    ) -> AsyncIterator[bytes]:
        count = 0
        # Taken here and not before: an answer that never begins gives nothing back.
        await self._free.acquire()
        try:
            async with (
                self._pool.pool.acquire() as db,
                db.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield (BOM + lines([names]).decode()).encode()
                cursor = await db.cursor(statement.sql, *statement.values)
                while rows := await cursor.fetch(FETCHED):
                    count += len(rows)
                    yield await asyncio.to_thread(_lines_of, rows, names)
        finally:
            self._free.release()
            await self._told(actor, resource, names, count)

    async def _told(
        self, actor: Actor, resource: Resource, names: Sequence[str], count: int
    ) -> None:
        """Write down who took how much, also of an answer that broke off."""
        detail = {"rows": count, "columns": list(names)}
        entry = Entry(
            acting(actor), f"{resource.name}.export", resource.name, detail=detail
        )
        await self._auditor.record(self._pool.pool, entry)


def _lines_of(rows: Sequence[asyncpg.Record], names: Sequence[str]) -> bytes:
    return lines([[row[name] for name in names] for row in rows])
