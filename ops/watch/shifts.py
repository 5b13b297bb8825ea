"""Shifts: who should work at which gate from when to when, and who is there now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import FieldProblem, NotFound, Unprocessable
from ops.ids import uuid7
from ops.listing import Start
from ops.watch.roster import read_staffing
from ops.watch.staffing import Staffing

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
        async with self._database.pool.acquire() as db:
            return await read_staffing(db, event_id, self._clock.now())


def _wrong(field: str, code: str, detail: str) -> Unprocessable:
    return Unprocessable(detail, code=code, errors=[FieldProblem(field, code, detail)])
