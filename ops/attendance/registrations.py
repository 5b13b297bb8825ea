"""Seats of sessions: registering, cancelling, the waitlist and the line at the door.

`ops.register_v1` decides under the lock of the session's row; the counter
`sessions.current_registrations` is kept by triggers from the rows.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.attendance.acting import STEWARD, Caller, Doer, House
from ops.attendance.media import WhichTicket
from ops.audit.entry import Entry
from ops.db.code_keys import exact_first, known_by
from ops.errors import NotFound, Unprocessable
from ops.listing import Start

REGISTER: Final = "SELECT ops.register_v1($1, $2, $3, $4, $5, $6)"
CANCEL: Final = "SELECT ops.cancel_registration_v1($1, $2, $3, $4)"
BY_CODE: Final = f"""
SELECT ticket_id, revoked_reason FROM ops.ticket_codes
 WHERE event_id = $1 AND {known_by("code_hash")} {exact_first("code_hash")}
"""
SEATS: Final = """
SELECT s.id, s.title, s.door_mode, s.max_attendees,
       coalesce(s.current_registrations, 0) AS registered, s.waitlist_enabled,
       s.registration_deadline, s.seats_released_at, s.start_time, s.end_time,
       (SELECT count(*) FROM ops.session_registrations r
         WHERE r.session_id = s.id AND r.status = 'waitlist') AS waiting,
       (SELECT count(*) FROM ops.session_registrations r
         WHERE r.session_id = s.id AND r.status = 'waitlist'
           AND r.standby_at IS NOT NULL) AS at_the_door,
       (SELECT count(*) FROM ops.session_registrations r
         WHERE r.session_id = s.id AND r.status = 'released') AS released
  FROM sessions s WHERE s.id = $1 AND s.event_id = $2
"""
PAGE: Final = """
SELECT r.id, r.ticket_id, r.attendee_id, r.status, r.position, r.registered_at,
       r.standby_at, r.promoted_at, r.released_at, r.cancelled_at,
       concat_ws(' ', nullif(a.first_name, ''), nullif(a.last_name, '')) AS holder
  FROM ops.session_registrations r LEFT JOIN attendees a ON a.id = r.attendee_id
 WHERE r.session_id = $1 AND r.event_id = $2 AND ($3::text IS NULL OR r.status = $3)
   AND ($4::timestamptz IS NULL OR (r.registered_at, r.id) > ($4, $5))
 ORDER BY r.registered_at, r.id LIMIT $6
"""

_WHY: Final = {
    "session_not_found": "There is no such session.",
    "ticket_not_found": "There is no such ticket.",
    "ticket_not_valid": "This ticket is not valid.",
    "no_seat_needed": "Crew, speakers and the like take no seat.",
    "session_off": "This session does not take place.",
    "session_over": "This session is over.",
    "registered_only": "Seats are for those who registered, until unclaimed ones are"
    " given away.",
    "registration_closed": "Registration is closed.",
    "session_full": "This session is full.",
}


class RegisterBody(WhichTicket, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who wants a seat. `at_door`: a walk-up, the deadline does not count; `standby`:
    waits in the line at the door for a seat that becomes free."""

    at_door: bool = False
    standby: bool = False


class RegisterAnswer(msgspec.Struct, frozen=True):
    """`registered` or `waitlist` with the position; `seats_left` null: no limit."""

    status: str
    ticket_id: UUID
    position: int | None
    seats_left: int | None
    replayed: bool


class CancelAnswer(msgspec.Struct, frozen=True):
    """The seat is free, or already somebody's from the waitlist."""

    status: str
    replayed: bool
    promoted: list[UUID]


class SeatsView(msgspec.Struct, frozen=True):
    """The seats of a session; `too_many`: registered beyond a room made smaller."""

    id: UUID
    title: str
    door_mode: str
    max_attendees: int | None
    registered: int
    waiting: int
    at_the_door: int
    released: int
    too_many: int
    waitlist_enabled: bool
    registration_deadline: datetime | None
    seats_released_at: datetime | None


class RegistrationLine(msgspec.Struct, frozen=True):
    """One registration; none is ever deleted."""

    id: UUID
    ticket_id: UUID
    attendee_id: UUID | None
    holder: str
    status: str
    position: int | None
    registered_at: datetime
    standby_at: datetime | None
    promoted_at: datetime | None
    released_at: datetime | None
    cancelled_at: datetime | None


