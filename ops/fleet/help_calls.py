"""Calls for help: made at a device, seen in the control room, answered at the device.

A call is one row. Its gate and operator are those of the device when it arrives; it is
on the screens by the live topic alerts, and its device asks for it until it was seen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from ops.auth.subjects import DeviceIdentity
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Conflict, NotFound
from ops.listing import Start

Kind = Literal["supervisor", "security", "medical", "technical", "queue"]
Queue = Literal["none", "short", "long", "over_barrier"]

MINE_MAX = 10
MINE_SINCE = timedelta(hours=12)

_VIEW = """
SELECT h.id, h.kind, h.queue, h.note, h.gate_id, g.name AS gate, h.device_id,
       d.name AS device, h.operator_id, o.name AS operator, h.called_at,
       h.received_at, h.seen_at, u.first_name AS seen_by, h.closed_at
  FROM ops.help_calls h
  LEFT JOIN ops.gates g ON g.id = h.gate_id
  LEFT JOIN ops.devices d ON d.id = h.device_id
  LEFT JOIN ops.operators o ON o.id = h.operator_id
  LEFT JOIN users u ON u.id = h.seen_by
"""

INSERT: Final = """
INSERT INTO ops.help_calls
       (id, event_id, kind, queue, note, gate_id, device_id, operator_id, called_at,
        received_at)
SELECT $1, $2, $3, $4, $5, g.id, d.id, d.operator_id, $7, $8
  FROM ops.devices d
  JOIN ops.device_events e ON e.device_id = d.id AND e.event_id = $2
  LEFT JOIN LATERAL (
       SELECT x.id FROM ops.gates x
        WHERE x.event_id = $2 AND x.id IN (d.gate_id, e.gate_id)
        ORDER BY x.id IS NOT DISTINCT FROM d.gate_id DESC LIMIT 1) g ON true
 WHERE d.id = $6
    ON CONFLICT (id) DO NOTHING
"""

ONE: Final = _VIEW + " WHERE h.id = $1 AND h.event_id = $2"

LIST: Final = (
    _VIEW
    + """
 WHERE h.event_id = $1 AND ($2 OR h.closed_at IS NULL)
   AND ($3::timestamptz IS NULL OR (h.received_at, h.id) < ($3, $4))
 ORDER BY h.received_at DESC, h.id DESC LIMIT $5
"""
)

MINE: Final = (
    _VIEW
    + """
 WHERE h.device_id = $1 AND h.received_at > $2
 ORDER BY h.received_at DESC, h.id DESC LIMIT $3
"""
)

SEE: Final = """
UPDATE ops.help_calls
   SET seen_at = coalesce(seen_at, $3), seen_by = coalesce(seen_by, $4)
 WHERE id = $1 AND event_id = $2 RETURNING id
"""

CLOSE: Final = """
UPDATE ops.help_calls
   SET seen_at = coalesce(seen_at, $3), seen_by = coalesce(seen_by, $4),
       closed_at = coalesce(closed_at, $3), closed_by = coalesce(closed_by, $4)
 WHERE id = $1 AND event_id = $2 RETURNING id
"""


class HelpCalls:
    """Takes calls, lists them, and notes who has seen and ended them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def call(
        self,
        device: DeviceIdentity,
        event_id: UUID,
        call_id: UUID,
        kind: Kind,
        queue: Queue | None,
        note: str | None,
        called_at: datetime | None,
    ) -> Any:
        """Take a call; the second with its id gets the first one's row.

        Raises:
            Conflict: the id was used by another device.
        """
        now = self._clock.now()
        async with self._database.pool.acquire() as db:
            await db.execute(
                INSERT,
                call_id,
                event_id,
                kind,
                queue,
                note,
                device.id,
                called_at or now,
                now,
            )
            row = await db.fetchrow(ONE, call_id, event_id)
        if row is None or row["device_id"] != device.id:
            raise Conflict("This id was used for another call.", code="id_reused")
        return row

    async def mine(self, device: DeviceIdentity) -> list[Any]:
        """The newest calls of a device, so that it learns who has seen them."""
        since = self._clock.now() - MINE_SINCE
        return list(await self._database.pool.fetch(MINE, device.id, since, MINE_MAX))

    async def page(
        self,
        event_id: UUID,
        closed: bool,
        before: Start,
        limit: int,
    ) -> list[Any]:
        """At most `limit + 1` calls, newest first."""
        return list(
            await self._database.pool.fetch(LIST, event_id, closed, *before, limit + 1)
        )

    async def see(self, event_id: UUID, call_id: UUID, user_id: UUID) -> Any:
        """Somebody looks after it; the first one counts.

        Raises:
            NotFound: no such call in this event.
        """
        return await self._mark(SEE, event_id, call_id, user_id)

    async def close(self, event_id: UUID, call_id: UUID, user_id: UUID) -> Any:
        """It is over; may come twice.

        Raises:
            NotFound: no such call in this event.
        """
        return await self._mark(CLOSE, event_id, call_id, user_id)

    async def _mark(
        self, statement: str, event_id: UUID, call_id: UUID, user_id: UUID
    ) -> Any:
        async with self._database.pool.acquire() as db:
            found = await db.fetchval(
                statement, call_id, event_id, self._clock.now(), user_id
            )
            if found is None:
                raise NotFound()
            return await db.fetchrow(ONE, call_id, event_id)
