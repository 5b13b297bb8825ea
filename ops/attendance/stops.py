"""Stop and reopen of admission, for a gate, an area or the whole event.

A stop is a row of `ops.admission_stops`; the engine reads it with the plan, so it is
at every door within a second. Exits go on. Devices that were not heard from since are
listed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.attendance.acting import DOOR_MANAGER, SUPERVISOR, Caller, House
from ops.attendance.tickets import TELL, WhyText
from ops.audit.entry import Entry
from ops.errors import NotFound, Unprocessable
from ops.ids import uuid7

STOP: Final = """
INSERT INTO ops.admission_stops (id, event_id, area_id, gate_id, reason, stopped_by,
                                 operator_id, stopped_at)
SELECT $1, e.id, $3, $4, $5, $6, $7, $8 FROM events e
 WHERE e.id = $2
   AND ($3::uuid IS NULL OR EXISTS (
        SELECT FROM ops.areas a WHERE a.id = $3 AND a.event_id = $2))
   AND ($4::uuid IS NULL OR EXISTS (
        SELECT FROM ops.gates g WHERE g.id = $4 AND g.event_id = $2))
RETURNING id
"""
ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 21))"
HOLDING: Final = """
SELECT id FROM ops.admission_stops
 WHERE event_id = $1 AND lifted_at IS NULL AND area_id IS NOT DISTINCT FROM $2
   AND gate_id IS NOT DISTINCT FROM $3 LIMIT 1
"""
LIFT: Final = """
UPDATE ops.admission_stops SET lifted_at = $3, lifted_by = $4
 WHERE event_id = $1 AND lifted_at IS NULL AND ($2::uuid IS NULL OR id = $2)
RETURNING id
"""
ACTIVE: Final = """
SELECT s.id, s.area_id, a.name AS area, s.gate_id, g.name AS gate, s.reason,
       s.stopped_at,
       ARRAY(SELECT d.name FROM ops.devices d JOIN ops.device_events x
                 ON x.device_id = d.id AND x.event_id = s.event_id
              WHERE d.state = 'active' AND d.token_hash IS NOT NULL
                AND (d.last_seen_at IS NULL OR d.last_seen_at < s.stopped_at)
              ORDER BY d.name LIMIT 200) AS unconfirmed
  FROM ops.admission_stops s
  LEFT JOIN ops.areas a ON a.id = s.area_id LEFT JOIN ops.gates g ON g.id = s.gate_id
 WHERE s.event_id = $1 AND s.lifted_at IS NULL ORDER BY s.stopped_at, s.id LIMIT 200
"""


class StopBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and where: a gate, an area, or neither: the whole event."""

    reason: WhyText
    area_id: UUID | None = None
    gate_id: UUID | None = None


class ReopenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and which stop; none named: all of the event."""

    reason: WhyText
    stop_id: UUID | None = None


class StopView(msgspec.Struct, frozen=True):
    """A stop that holds; `unconfirmed`: devices not heard from since."""

    id: UUID
    area_id: UUID | None
    area: str | None
    gate_id: UUID | None
    gate: str | None
    reason: str | None
    stopped_at: datetime
    unconfirmed: list[str]


class Stops:
    """Stops and reopens admission."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def stop(
        self, caller: Caller, event_id: UUID, body: StopBody
    ) -> list[StopView]:
        """Stop admission; the same stop twice is one. Returns all that hold.

        Raises:
            Forbidden: this needs a supervisor.
            Unprocessable: the place is not of this event, or two were named.
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(SUPERVISOR)
        if body.area_id and body.gate_id:
            raise Unprocessable("Name an area or a gate.", code="area_or_gate")
        now = self._house.clock.now()

        async def work(db: Any) -> None:
            # Two hands on two buttons: the second sees the first one's row.
            await db.execute(ONE_AT_A_TIME, str(event_id))
            if await db.fetchval(HOLDING, event_id, body.area_id, body.gate_id):
                return
            made = await db.fetchval(
                STOP,
                uuid7(),
                event_id,
                body.area_id,
                body.gate_id,
                body.reason,
                doer.user_id,
                doer.operator_id,
                now,
            )
            if made is None:
                raise Unprocessable(
                    "This place is not of the event.", code="not_of_event"
                )
            place = {
                "area_id": str(body.area_id) if body.area_id else None,
                "gate_id": str(body.gate_id) if body.gate_id else None,
            }
            more = {"alert": "admission_stopped", "stop_id": str(made), **place}
            await db.execute(TELL, event_id, "alert", now, more)
            entry = Entry(
                doer.actor,
                "admission.stop",
                "admission_stops",
                made,
                event_id,
                detail={**doer.named(), **place},
            )
            await self._house.auditor.record(db, entry)

        await self._house.once(work)
        return await self.active(event_id)

    async def reopen(
        self, caller: Caller, event_id: UUID, body: ReopenBody
    ) -> list[StopView]:
        """Lift one stop or all; returns what still holds. May come twice.

        Raises:
            Forbidden: this needs a door manager.
            NotFound: no such stop.
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(DOOR_MANAGER)
        now = self._house.clock.now()

        async def work(db: Any) -> None:
            lifted = await db.fetch(LIFT, event_id, body.stop_id, now, doer.user_id)
            for row in lifted:
                more = {"alert": "admission_reopened", "stop_id": str(row["id"])}
                await db.execute(TELL, event_id, "alert", now, more)
                entry = Entry(
                    doer.actor,
                    "admission.reopen",
                    "admission_stops",
                    row["id"],
                    event_id,
                    after={"reason": body.reason},
                    detail=doer.named(),
                )
                await self._house.auditor.record(db, entry)
            if not lifted and body.stop_id is not None:
                raise NotFound("No such stop holds.", code="stop_not_found")

        await self._house.once(work)
        return await self.active(event_id)

    async def active(self, event_id: UUID) -> list[StopView]:
        """The stops that hold."""
        rows = await self._house.database.pool.fetch(ACTIVE, event_id)
        return [msgspec.convert(dict(row), StopView) for row in rows]
