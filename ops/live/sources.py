"""Where counters and scan lines come from: the cache, or PostgreSQL in its stead.

Both give the same `Reading`, so `state` need not know. The cache is used only while
it is ready, of this layout, and in the Redis process that was warmed; else PostgreSQL
answers by one statement, at its own pace and under an epoch of this process, so that
every change of source reaches the clients as a snapshot.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec
from redis.asyncio import Redis

from ops.cache import keys
from ops.cache.client import CACHE_ERRORS
from ops.cache.entry import unpack_ticket
from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.plan import CALL_TIMEOUT_S
from ops.live.state import Counters, Line, parse_counters, parse_lines

LINES_MAX = 50
FROM_CACHE, FROM_DATABASE = "", "database"


class Reading(msgspec.Struct, frozen=True):
    """The counters of an event, and where its topics stand."""

    epoch: str
    attendance: int
    sessions: int
    counters: Counters
    plan_version: str
    source: str


class Recent(msgspec.Struct, frozen=True):
    """The newest scan lines, oldest first; `offset` is that of the last one."""

    epoch: str
    lines: list[Line]
    offset: int
    position: bytes = b""


class Source(Protocol):
    """What the feed asks of a store; both raise StoreUnavailable."""

    async def read(self, event_id: UUID) -> Reading | None:
        """The counters; None if this store cannot speak for the event now."""

    async def recent(self, event_id: UUID) -> Recent:
        """The newest lines."""

    async def holders(self, event_id: UUID, tickets: list[bytes]) -> dict[bytes, str]:
        """Names of the holders of tickets (16 bytes each)."""


class CacheSource:
    """Counters and lines as the finish script keeps them."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    async def read(self, event_id: UUID) -> Reading | None:
        """The counters and offsets of one moment; None while the cache is cold."""
        fields = ("state", "layout", "run_id", "feed_epoch", "plan")
        offsets = ("off:attendance", "off:sessions")
        try:
            pipe: Any = self._redis.pipeline(transaction=True)
            pipe.hmget(keys.meta(event_id), [*fields, *offsets])
            pipe.hgetall(keys.counters(event_id))
            pipe.info("server")
            meta, counters, server = await pipe.execute()
        except CACHE_ERRORS as error:
            raise StoreUnavailable(f"cache: {type(error).__name__}") from error
        state, layout, run_id, epoch, plan, attendance, sessions = meta
        if (
            state != b"ready"
            or layout != str(keys.LAYOUT_VERSION).encode()
            or run_id != str(server["run_id"]).encode()
            or not epoch
        ):
            return None
        return Reading(
            epoch=epoch.decode(),
            attendance=int(attendance or 0),
            sessions=int(sessions or 0),
            counters=parse_counters(counters),
            plan_version=(plan or b"").decode(),
            source=FROM_CACHE,
        )

    async def recent(self, event_id: UUID) -> Recent:
        """The newest lines of the stream, and the position behind them."""
        try:
            pipe: Any = self._redis.pipeline(transaction=True)
            pipe.xrevrange(keys.feed(event_id), count=LINES_MAX)
            pipe.hmget(keys.meta(event_id), ["feed_epoch", "off:scans"])
            entries, (epoch, offset) = await pipe.execute()
        except CACHE_ERRORS as error:
            raise StoreUnavailable(f"cache: {type(error).__name__}") from error
        lines = [
            line
            for _, entry in reversed(entries)
            for line in parse_lines(entry.get(b"l", b""))
        ]
        position = entries[0][0] if entries else b"0-0"
        # The newest entry knows best where its own lines end.
        newest = entries[0][1].get(b"s", b"") if entries else b""
        end = int(newest) if newest.isdigit() else int(offset or 0)
        return Recent((epoch or b"").decode(), lines[-LINES_MAX:], end, position)

    async def holders(self, event_id: UUID, tickets: list[bytes]) -> dict[bytes, str]:
        """Names from the packed tickets, by one call."""
        if not tickets:
            return {}
        try:
            packed = await self._redis.hmget(keys.tickets(event_id), tickets)
        except CACHE_ERRORS as error:
            raise StoreUnavailable(f"cache: {type(error).__name__}") from error
        names: dict[bytes, str] = {}
        for ticket, entry in zip(tickets, packed, strict=True):
            if entry is not None:
                # One entry of another shape costs one name, not the ticker.
                with suppress(msgspec.DecodeError):
                    names[ticket] = unpack_ticket(entry).name
        return names


