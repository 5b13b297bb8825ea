"""Shifts: who should work at which gate from when to when, and who is there now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import FieldProblem, NotFound, Unprocessable
from ops.ids import uuid7
from ops.listing import Start
from ops.watch.staffing import SOON, Planned, SignedOn, Staffing, staffing

NOW_MAX: Final = 1_000

_VIEW: Final = """
SELECT s.id, s.operator_id, o.name AS operator, o.role, s.gate_id, g.name AS gate,
       s.starts_at, s.ends_at, s.note
  FROM ops.shifts s JOIN ops.operators o ON o.id = s.operator_id
  LEFT JOIN ops.gates g ON g.id = s.gate_id
"""
LIST: Final = (
    _VIEW
    + """
 WHERE s.event_id = $1
   AND ($2::timestamptz IS NULL OR (s.starts_at, s.id) > ($2, $3))
 ORDER BY s.starts_at, s.id LIMIT $4
"""
)
ONE: Final = _VIEW + " WHERE s.id = $1 AND s.event_id = $2"
ADD: Final = """
INSERT INTO ops.shifts (id, event_id, operator_id, gate_id, starts_at, ends_at, note)
SELECT $1, $2, o.id, $4, $5, $6, $7 FROM ops.operators o
 WHERE o.id = $3 AND o.event_id = $2
   AND ($4::uuid IS NULL OR EXISTS (
        SELECT FROM ops.gates WHERE id = $4 AND event_id = $2))
RETURNING id
"""
REMOVE: Final = "DELETE FROM ops.shifts WHERE id = $1 AND event_id = $2 RETURNING id"

GATES: Final = """
SELECT id, name FROM ops.gates WHERE event_id = $1 ORDER BY position, no LIMIT 500
"""
NOW: Final = """
SELECT s.id AS shift_id, s.operator_id, o.name AS operator, s.gate_id, s.starts_at,
       s.ends_at
  FROM ops.shifts s JOIN ops.operators o ON o.id = s.operator_id
 WHERE s.event_id = $1 AND s.starts_at <= $2 AND s.ends_at > $3
 ORDER BY s.starts_at, s.id LIMIT $4
"""
SIGNED_ON: Final = """
SELECT o.id AS operator_id, o.name AS operator, d.name AS device,
       CASE WHEN x.id IS NOT NULL THEN d.gate_id ELSE e.gate_id END AS gate_id
  FROM ops.device_events e
  JOIN ops.devices d ON d.id = e.device_id AND d.state = 'active'
  JOIN ops.operators o ON o.id = d.operator_id AND o.event_id = e.event_id
  LEFT JOIN ops.gates x ON x.id = d.gate_id AND x.event_id = e.event_id
 WHERE e.event_id = $1 AND d.locked_at IS NULL
 ORDER BY d.name, d.id LIMIT $2
"""


class Shifts:
    """Plans shifts and tells who is there."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def page(self, event_id: UUID, after: Start, limit: int) -> list[Any]:
        """At most `limit + 1` shifts in the order in which they begin."""
        return list(await self._database.pool.fetch(LIST, event_id, *after, limit + 1))

    async def add(
        self,
        event_id: UUID,
        operator_id: UUID,
        gate_id: UUID | None,
        starts_at: datetime,
        ends_at: datetime,
        note: str | None,
    ) -> Any:
        """Plan a shift.

        Raises:
            Unprocessable: it ends before it begins, or operator or gate are not of
                this event.
        """
        if ends_at <= starts_at:
            raise _wrong("ends_at", "before_the_start", "It ends before it begins.")
        async with self._database.pool.acquire() as db:
            made = await db.fetchval(
                ADD,
                uuid7(),
                event_id,
                operator_id,
                gate_id,
                starts_at,
                ends_at,
                note,
            )
            if made is None:
                raise _wrong(
                    "operator_id",
                    "unknown_operator",
                    "Name an operator and a gate of the event.",
                )
            return await db.fetchrow(ONE, made, event_id)

    async def remove(self, event_id: UUID, shift_id: UUID) -> None:
        """Take a shift out of the plan.

        Raises:
            NotFound: no such shift in this event.
        """
        if await self._database.pool.fetchval(REMOVE, shift_id, event_id) is None:
            raise NotFound()

    async def now(self, event_id: UUID) -> Staffing:
        """Who should be at the gates now, and who is; three statements."""
        now = self._clock.now()
        async with self._database.pool.acquire() as db:
            gates = await db.fetch(GATES, event_id)
            planned = await db.fetch(NOW, event_id, now + SOON, now, NOW_MAX)
            signed_on = await db.fetch(SIGNED_ON, event_id, NOW_MAX)
        return staffing(
            [(row["id"], row["name"]) for row in gates],
            [msgspec.convert(dict(row), Planned) for row in planned],
            [msgspec.convert(dict(row), SignedOn) for row in signed_on],
            now,
        )


def _wrong(field: str, code: str, detail: str) -> Unprocessable:
    return Unprocessable(detail, code=code, errors=[FieldProblem(field, code, detail)])