class Registrations:
    """Gives and takes seats."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def register(
        self,
        caller: Caller | Doer,
        event_id: UUID,
        session_id: UUID,
        body: RegisterBody,
    ) -> RegisterAnswer:
        """Give a ticket a seat, or a place in the waitlist.

        Args:
            caller: a `Doer` where it is known who acts: an attendee, by a token.

        Raises:
            NotFound: no such session or ticket.
            Unprocessable: no seat and no waiting, with the reason as its code.
        """
        doer = await self._doer(caller, event_id)
        ticket_id = await self._ticket(event_id, body)
        now = self._house.clock.now()

        async def work(db: Any) -> Any:
            said = await db.fetchval(
                REGISTER,
                event_id,
                session_id,
                ticket_id,
                now,
                body.at_door or body.standby,
                body.standby,
            )
            if said["status"] != "refused" and not said["replayed"]:
                detail = {"session_id": session_id, "status": said["status"]}
                await self._told(
                    db, doer, "sessions.register", event_id, ticket_id, detail
                )
            return said

        said = await self._house.once(work)
        if said["status"] == "refused":
            raise refusal(said["reason"])
        return RegisterAnswer(
            said["status"],
            ticket_id,
            said["position"],
            said["seats_left"],
            said["replayed"],
        )

    async def cancel(
        self, caller: Caller | Doer, event_id: UUID, session_id: UUID, ticket_id: UUID
    ) -> CancelAnswer:
        """Take a seat back; the first who waits gets it in the same transaction.

        Raises:
            NotFound: this ticket was never registered.
        """
        doer = await self._doer(caller, event_id)
        return await self._house.once(
            partial(self._cancel, doer, event_id, session_id, ticket_id)
        )

    async def _cancel(
        self, doer: Doer, event_id: UUID, session_id: UUID, ticket_id: UUID, db: Any
    ) -> CancelAnswer:
        now = self._house.clock.now()
        said = await db.fetchval(CANCEL, event_id, session_id, ticket_id, now)
        if said is None:
            raise NotFound("This ticket was not registered.", code="not_registered")
        answer = msgspec.convert(said, CancelAnswer)
        if not answer.replayed:
            detail = {"session_id": session_id, "promoted": len(answer.promoted)}
            await self._told(db, doer, "sessions.cancel", event_id, ticket_id, detail)
        return answer

    async def seats(self, event_id: UUID, session_id: UUID) -> SeatsView:
        """The figures of a session.

        Raises:
            NotFound: no such session.
        """
        row = await self._house.database.pool.fetchrow(SEATS, session_id, event_id)
        if row is None:
            raise refusal("session_not_found")
        limit, taken = row["max_attendees"], row["registered"]
        return SeatsView(
            id=row["id"],
            title=row["title"],
            door_mode=row["door_mode"],
            max_attendees=limit,
            registered=taken,
            waiting=row["waiting"],
            at_the_door=row["at_the_door"],
            released=row["released"],
            too_many=max(0, taken - limit) if limit is not None else 0,
            waitlist_enabled=bool(row["waitlist_enabled"]),
            registration_deadline=row["registration_deadline"],
            seats_released_at=row["seats_released_at"],
        )

    async def page(
        self,
        event_id: UUID,
        session_id: UUID,
        status: str | None,
        after: Start,
        limit: int,
    ) -> list[Any]:
        """At most `limit + 1` registrations, oldest first."""
        return list(
            await self._house.database.pool.fetch(
                PAGE, session_id, event_id, status, *after, limit + 1
            )
        )

    async def _doer(self, caller: Caller | Doer, event_id: UUID) -> Doer:
        if isinstance(caller, Doer):
            return caller
        doer = await self._house.doer(caller, event_id)
        if doer.device_id is None:
            doer.demand(STEWARD)
        return doer

    async def _ticket(self, event_id: UUID, body: WhichTicket) -> UUID:
        if body.ticket_id is not None:
            return body.ticket_id
        if body.ticket_code is None:
            raise Unprocessable("Name a ticket.", code="ticket_missing")
        code = self._house.code(body.ticket_code, "malformed_code")
        row = await self._house.database.pool.fetchrow(BY_CODE, event_id, code.key)
        if row is None:
            raise NotFound("No ticket has this code.", code="unknown_code")
        if row["revoked_reason"] is not None:
            raise Unprocessable("This code is dead.", code=row["revoked_reason"])
        found: UUID = row["ticket_id"]
        return found

    async def _told(
        self,
        db: Any,
        doer: Doer,
        action: str,
        event_id: UUID,
        ticket_id: UUID,
        detail: dict[str, Any],
    ) -> None:
        entry = Entry(
            doer.actor,
            action,
            "tickets",
            ticket_id,
            event_id,
            detail={**doer.named(), **detail},
        )
        await self._house.auditor.record(db, entry)


def refusal(reason: str) -> NotFound | Unprocessable:
    """The error of a refused registration."""
    if reason.endswith("_not_found"):
        return NotFound(_WHY[reason], code=reason)
    return Unprocessable(_WHY[reason], code=reason)
