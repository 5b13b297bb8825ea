"""The rebuilder: fills the cache of an event from PostgreSQL when it is cold.

epoch + 1 and `warming` (every finish of an older epoch is refused, every desk decides
by mode D2) -> copy from one snapshot -> what was committed since -> `ready`, if the
cache is still the one that was filled (core.md item 5). The door never waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

from ops import log, metrics
from ops.cache import keys
from ops.cache.client import CACHE_ERRORS, Cache
from ops.cache.entry import pack_visit, visit_key
from ops.cache.scripts import WARM_BEGIN, WARM_READY
from ops.crm_sync import rows, statements
from ops.db.engine import Database
from ops.errors import StoreUnavailable
from ops.ids import uuid7

ROWS_PER_FETCH = 2_000
FIELDS_PER_COMMAND = 500
"""One HSET of this many fields keeps Redis busy for less than a millisecond."""

_logger = log.get(__name__)

Pack = Callable[[rows.Row], bytes]
CatchUp = Callable[[UUID, str], Awaitable[None]]


class Warmer:
    """Warms events one at a time; `warming` are those under way.

    Args:
        catch_up: replays the facts of an event since a transaction into the cache.
    """

    def __init__(self, database: Database, cache: Cache, catch_up: CatchUp) -> None:
        self._database = database
        self._cache = cache
        self._catch_up = catch_up
        self.merge: Callable[[], Awaitable[bool]] | None = None
        """Brings this machine's journals in, and says whether it could: a cache is
        filled with them or not at all, for what they hold is in no other store (R6)."""
        self.warming: set[UUID] = set()

    async def check(self) -> int:
        """Warm every active event whose cache is cold; how many that were.

        Raises:
            StoreUnavailable: the cache is away.
        """
        events = await self._database.pool.fetch(statements.ACTIVE_EVENTS)
        cold = [row["id"] for row in events if await self._is_cold(row["id"])]
        for event_id in cold:
            await self.rebuild(event_id)
        return len(cold)

    async def _is_cold(self, event_id: UUID) -> bool:
        try:
            meta = await self._cache.redis.hmget(
                keys.meta(event_id), ["layout", "state", "run_id"]
            )
            info = await self._cache.redis.info("server")
        except CACHE_ERRORS as error:
            raise StoreUnavailable("cache") from error
        run_id = info["run_id"]
        wanted = [str(keys.LAYOUT_VERSION).encode(), b"ready", str(run_id).encode()]
        return list(meta) != wanted

    async def rebuild(self, event_id: UUID) -> bool:
        """Fill the cache of one event.

        False: another cache came meanwhile, or a journal could not be brought in.
        """
        started_s = time.monotonic()
        self.warming.add(event_id)
        try:
            epoch, run_id = await self._begin(event_id)
            if not run_id:
                return False
            # From here on every claim and finish of the cache before is refused, so no
            # line that is written now can have been answered green.
            if self.merge is not None and not await self.merge():
                _logger.warning("cache_waits_for_journals", event_id=str(event_id))
                return False
            since = await self._copy(event_id)
            await self._catch_up(event_id, since)
            ready = await self._cache.call(
                WARM_READY, [keys.meta(event_id)], [epoch, run_id]
            )
        finally:
            self.warming.discard(event_id)
        # What a desk committed in D2 while the last facts were read.
        await self._catch_up(event_id, since)
        metrics.rebuilds_total.inc()
        _logger.info(
            "cache_warmed",
            event_id=str(event_id),
            epoch=epoch,
            ready=bool(ready),
            seconds=round(time.monotonic() - started_s, 2),
        )
        return bool(ready)

    async def _begin(self, event_id: UUID) -> tuple[int, bytes]:
        feed_epoch = uuid7().hex[-8:]
        pool = self._database.pool
        epoch = await pool.fetchval(statements.NEXT_EPOCH, event_id, feed_epoch)
        plan = await pool.fetchval(statements.PLAN_VERSION, event_id)
        run_id = await self._cache.call(
            WARM_BEGIN,
            [
                keys.meta(event_id),
                keys.codes(event_id),
                keys.tickets(event_id),
                keys.visits(event_id),
                keys.devices(event_id),
                keys.counters(event_id),
                keys.feed(event_id),
            ],
            [keys.LAYOUT_VERSION, epoch, feed_epoch, plan, "N"],
        )
        return epoch, run_id

    async def _copy(self, event_id: UUID) -> str:
        """Copy everything from one snapshot; the oldest transaction it may miss."""
        async with (
            self._database.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            since = str(await connection.fetchval(statements.SNAPSHOT_XMIN))
            for key, query, field, value in (
                (keys.tickets, statements.TICKETS, _ticket_id, rows.ticket),
                (keys.codes, statements.CODES, _code_hash, rows.code),
                (keys.devices, statements.DEVICES, _ticket_id, rows.device),
                (keys.visits, statements.VISITS, _visit_key, _visit),
                (keys.counters, statements.COUNTERS, _name, _value),
            ):
                chunks = _chunks(connection, query, event_id)
                await self._fill(key(event_id), chunks, field, value)
        return since

    async def _fill(
        self,
        key: str,
        chunks: AsyncIterator[list[asyncpg.Record]],
        field: Pack,
        value: Pack,
    ) -> None:
        """Write a hash; while one chunk is written, the next is read and packed."""
        writing: asyncio.Task[None] | None = None
        try:
            async for chunk in chunks:
                parts = [part for row in chunk for part in (field(row), value(row))]
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._put(key, parts))
        finally:
            if writing is not None:
                await writing

    async def _put(self, key: str, parts: list[bytes]) -> None:
        """Write fields and values, one after the other."""
        try:
            async with self._cache.redis.pipeline(transaction=False) as pipe:
                for at in range(0, len(parts), 2 * FIELDS_PER_COMMAND):
                    pipe.execute_command(
                        "HSET", key, *parts[at : at + 2 * FIELDS_PER_COMMAND]
                    )
                await pipe.execute()
        except CACHE_ERRORS as error:
            raise StoreUnavailable("cache") from error


async def _chunks(
    connection: Any, query: str, event_id: UUID
) -> AsyncIterator[list[asyncpg.Record]]:
    """The rows by chunks; PostgreSQL makes the next one meanwhile."""
    cursor = await connection.cursor(query, event_id)
    upcoming = asyncio.create_task(cursor.fetch(ROWS_PER_FETCH))
    try:
        while chunk := await upcoming:
            upcoming = asyncio.create_task(cursor.fetch(ROWS_PER_FETCH))
            await asyncio.sleep(0)  # so that it is asked for before this is packed
            yield chunk
    finally:
        # The connection is busy until then, also when nobody wants the rest.
        await asyncio.wait([upcoming])


def _ticket_id(row: rows.Row) -> bytes:
    return bytes(row["id"].bytes)


def _code_hash(row: rows.Row) -> bytes:
    return bytes(row["code_hash"])


def _visit_key(row: rows.Row) -> bytes:
    return visit_key(row["k"], row["sc"], row["n"])


def _visit(row: rows.Row) -> bytes:
    return pack_visit(rows.visit(row))


def _name(row: rows.Row) -> bytes:
    return str(row["name"]).encode()


def _value(row: rows.Row) -> bytes:
    return str(row["value"] or 0).encode()
