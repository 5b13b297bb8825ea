"""A house whose PostgreSQL is away, as its breaker believes, and what is said there."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from ops.admission.scan import ScanRequest
from ops.cache import keys
from ops.cache.entry import unpack_visit
from ops.db.engine import Database
from ops.ids import uuid7
from tests.house import House


def take_away(house: House) -> None:
    house.stores.database_breaker.failed(0.0, 2)
    assert house.stores.database_breaker.open


async def scan(
    house: House, code: str, scan_id: UUID | None = None, device: str = "device", **more
) -> Any:
    request = ScanRequest(scan_id or uuid7(), code, **more)
    device_id = getattr(house.event, device)
    return (await house.desk.scan(house.event.id, device_id, request)).item


def said(item: Any) -> str:
    if item.error:
        return str(item.error)
    one = item.stored or item.decision
    return f"{one.verdict} {one.reason}"


def give_back(house: House) -> None:
    """What ten seconds of good writes do."""
    house.stores.database_breaker.succeeded()


async def written(*houses: House) -> None:
    """Wait until what these processes write behind their answers is in their journals.

    States of lines, and the log, as long as PostgreSQL is away.
    """
    for house in houses:
        desk = await house.desk.event(house.event.id)
        while desk._batches or desk._logs or desk._executor.marks:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if desk._telling is not None:
            await asyncio.wait([desk._telling])
        await house.journal.recall([])  # it waits its turn behind what is written now


async def provisional(house: House) -> int:
    packed = await house.cache.redis.hvals(keys.visits(house.event.id))
    return sum(unpack_visit(one).provisional for one in packed)


async def conflicts(database: Database) -> list[tuple[str, UUID, UUID, int]]:
    rows = await database.pool.fetch("SELECT * FROM ops.conflicts ORDER BY created_at")
    return [
        (r["kind"], r["winner_scan_id"], r["loser_scan_id"], r["people"]) for r in rows
    ]


async def by_hand(house: House, *, confirmed: bool, left: bool = False) -> UUID:
    """A first pass of T-1 by another scan, as a commit nobody heard of left it."""
    scan_id = uuid7()
    await house.database.pool.execute(
        "WITH row AS (INSERT INTO check_ins (event_id, ticket_id, scope_id, area_id,"
        " scan_id, pass_no, confirmed_at, checked_out_at, is_present)"
        " VALUES ($1, $2, $3, $4, $5, 1, CASE WHEN $6 THEN now() END,"
        " CASE WHEN $7 THEN now() END, NOT $7) RETURNING 1),"
        " log AS (INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict,"
        " reason) VALUES ($5, $1, '', 'admitted', 'ok') RETURNING 1)"
        " UPDATE ops.scopes SET inside = inside + 1 FROM row, log"
        " WHERE id = $3 AND NOT $7",
        house.event.id,
        house.event.tickets["T-1"],
        house.event.venue_scope,
        house.event.venue,
        scan_id,
        confirmed,
        left,
    )
    return scan_id


async def unshown(house: House) -> None:
    """Let the cache forget that the green was shown."""
    key = keys.visits(house.event.id)
    for field, packed in (await house.cache.redis.hgetall(key)).items():
        await house.cache.redis.hset(key, field, packed[:3] + b"\0" + packed[4:])
