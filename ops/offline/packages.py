"""Packages: read in one snapshot, kept for a while, signed for one device.

The columns of an event are the same for all its devices and are read once in
`KEEP_S`; what differs (leases, budget) is read for each, and so are the rules: they
hold from when they are written. A delta costs what has changed since: the statements
look up the tickets that were touched, by key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Forbidden
from ops.offline import queries
from ops.offline.cursor import KEPT_FOR, Cursor, parse
from ops.offline.modes import OfflineMode, read_mode
from ops.offline.package import (
    Contents,
    Section,
    Signing,
    id_section,
    index_section,
    json_section,
    write,
)
from ops.offline.sealing import ShiftKey, ShiftKeys

KEEP_S = 20.0
"""A whole package that is asked for again so soon is not read again."""
PART = 1_000
"""Rows between two turns of the loop: 100,000 tickets must not hold up a scan."""
CHANGED_MAX = 20_000
"""More tickets than this in a delta: the whole package is cheaper."""
TIMEOUT_S = 20.0
LEASES_MAX = 200_000
LEASES_AT_ONCE = 500
"""Leases a transaction: it holds the event's lock, for which scans wait."""

Keys = Callable[[], Awaitable[tuple[Signing, dict[int, bytes]]]]
"""Who signs now, and the public keys of all codes by id."""


class Base(msgspec.Struct, frozen=True):
    """What every device of an event gets alike."""

    cursor: Cursor
    read_at_s: float
    key: ShiftKey
    index: dict[UUID, int]
    counts: dict[str, int]
    sections: list[Section]