_COUNTERS = "SELECT name, value FROM ops.counters_v1($1)"
_PLAN_VERSION = "SELECT version FROM ops.plan_versions WHERE event_id = $1"
_LINES = """
SELECT l.scan_id, l.verdict, l.reason, l.direction, coalesce(l.people, 1) AS people,
       l.ticket_id, y.no AS type_no, g.no AS gate_no, a.no AS area_no,
       d.no AS device_no, o.no AS operator_no, l.code_hint, l.decided_at
FROM ops.scan_log l
LEFT JOIN public.tickets t ON t.id = l.ticket_id
LEFT JOIN public.ticket_types y ON y.id = t.ticket_type_id
LEFT JOIN ops.gates g ON g.id = l.gate_id
LEFT JOIN ops.scopes s ON s.id = l.scope_id
LEFT JOIN ops.areas a ON a.id = coalesce(s.area_id, g.area_id)
LEFT JOIN ops.devices d ON d.id = l.device_id
LEFT JOIN ops.operators o ON o.id = l.operator_id
WHERE l.event_id = $1 ORDER BY l.decided_at DESC, l.scan_id DESC LIMIT $2
"""
_HOLDERS = """
SELECT t.id, trim(concat_ws(' ', a.first_name, a.last_name)) AS name
FROM public.tickets t JOIN public.attendees a ON a.id = t.attendee_id
WHERE t.id = ANY($1)
"""


async def count(db: asyncpg.Connection | asyncpg.Pool, event_id: UUID) -> Counters:
    """The counters of an event from PostgreSQL: what those of the cache must equal."""
    rows = await db.fetch(_COUNTERS, event_id, timeout=CALL_TIMEOUT_S)
    return parse_counters({row["name"].encode(): row["value"] for row in rows})


class DatabaseSource:
    """The same from PostgreSQL, for as long as the cache cannot say."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._epochs: dict[UUID, _Followed] = {}

    async def read(self, event_id: UUID) -> Reading | None:
        """The counters; the offset goes up when they differ from the last reading."""
        before_s = time.monotonic()
        try:
            counters = await count(self._pool, event_id)
            version = await self._pool.fetchval(_PLAN_VERSION, event_id)
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(f"database: {type(error).__name__}") from error
        followed = self._followed(event_id)
        followed.cost_s = time.monotonic() - before_s
        if counters != followed.counters:
            followed.counters, followed.offset = counters, followed.offset + 1
        return Reading(
            epoch=followed.epoch,
            attendance=followed.offset,
            sessions=followed.offset,
            counters=counters,
            plan_version=f"{version}",
            source=FROM_DATABASE,
        )

    async def recent(self, event_id: UUID) -> Recent:
        """The newest lines of the scan log; new ones raise the offset."""
        try:
            rows = await self._pool.fetch(
                _LINES, event_id, LINES_MAX, timeout=CALL_TIMEOUT_S
            )
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(f"database: {type(error).__name__}") from error
        lines = [_line(row) for row in reversed(rows)]
        followed = self._followed(event_id)
        ids = {line.scan_id for line in lines}
        followed.scans += len(ids - followed.scan_ids)
        followed.scan_ids = ids
        return Recent(followed.epoch, lines, followed.scans)

    async def holders(self, event_id: UUID, tickets: list[bytes]) -> dict[bytes, str]:
        """Names from the attendees."""
        try:
            rows = await self._pool.fetch(_HOLDERS, [UUID(bytes=t) for t in tickets])
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(f"database: {type(error).__name__}") from error
        return {row["id"].bytes: row["name"] for row in rows}

    def cost_s(self, event_id: UUID) -> float:
        """Seconds that the last reading took; 0 while this source is not used."""
        followed = self._epochs.get(event_id)
        return followed.cost_s if followed else 0.0

    def leave(self, event_id: UUID) -> None:
        """The cache speaks again: the next time here is another epoch."""
        self._epochs.pop(event_id, None)

    def _followed(self, event_id: UUID) -> _Followed:
        followed = self._epochs.get(event_id)
        if followed is None:
            followed = self._epochs[event_id] = _Followed(f"db-{secrets.token_hex(4)}")
        return followed


class _Followed(msgspec.Struct):
    """What this process has numbered of an event without the cache."""

    epoch: str
    offset: int = 0
    counters: Counters | None = None
    cost_s: float = 0.0
    scans: int = 0
    scan_ids: set[bytes] = msgspec.field(default_factory=set)


def _line(row: asyncpg.Record) -> Line:
    ticket: UUID | None = row["ticket_id"]
    return Line(
        scan_id=row["scan_id"].bytes,
        at_ms=int(row["decided_at"].timestamp() * 1000),
        verdict=row["verdict"],
        reason=row["reason"],
        direction=row["direction"],
        people=row["people"],
        ticket_id=None if ticket is None else ticket.bytes,
        type_no=row["type_no"],
        gate_no=row["gate_no"],
        area_no=row["area_no"],
        device_no=row["device_no"],
        operator_no=row["operator_no"],
        code_hint=row["code_hint"],
    )
