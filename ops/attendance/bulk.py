"""Bulk check-in and check-out in the control room, through the same rules as a door.

Each row is a scan of the event's own device "Control room", decided by the desk in its
lane for uploads, so that a thousand rows never make a guest wait. Scan ids follow from
the bulk's id: the same request again is answered from the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid5

import msgspec
from msgspec import Meta

from ops.admission.scan import ScanRequest
from ops.attendance.acting import SUPERVISOR, Caller, House
from ops.attendance.tickets import WhyText
from ops.audit.entry import Entry
from ops.errors import ApiError, NotFound, Unprocessable

ROWS_MAX: Final = 1_000
CONTROL_ROOM: Final = UUID("2c7b7d6e-7d0e-4a4e-a6d5-3a1c9a0f7b05")

DEVICE: Final = """
WITH made AS (
    INSERT INTO ops.devices (id, name, profile, state, paired_at)
    SELECT $1, 'Control room', 'scan', 'active', $3 FROM events e WHERE e.id = $2
    ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO ops.device_events (device_id, event_id)
SELECT id, $2 FROM made ON CONFLICT DO NOTHING
"""
PLACE: Final = """
SELECT (SELECT a.id FROM ops.areas a
         WHERE a.event_id = $1 AND a.kind = 'venue' ORDER BY a.position, a.no LIMIT 1)
       AS venue,
       $2::uuid IS NULL OR EXISTS (
         SELECT FROM ops.gates g WHERE g.id = $2 AND g.event_id = $1) AS gate,
       $3::uuid IS NULL OR EXISTS (
         SELECT FROM ops.areas a WHERE a.id = $3 AND a.event_id = $1) AS area,
       $4::uuid IS NULL OR EXISTS (
         SELECT FROM sessions s WHERE s.id = $4 AND s.event_id = $1) AS session
"""

Decide = Callable[[UUID, UUID, ScanRequest], Awaitable[Any]]
"""(event, device, scan) -> the answer of a door; raises ApiError."""
Confirm = Callable[[UUID, list[UUID]], None]


class BulkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Tickets that come in or go out together; where: a gate, an area or a session,
    else the venue."""

    id: UUID
    direction: Literal["in", "out"]
    tickets: Annotated[list[UUID], Meta(min_length=1, max_length=ROWS_MAX)]
    reason: WhyText
    gate_id: UUID | None = None
    area_id: UUID | None = None
    session_id: UUID | None = None


class BulkProblem(msgspec.Struct, frozen=True):
    """Why a row got no answer."""

    code: str
    detail: str


class BulkRow(msgspec.Struct, frozen=True):
    """One ticket: what a door would have answered."""

    ticket_id: UUID
    scan_id: UUID
    verdict: str | None = None
    reason: str | None = None
    message: str | None = None
    replayed: bool = False
    error: BulkProblem | None = None


class BulkAnswer(msgspec.Struct, frozen=True):
    """One row a ticket, in order, and how many were let through."""

    results: list[BulkRow]
    done: int
    turned_away: int
    failed: int


class BulkCheck:
    """Checks many in or out."""

    def __init__(self, house: House, decide: Decide, confirm: Confirm) -> None:
        self._house, self._decide, self._confirm = house, decide, confirm

    async def run(self, caller: Caller, event_id: UUID, body: BulkBody) -> BulkAnswer:
        """Decide each ticket; one that is turned away stops no other.

        Raises:
            Forbidden: this needs a supervisor.
            NotFound: no such event.
            Unprocessable: the place is not of this event.
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(SUPERVISOR)
        pool = self._house.database.pool
        place = await pool.fetchrow(
            PLACE, event_id, body.gate_id, body.area_id, body.session_id
        )
        assert place is not None  # a SELECT without FROM is one row
        if not (place["gate"] and place["area"] and place["session"]):
            raise Unprocessable("This place is not of the event.", code="not_of_event")
        named = body.gate_id or body.area_id or body.session_id
        area_id = body.area_id if named else place["venue"]
        if not named and area_id is None:
            raise NotFound("This event has no venue area.", code="event_not_found")
        device_id = uuid5(CONTROL_ROOM, str(event_id))
        await pool.execute(DEVICE, device_id, event_id, self._house.clock.now())

        async def one(ticket_id: UUID) -> BulkRow:
            scan_id = uuid5(body.id, f"{body.direction} {ticket_id}")
            scan = ScanRequest(
                scan_id,
                str(ticket_id),
                direction=body.direction,
                gate_id=body.gate_id,
                area_id=area_id,
                session_id=body.session_id,
                method="manual",
            )
            try:
                answer = await self._decide(event_id, device_id, scan)
            except ApiError as error:
                problem = BulkProblem(error.code, error.detail)
                return BulkRow(ticket_id, scan_id, error=problem)
            return BulkRow(
                ticket_id,
                scan_id,
                answer.verdict,
                answer.reason,
                answer.message,
                answer.replayed,
            )

        rows = list(await asyncio.gather(*map(one, dict.fromkeys(body.tickets))))
        through = [row for row in rows if row.verdict in ("admitted", "exited")]
        self._confirm(event_id, [row.scan_id for row in through])
        failed = sum(row.error is not None for row in rows)
        entry = Entry(
            doer.actor,
            f"scans.bulk_{body.direction}",
            "events",
            event_id,
            event_id,
            after={"reason": body.reason},
            detail={
                **doer.named(),
                "bulk_id": body.id,
                "rows": len(rows),
                "done": len(through),
            },
        )
        async with pool.acquire() as db:
            await self._house.auditor.record(db, entry)
        return BulkAnswer(rows, len(through), len(rows) - len(through) - failed, failed)
