"""The relay: a change in PostgreSQL, by whomever, is at the door within a second.

`ops.outbox` is a to-do list, not a log: take rows, read the CURRENT row of each key,
write it with its version (the higher wins), delete, commit. A row whose transaction
commits late is simply there at the next look.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ops import facts, log, metrics
from ops.cache import keys
from ops.cache.client import CACHE_ERRORS, Cache
from ops.cache.scripts import PUT
from ops.crm_sync import rows, statements
from ops.db.engine import Database
from ops.errors import StoreUnavailable

ROWS_PER_TURN = 500
BEHIND_S = 2.0
"""A change is promised at the door within a second."""
TELL_EVERY_S = 60.0
_logger = log.get(__name__)


class Relay:
    """Empties the outbox into the cache."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache
        self._told_s: dict[UUID, float] = {}

    async def turn(self, without: Iterable[UUID] = ()) -> int:
        """Bring the next changes; how many rows they were.

        Args:
            without: events whose cache is being rebuilt: their rows wait.

        Raises:
            StoreUnavailable: the cache is away; the rows stay where they are.
        """
        async with (
            self._database.pool.acquire() as connection,
            connection.transaction(),
        ):
            found = await connection.fetch(
                statements.OUTBOX, list(without), ROWS_PER_TURN
            )
            if not found:
                return 0
            wanted: dict[UUID, dict[str, set[UUID]]] = {}
            for row in found:
                by_kind = wanted.setdefault(row["event_id"], {})
                by_kind.setdefault(row["kind"], set()).add(row["key"])
            for event_id, by_kind in wanted.items():
                await self._bring(connection, event_id, by_kind)
            await connection.execute(
                statements.OUTBOX_DONE, [row["id"] for row in found]
            )
        now = datetime.now(UTC)
        for row in found:
            lag_s = (now - row["created_at"]).total_seconds()
            metrics.relay_lag_seconds.observe(max(0.0, lag_s))
        return len(found)

    async def measure(self) -> int:
        """How many changes wait and for how long; both gauges, and an alert's fact for
        each event that is behind, once a minute."""
        found = await self._database.pool.fetch(statements.OUTBOX_WAITING)
        waiting = sum(int(row["waiting"]) for row in found)
        oldest_s = max((float(row["oldest_s"]) for row in found), default=0.0)
        metrics.outbox_rows.set(waiting)
        metrics.relay_behind_seconds.set(oldest_s)
        for row in found:
            if row["oldest_s"] > BEHIND_S and self._may_tell(row["event_id"]):
                await self._tell(
                    row["event_id"], row["waiting"], float(row["oldest_s"])
                )
        return waiting

    def _may_tell(self, event_id: UUID) -> bool:
        now_s = time.monotonic()
        if now_s - self._told_s.get(event_id, -TELL_EVERY_S) < TELL_EVERY_S:
            return False
        self._told_s[event_id] = now_s
        return True

    async def _tell(self, event_id: UUID, waiting: int, oldest_s: float) -> None:
        _logger.warning("relay_behind", event_id=str(event_id), rows=waiting)
        fact = facts.Alert(
            event_id=event_id,
            name="relay_behind",
            args={"rows": waiting, "seconds": round(oldest_s, 1)},
            at=datetime.now(UTC),
        )
        await self._database.pool.execute(
            statements.FACT_ALERT, event_id, facts.encode_object(fact)
        )
        await self._database.pool.execute(statements.RING_ALERTS, str(event_id))

    async def _bring(
        self, connection: Any, event_id: UUID, by_kind: dict[str, set[UUID]]
    ) -> None:
        args: list[bytes | str | int] = ["relay", keys.LAYOUT_VERSION]
        plan: str | int = ""
        if "plan" in by_kind:
            plan = await connection.fetchval(statements.PLAN_VERSION, event_id)
        args.append(plan)
        ticket_ids = list(by_kind.get("ticket", ()))
        args.append(len(ticket_ids))
        args += await _tickets(connection, event_id, ticket_ids)
        args += await _devices(connection, event_id, list(by_kind.get("device", ())))
        await self._cache.call(
            PUT,
            [
                keys.meta(event_id),
                keys.codes(event_id),
                keys.tickets(event_id),
                keys.devices(event_id),
            ],
            args,
        )
        if areas := by_kind.get("counts"):
            await self._manual(connection, event_id, list(areas))

    async def _manual(self, connection: Any, event_id: UUID, areas: list[UUID]) -> None:
        found = await connection.fetch(statements.MANUAL, event_id, areas)
        fields = {row["name"]: row["value"] for row in found}
        if not fields:
            return
        try:
            await self._cache.redis.hset(keys.counters(event_id), mapping=fields)
        except CACHE_ERRORS as error:
            raise StoreUnavailable("cache") from error


async def _tickets(
    connection: Any, event_id: UUID, ticket_ids: list[UUID]
) -> list[bytes | str | int]:
    """Three values a ticket: id, entry (empty if it is gone), codes."""
    if not ticket_ids:
        return []
    found = await connection.fetch(statements.TICKETS_BY_ID, event_id, ticket_ids)
    entries = {row["id"]: rows.ticket(row) for row in found}
    codes: dict[UUID, bytes] = {}
    for row in await connection.fetch(statements.CODES_BY_TICKET, event_id, ticket_ids):
        packed = bytes(row["code_hash"]) + rows.code(row)
        codes[row["ticket_id"]] = codes.get(row["ticket_id"], b"") + packed
    args: list[bytes | str | int] = []
    for ticket_id in ticket_ids:
        entry = entries.get(ticket_id, b"")
        args += [ticket_id.bytes, entry, codes.get(ticket_id, b"")]
    return args


async def _devices(
    connection: Any, event_id: UUID, device_ids: list[UUID]
) -> list[bytes | str | int]:
    """Two values a device: id and entry (empty if it left the event)."""
    if not device_ids:
        return []
    found = await connection.fetch(statements.DEVICES_BY_ID, event_id, device_ids)
    entries = {row["id"]: rows.device(row) for row in found}
    args: list[bytes | str | int] = []
    for device_id in device_ids:
        args += [device_id.bytes, entries.get(device_id, b"")]
    return args
