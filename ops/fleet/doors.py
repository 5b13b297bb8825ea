"""Doors: a state that a person sets for the event and for each gate, and a delay.

Held, open, last entry, closed: the stricter of event and gate holds (the plan of the
desk reads both; a change bumps the plan's version, so it is at every door within a
second). A delay moves the doors and the window of admission, and with them everything
that is defined relative to the doors, and the announcements that are prepared for a
time still to come; those about a session stay with their session, and one that was
just sent and can only be taken back goes when it was going.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from ops.announcements.content import RECALL_S
from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.db.engine import Database
from ops.errors import FieldProblem, NotFound, Unprocessable

DoorsState = Literal["held", "open", "last_entry", "closed"]

ON_ITS_WAY: Final = timedelta(seconds=RECALL_S)
"""Sent already; until then it can be taken back."""

_EVENT = """id, doors_state, doors_open_at, admission_opens_at, admission_closes_at,
       starts_at, ends_at"""

SET_EVENT: Final = f"""
UPDATE events SET doors_state = $2 WHERE id = $1 RETURNING {_EVENT}
"""

DELAY: Final = f"""
UPDATE events
   SET doors_open_at = coalesce(doors_open_at, starts_at) + $2::interval,
       admission_opens_at = admission_opens_at + $2::interval
 WHERE id = $1
   AND coalesce(doors_open_at, starts_at) + $2::interval < ends_at
   AND (admission_closes_at IS NULL OR admission_opens_at IS NULL
        OR admission_opens_at + $2::interval < admission_closes_at)
RETURNING {_EVENT}
"""

DELAY_ANNOUNCEMENTS: Final = """
UPDATE event_announcements SET scheduled_for = scheduled_for + $2::interval
 WHERE event_id = $1 AND status = 'scheduled' AND session_id IS NULL
   AND scheduled_for > now() + $3::interval
RETURNING id
"""

SET_GATE: Final = """
UPDATE ops.gates SET state = $3, use_instead_id = $4
 WHERE id = $1 AND event_id = $2
RETURNING id, name, state, use_instead_id
"""

GATE_OF_EVENT: Final = """
SELECT EXISTS (SELECT FROM ops.gates WHERE id = $1 AND event_id = $2)
"""


class Doors:
    """Sets the states of doors; every act is in the audit log."""

    def __init__(self, database: Database, auditor: Auditor) -> None:
        self._database, self._auditor = database, auditor

    async def set_event(
        self, event_id: UUID, state: DoorsState, actor: Actor, reason: str | None
    ) -> Any:
        """The state of all doors of an event; may come twice.

        Raises:
            NotFound: no such event.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            row = await db.fetchrow(SET_EVENT, event_id, state)
            if row is None:
                raise NotFound()
            await self._note(db, actor, "set", event_id, {"state": state}, reason)
        return row

    async def delay(
        self, event_id: UUID, minutes: int, actor: Actor, reason: str | None
    ) -> Any:
        """Move the opening by some minutes, later or earlier.

        Raises:
            Unprocessable: the doors would open after the end.
            NotFound: no such event.
        """
        by = timedelta(minutes=minutes)
        async with self._database.pool.acquire() as db, db.transaction():
            row = await db.fetchrow(DELAY, event_id, by)
            if row is None:
                exists = "SELECT EXISTS (SELECT FROM events WHERE id = $1)"
                if not await db.fetchval(exists, event_id):
                    raise NotFound()
                problem = FieldProblem(
                    "minutes", "after_the_end", "Doors would open after the end."
                )
                raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
            told = await db.fetch(DELAY_ANNOUNCEMENTS, event_id, by, ON_ITS_WAY)
            detail = {"minutes": minutes, "announcements": len(told)}
            await self._note(db, actor, "delay", event_id, detail, reason)
        return row

    async def set_gate(
        self,
        event_id: UUID,
        gate_id: UUID,
        state: DoorsState,
        use_instead_id: UUID | None,
        actor: Actor,
    ) -> Any:
        """The state of one gate, and which one to use instead.

        Raises:
            NotFound: no such gate in this event.
            Unprocessable: the other gate is not of this event, or is the same one.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            if use_instead_id is not None and (
                use_instead_id == gate_id
                or not await db.fetchval(GATE_OF_EVENT, use_instead_id, event_id)
            ):
                problem = FieldProblem(
                    "use_instead_id", "unknown_gate", "Name another gate of the event."
                )
                raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
            row = await db.fetchrow(SET_GATE, gate_id, event_id, state, use_instead_id)
            if row is None:
                raise NotFound()
            detail = {
                "gate_id": gate_id,
                "state": state,
                "use_instead_id": use_instead_id,
            }
            await self._note(db, actor, "gate", event_id, detail, None)
        return row

    async def _note(
        self,
        db: Any,
        actor: Actor,
        verb: str,
        event_id: UUID,
        detail: dict[str, Any],
        reason: str | None,
    ) -> None:
        if reason:
            detail["reason"] = reason
        entry = Entry(actor, f"doors.{verb}", "events", event_id, event_id)
        await self._auditor.record(db, entry._replace(detail=detail))