class Packages:
    """Makes the packages of a process."""

    def __init__(
        self, database: Database, clock: Clock, shift_keys: ShiftKeys, keys: Keys
    ) -> None:
        self._database, self._clock = database, clock
        self._shift_keys, self._keys = shift_keys, keys
        self._bases: dict[UUID, Base] = {}
        self._reading: dict[UUID, asyncio.Lock] = {}

    async def make(self, event_id: UUID, device_id: UUID, since: str | None) -> bytes:
        """A whole package, or what has changed since `since` if that can be told.

        Raises:
            NotFound: there is no such event.
            Forbidden: the device is none that lets people in.
        """
        start = parse(since)
        if start is not None:
            made = await self._delta(event_id, device_id, start)
            if made is not None:
                return made
        await self._grant(event_id, device_id, None)
        base = await self._base(event_id)
        now = self._clock.now()
        async with self._database.pool.acquire() as db, db.transaction():
            mode = await read_mode(db, event_id)
            rows = await db.fetch(
                queries.LEASES,
                event_id,
                device_id,
                str(base.cursor.xmin),
                timeout=TIMEOUT_S,
            )
            places = (base.index.get(row["ticket_id"]) for row in rows)
            # Not out of the base: who comes just after a rule was changed would go by
            # the old one until the first delta, a minute later.
            plan = await db.fetchval(queries.PLAN, event_id, timeout=TIMEOUT_S)
            items = await db.fetchval(queries.ITEMS, event_id, timeout=TIMEOUT_S)
            leases = index_section("leases", (at for at in places if at is not None))
            head = await self._head(db, event_id, device_id, mode, base.cursor, now)
        sections = [
            json_section("plan", plan.encode()),
            json_section("items", items.encode()),
            *base.sections,
            leases,
        ]
        head |= {"kind": "full", "counts": base.counts, "names_key": base.key.id}
        return await self._signed(head, sections)

    async def _grant(
        self, event_id: UUID, device_id: UUID, among: list[UUID] | None
    ) -> None:
        """Lease tickets to the device, in turns, so that no scan waits for long.

        They come with the next delta: it has the visits as of their snapshot.
        """
        async with self._database.pool.acquire() as db:
            if not (await read_mode(db, event_id)).leases:
                return
            rows = await db.fetch(
                queries.UNLEASED,
                event_id,
                device_id,
                among,
                LEASES_MAX,
                timeout=TIMEOUT_S,
            )
            for at in range(0, len(rows), LEASES_AT_ONCE):
                ids = [row["id"] for row in rows[at : at + LEASES_AT_ONCE]]
                await db.execute(
                    queries.GRANT, event_id, device_id, ids, timeout=TIMEOUT_S
                )

    async def _signed(self, head: dict[str, Any], sections: list[Section]) -> bytes:
        signing, public = await self._keys()
        head["keys"] = [[key_id, key.hex()] for key_id, key in public.items()]
        return write(head, sections, signing)

    async def _head(
        self,
        db: Any,
        event_id: UUID,
        device_id: UUID,
        mode: OfflineMode,
        cursor: Cursor,
        now: datetime,
    ) -> dict[str, Any]:
        """What is said to this device, and noted of it."""
        device = await db.fetchrow(
            queries.DEVICE, event_id, device_id, timeout=TIMEOUT_S
        )
        if device is None or device["profile"] == "lead":
            raise Forbidden("This device lets nobody in.", code="no_door_device")
        expires_at = mode.expires(now)
        known = await db.fetchrow(
            queries.DOWNLOADED,
            event_id,
            device_id,
            mode.allowance or 0,
            cursor.text,
            now,
            expires_at,
            mode.mode,
            timeout=TIMEOUT_S,
        )
        assert known is not None
        shares = await db.fetchval(
            queries.SHARES, event_id, device_id, now, timeout=TIMEOUT_S
        )
        return {
            "event_id": event_id,
            "device_id": device_id,
            "device": dict(device),
            "cursor": cursor.text,
            "made_at": now,
            "expires_at": expires_at,
            "mode": mode.mode,
            "granted": None if mode.allowance is None else known["granted"],
            "spent": known["spent"],
            "shares": msgspec.Raw(shares.encode()),
        }

    async def _base(self, event_id: UUID) -> Base:
        async with self._reading.setdefault(event_id, asyncio.Lock()):
            known = self._bases.get(event_id)
            now_s = self._clock.monotonic_s()
            if known is not None and now_s - known.read_at_s < KEEP_S:
                return known
            async with self._database.pool.acquire() as db:
                async with db.transaction():
                    key = await self._shift_keys.current(
                        db, event_id, self._clock.now()
                    )
                    await db.execute(
                        queries.FORGET_CHANGES,
                        self._clock.now() - KEPT_FOR,
                        timeout=TIMEOUT_S,
                    )
                async with db.transaction(isolation="repeatable_read", readonly=True):
                    base = await self._read(db, event_id, key)
            self._bases[event_id] = base
            return base

    async def _read(self, db: Any, event_id: UUID, key: ShiftKey) -> Base:
        row = await db.fetchrow(queries.CURSOR, timeout=TIMEOUT_S)
        cursor = Cursor.of(row, self._clock.now())
        contents = Contents(key.seal)
        async for rows in _parts(db, queries.TICKETS, event_id):
            contents.add_tickets(rows)
        async for rows in _parts(db, queries.CODES, event_id):
            contents.add_codes(rows)
        async for rows in _parts(db, queries.VISITS, event_id):
            contents.add_visits(rows)
        sections = await asyncio.to_thread(contents.sections)
        return Base(
            cursor,
            self._clock.monotonic_s(),
            key,
            contents.index,
            contents.counts,
            sections,
        )

    async def _delta(
        self, event_id: UUID, device_id: UUID, start: Cursor
    ) -> bytes | None:
        """What has changed since; None where only a whole package tells the truth."""
        now = self._clock.now()
        async with self._database.pool.acquire() as db:
            async with db.transaction():
                key = await self._shift_keys.current(db, event_id, now)
            async with db.transaction(isolation="repeatable_read", readonly=True):
                row = await db.fetchrow(queries.CURSOR, timeout=TIMEOUT_S)
                assert row is not None, "one row always"
                cursor = Cursor.of(row, now)
                if not start.reaches(cursor, int(row["xmax"])):
                    return None
                found = await db.fetch(
                    queries.SINCE,
                    event_id,
                    str(start.xmin),
                    CHANGED_MAX + 1,
                    timeout=TIMEOUT_S,
                )
                if len(found) > CHANGED_MAX:
                    return None
                ids = [one["s"] for one in found]
                contents = await _some(db, event_id, ids, key)
                gone = [one for one in ids if one not in contents.index]
                leases = await db.fetch(
                    queries.LEASES_SINCE,
                    event_id,
                    device_id,
                    str(start.xmin),
                    timeout=TIMEOUT_S,
                )
                plan = await db.fetchval(queries.PLAN, event_id, timeout=TIMEOUT_S)
                items = await db.fetchval(queries.ITEMS, event_id, timeout=TIMEOUT_S)
            async with db.transaction():
                mode = await read_mode(db, event_id)
                head = await self._head(db, event_id, device_id, mode, cursor, now)
        await self._grant(event_id, device_id, ids)
        sections = [
            json_section("plan", plan.encode()),
            json_section("items", items.encode()),
            *contents.sections(),
            id_section("gone", gone),
            id_section("leases_held", [r["ticket_id"] for r in leases if r["held"]]),
            id_section(
                "leases_ended", [r["ticket_id"] for r in leases if not r["held"]]
            ),
        ]
        head |= {
            "kind": "delta",
            "since": start.text,
            "counts": contents.counts,
            "names_key": key.id,
        }
        return await self._signed(head, sections)


async def _some(db: Any, event_id: UUID, ids: list[UUID], key: ShiftKey) -> Contents:
    contents = Contents(key.seal)
    if ids:
        args = (event_id, ids)
        contents.add_tickets(
            await db.fetch(queries.SOME_TICKETS, *args, timeout=TIMEOUT_S)
        )
        codes = await db.fetch(queries.SOME_CODES, *args, timeout=TIMEOUT_S)
        contents.add_codes(codes)
        visits = await db.fetch(queries.SOME_VISITS, *args, timeout=TIMEOUT_S)
        contents.add_visits(visits)
    return contents


async def _parts(db: Any, query: str, event_id: UUID) -> Any:
    """The rows of a statement in parts, with a turn of the loop between them."""
    cursor = await db.cursor(query, event_id, timeout=TIMEOUT_S)
    while rows := await cursor.fetch(PART, timeout=TIMEOUT_S):
        yield rows
        await asyncio.sleep(0)
