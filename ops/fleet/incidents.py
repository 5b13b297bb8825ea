"""The incident log: what happened, who looks after it, what was done.

Rows are added and closed, never deleted; each thing that was done is a row of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from ops.auth.subjects import DeviceIdentity, Staff
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import FieldProblem, NotFound, Unprocessable
from ops.ids import uuid7
from ops.listing import Start

Kind = Literal[
    "medical", "security", "lost_child", "technical", "complaint", "ejection", "other"
]
State = Literal["open", "closed"]

ACTIONS_MAX = 200

_VIEW = """
SELECT i.id, i.kind, i.state, i.summary, i.owner, i.area_id, a.name AS area,
       i.gate_id, g.name AS gate, i.ticket_id, i.device_id, d.name AS device,
       i.operator_id, o.name AS operator, u.first_name AS reported_by, i.started_at,
       i.closed_at, i.created_at
  FROM ops.incidents i
  LEFT JOIN ops.areas a ON a.id = i.area_id
  LEFT JOIN ops.gates g ON g.id = i.gate_id
  LEFT JOIN ops.devices d ON d.id = i.device_id
  LEFT JOIN ops.operators o ON o.id = i.operator_id
  LEFT JOIN users u ON u.id = i.reported_by
"""

INSERT: Final = """
INSERT INTO ops.incidents
       (id, event_id, kind, summary, owner, area_id, gate_id, ticket_id, device_id,
        operator_id, reported_by, started_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

ONE: Final = _VIEW + " WHERE i.id = $1 AND i.event_id = $2"

LIST: Final = (
    _VIEW
    + """
 WHERE i.event_id = $1 AND ($2::text IS NULL OR i.state = $2)
   AND ($3::timestamptz IS NULL OR (i.started_at, i.id) < ($3, $4))
 ORDER BY i.started_at DESC, i.id DESC LIMIT $5
"""
)

CHANGE: Final = """
UPDATE ops.incidents
   SET state = coalesce($3, state), owner = coalesce($4, owner),
       kind = coalesce($5, kind), summary = coalesce($6, summary),
       closed_at = CASE coalesce($3, state)
                   WHEN 'closed' THEN coalesce(closed_at, $7) END
 WHERE id = $1 AND event_id = $2 RETURNING id
"""

ACTIONS: Final = """
SELECT c.id, c.at, c.text, coalesce(u.first_name, o.name) AS by
  FROM ops.incident_actions c
  LEFT JOIN users u ON u.id = c.user_id
  LEFT JOIN ops.operators o ON o.id = c.operator_id
 WHERE c.incident_id = $1 ORDER BY c.at, c.id LIMIT $2
"""

ADD_ACTION: Final = """
INSERT INTO ops.incident_actions (id, incident_id, at, text, user_id)
SELECT $1, i.id, $4, $5, $6 FROM ops.incidents i WHERE i.id = $2 AND i.event_id = $3
RETURNING id
"""

# Where a device stands at the event, and who works it.
WHERE_IT_IS: Final = """
SELECT d.operator_id, g.id AS gate_id, g.area_id
  FROM ops.devices d
  JOIN ops.device_events e ON e.device_id = d.id AND e.event_id = $2
  LEFT JOIN LATERAL (
       SELECT x.id, x.area_id FROM ops.gates x
        WHERE x.event_id = $2 AND x.id IN (d.gate_id, e.gate_id)
        ORDER BY x.id IS NOT DISTINCT FROM d.gate_id DESC LIMIT 1) g ON true
 WHERE d.id = $1
"""

PARTS: Final = """
SELECT $2::uuid IS NULL OR EXISTS (
         SELECT FROM ops.areas WHERE id = $2 AND event_id = $1) AS area,
       $3::uuid IS NULL OR EXISTS (
         SELECT FROM ops.gates WHERE id = $3 AND event_id = $1) AS gate,
       $4::uuid IS NULL OR EXISTS (
         SELECT FROM tickets WHERE id = $4 AND event_id = $1) AS ticket
"""


class Incidents:
    """Writes and reads the log of an event."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def report(
        self,
        event_id: UUID,
        subject: Staff | DeviceIdentity,
        kind: Kind,
        summary: str,
        *,
        owner: str | None = None,
        area_id: UUID | None = None,
        gate_id: UUID | None = None,
        ticket_id: UUID | None = None,
        started_at: datetime | None = None,
    ) -> Any:
        """Add an incident; a device adds where it stands and who works it.

        Raises:
            Unprocessable: area, gate or ticket is not of this event.
        """
        incident_id, device_id, operator_id, user_id = uuid7(), None, None, None
        async with self._database.pool.acquire() as db, db.transaction():
            parts = await db.fetchrow(PARTS, event_id, area_id, gate_id, ticket_id)
            _demand(parts)
            if isinstance(subject, DeviceIdentity):
                device_id = subject.id
                place = await db.fetchrow(WHERE_IT_IS, device_id, event_id)
                if place is not None:
                    operator_id = place["operator_id"]
                    gate_id = gate_id or place["gate_id"]
                    area_id = area_id or place["area_id"]
            else:
                user_id = subject.user_id
            await db.execute(
                INSERT,
                incident_id,
                event_id,
                kind,
                summary,
                owner,
                area_id,
                gate_id,
                ticket_id,
                device_id,
                operator_id,
                user_id,
                started_at or self._clock.now(),
            )
            return await db.fetchrow(ONE, incident_id, event_id)

    async def page(
        self,
        event_id: UUID,
        state: State | None,
        before: Start,
        limit: int,
    ) -> list[Any]:
        """At most `limit + 1` incidents, newest first."""
        return list(
            await self._database.pool.fetch(LIST, event_id, state, *before, limit + 1)
        )

    async def one(self, event_id: UUID, incident_id: UUID) -> tuple[Any, list[Any]]:
        """An incident and what was done about it, oldest first.

        Raises:
            NotFound: no such incident in this event.
        """
        async with self._database.pool.acquire() as db:
            row = await db.fetchrow(ONE, incident_id, event_id)
            if row is None:
                raise NotFound()
            return row, list(await db.fetch(ACTIONS, incident_id, ACTIONS_MAX))

    async def change(
        self,
        event_id: UUID,
        incident_id: UUID,
        state: State | None,
        owner: str | None,
        kind: Kind | None,
        summary: str | None,
    ) -> Any:
        """Change what is given; closing sets the time, opening again clears it.

        Raises:
            NotFound: no such incident in this event.
        """
        async with self._database.pool.acquire() as db:
            found = await db.fetchval(
                CHANGE,
                incident_id,
                event_id,
                state,
                owner,
                kind,
                summary,
                self._clock.now(),
            )
            if found is None:
                raise NotFound()
            return await db.fetchrow(ONE, incident_id, event_id)

    async def act(
        self, event_id: UUID, incident_id: UUID, me: Staff, text: str
    ) -> None:
        """Note what was done.

        Raises:
            NotFound: no such incident in this event.
        """
        found = await self._database.pool.fetchval(
            ADD_ACTION,
            uuid7(),
            incident_id,
            event_id,
            self._clock.now(),
            text,
            me.user_id,
        )
        if found is None:
            raise NotFound()


def _demand(parts: Any) -> None:
    for name in ("area", "gate", "ticket"):
        if not parts[name]:
            field, code = f"{name}_id", f"unknown_{name}"
            detail = f"No {name} of this event."
            problem = FieldProblem(field, code, detail)
            raise Unprocessable(detail, code=code, errors=[problem])
