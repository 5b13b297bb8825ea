"""Eject and ban, stop and reopen: what a supervisor does when somebody must go.

An ejection is one transaction: the presences end, the ticket (and with it its bands) is
blocked, the ban and the incident are written, the alert is told.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid5

import msgspec
from msgspec import Meta

from ops.attendance.acting import EVENT_MANAGER, SUPERVISOR, Caller, Doer, House
from ops.attendance.tickets import SET_STATE, TELL, WhyText, locked
from ops.audit.entry import Entry
from ops.auth.subjects import Staff
from ops.errors import Forbidden, NotFound, Unprocessable
from ops.ids import uuid7

EXITS: Final = UUID("0f6f2a4e-8f0f-4c8e-8a34-6a4e1f6f3b22")
Zoned = Annotated[datetime, Meta(tz=True)]
Text = Annotated[str, Meta(min_length=1, max_length=200)]

TICKET: Final = """
SELECT t.id, t.event_id, t.state, e.no AS event_no, a.contact_id, a.email, a.phone
  FROM tickets t JOIN events e ON e.id = t.event_id
  LEFT JOIN attendees a ON a.id = t.attendee_id
 WHERE t.id = $1 AND t.event_id = $2
"""
LET_OUT: Final = "SELECT ops.let_out_v1($1, $2, $3, $4, $5, $6, $7, $8)"
GATE_OF: Final = "SELECT gate_id FROM ops.devices WHERE id = $1"
BAN: Final = """
INSERT INTO ops.bans (id, event_id, contact_id, email, phone, first_name, last_name,
                      birth_date, reason, until, created_by, operator_id, created_at)
VALUES ($1, $2, $3, lower($4), $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
INCIDENT: Final = """
INSERT INTO ops.incidents (id, event_id, kind, state, summary, area_id, gate_id,
                           ticket_id, device_id, operator_id, reported_by, started_at)
SELECT $1, $2, 'ejection', 'open', $3,
       (SELECT g.area_id FROM ops.gates g WHERE g.id = $4), $4, $5, $6, $7, $8, $9
"""
EJECTED: Final = """
SELECT i.id, (SELECT b.id FROM ops.bans b WHERE b.id = $2) AS ban_id
  FROM ops.incidents i WHERE i.id = $1
"""
BANS: Final = """
SELECT id, event_id, contact_id, email, phone, first_name, last_name, reason, until,
       created_at, lifted_at
  FROM ops.bans
 WHERE (event_id = $1 OR event_id IS NULL) AND ($2 OR lifted_at IS NULL)
   AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
 ORDER BY created_at DESC, id DESC LIMIT $5
"""
LIFT: Final = """
UPDATE ops.bans SET lifted_at = coalesce(lifted_at, $3)
 WHERE id = $1 AND (event_id = $2 OR (event_id IS NULL AND $4))
RETURNING lifted_at < $3 AS replayed
"""


class EjectBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and whether a ban comes with it: of this event, of all, until when.

    `id` is made by the device, so that a repeated request ejects once.
    """

    id: UUID
    reason: WhyText
    ban: Literal["none", "event", "all"] = "none"
    until: Zoned | None = None


class EjectAnswer(msgspec.Struct, frozen=True):
    """What was done; `not_banned`: why the ban that was asked for is not there."""

    ticket_id: UUID
    state: str
    let_out: int
    incident_id: UUID
    ban_id: UUID | None
    replayed: bool
    not_banned: str | None = None


class BanBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom and why. A contact, e-mail or phone bans surely; a name only with a date of
    birth, and then a person must look; a name alone is refused."""

    reason: WhyText
    contact_id: UUID | None = None
    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(max_length=50)] | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    birth_date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    all_events: bool = False
    until: Zoned | None = None


class BanView(msgspec.Struct, frozen=True):
    """A ban; `event_id` null: all events."""

    id: UUID
    event_id: UUID | None
    contact_id: UUID | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    reason: str
    until: datetime | None
    created_at: datetime
    lifted_at: datetime | None


class LiftBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a ban is lifted."""

    reason: WhyText


class LiftAnswer(msgspec.Struct, frozen=True):
    """The ban holds no more."""

    id: UUID
    replayed: bool


class Ejecting:
    """Ejects, bans, lifts."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def eject(
        self, caller: Caller, event_id: UUID, ticket_id: UUID, body: EjectBody
    ) -> EjectAnswer:
        """Put somebody out: exit, block, optional ban, incident, alert, at once.

        Raises:
            Forbidden: this needs a supervisor; a ban of all events an event manager.
            NotFound: no such ticket.
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(EVENT_MANAGER if body.ban == "all" else SUPERVISOR)
        if body.ban == "all" and not (doer.operator_id or _everywhere(caller)):
            raise Forbidden("A ban of all events is for those who manage all.")
        return await self._house.once(
            partial(self._eject, doer, event_id, ticket_id, body)
        )

    async def _eject(
        self, doer: Doer, event_id: UUID, ticket_id: UUID, body: EjectBody, db: Any
    ) -> EjectAnswer:
        now = self._house.clock.now()
        ticket = await db.fetchrow(TICKET, ticket_id, event_id)
        if ticket is None:
            raise NotFound("There is no such ticket.", code="ticket_not_found")
        row = await locked(db, ticket_id)
        ban_id = uuid5(EXITS, f"ban {body.id}")
        known = await db.fetchrow(EJECTED, body.id, ban_id)
        if known is not None:
            ban, state = known["ban_id"], row["state"]
            missing = _not_banned(body, ban)
            return EjectAnswer(ticket_id, state, 0, body.id, ban, True, missing)
        gate_id = await db.fetchval(GATE_OF, doer.device_id) if doer.device_id else None
        let_out = await db.fetchval(
            LET_OUT,
            event_id,
            ticket["event_no"],
            ticket_id,
            uuid5(EXITS, str(body.id)),
            gate_id,
            doer.device_id,
            doer.operator_id,
            now,
        )
        state = row["state"]
        if state not in ("cancelled", "refunded", "blocked"):
            await db.execute(SET_STATE, ticket_id, "blocked", state, body.reason)
            state = "blocked"
        banned = await self._ban_holder(db, doer, ticket, body, ban_id, now)
        await db.execute(
            INCIDENT,
            body.id,
            event_id,
            body.reason,
            gate_id,
            ticket_id,
            doer.device_id,
            doer.operator_id,
            doer.user_id,
            now,
        )
        more = {
            "alert": "ejected",
            "ticket_id": str(ticket_id),
            "incident_id": str(body.id),
            "gate_id": str(gate_id) if gate_id else None,
            "banned": banned is not None,
        }
        await db.execute(TELL, event_id, "alert", now, more)
        detail = {**doer.named(), "let_out": let_out, "ban": body.ban}
        entry = Entry(
            doer.actor,
            "tickets.eject",
            "tickets",
            ticket_id,
            event_id,
            {"state": row["state"]},
            {"state": state},
            detail=detail,
        )
        await self._house.auditor.record(db, entry)
        missing = _not_banned(body, banned)
        return EjectAnswer(ticket_id, state, let_out, body.id, banned, False, missing)

    async def _ban_holder(
        self,
        db: Any,
        doer: Doer,
        ticket: Any,
        body: EjectBody,
        ban_id: UUID,
        now: datetime,
    ) -> UUID | None:
        if body.ban == "none":
            return None
        if not (ticket["contact_id"] or ticket["email"] or ticket["phone"]):
            return None  # who must be put out is put out, also where no ban can match
        await db.execute(
            BAN,
            ban_id,
            ticket["event_id"] if body.ban == "event" else None,
            ticket["contact_id"],
            ticket["email"],
            ticket["phone"],
            None,
            None,
            None,
            body.reason,
            body.until,
            doer.user_id,
            doer.operator_id,
            now,
        )
        return ban_id

    async def ban(self, caller: Caller, event_id: UUID, body: BanBody) -> UUID:
        """Ban somebody from this event or all; returns the ban's id.

        Raises:
            Forbidden: the role is too low.
            Unprocessable: nothing that a door could match.
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(SUPERVISOR)
        if body.all_events and not _everywhere(caller):
            raise Forbidden("A ban of all events is for those who manage all.")
        named = body.last_name and body.birth_date
        if not (body.contact_id or body.email or body.phone or named):
            raise Unprocessable(
                "Name a contact, an e-mail, a phone, or a name with a date of birth.",
                code="nothing_to_match",
            )
        born = _date(body.birth_date)
        ban_id, now = uuid7(), self._house.clock.now()

        async def work(db: Any) -> None:
            await db.execute(
                BAN,
                ban_id,
                None if body.all_events else event_id,
                body.contact_id,
                body.email,
                body.phone,
                body.first_name,
                body.last_name,
                born,
                body.reason,
                body.until,
                doer.user_id,
                doer.operator_id,
                now,
            )
            await self._told(db, doer, "bans.create", ban_id, event_id, body.reason)

        await self._house.once(work)
        return ban_id

    async def lift(
        self, caller: Caller, event_id: UUID, ban_id: UUID, body: LiftBody
    ) -> LiftAnswer:
        """Lift a ban; the row stays.

        Raises:
            NotFound: no such ban, or one of all events and the role is too low.
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(SUPERVISOR)
        subject = caller.subject
        everywhere = isinstance(subject, Staff) and subject.may(
            "members", "write", None
        )
        now = self._house.clock.now()

        async def work(db: Any) -> LiftAnswer:
            row = await db.fetchrow(LIFT, ban_id, event_id, now, everywhere)
            if row is None:
                raise NotFound("There is no such ban.", code="ban_not_found")
            if not row["replayed"]:
                await self._told(db, doer, "bans.lift", ban_id, event_id, body.reason)
            return LiftAnswer(ban_id, row["replayed"])

        return await self._house.once(work)

    async def page(
        self, event_id: UUID, lifted: bool, after: tuple[Any, Any], limit: int
    ) -> list[Any]:
        """At most `limit + 1` bans that hold at an event, newest first."""
        return list(
            await self._house.database.pool.fetch(
                BANS, event_id, lifted, *after, limit + 1
            )
        )

    async def _told(
        self,
        db: Any,
        doer: Doer,
        action: str,
        ban_id: UUID,
        event_id: UUID,
        reason: str,
    ) -> None:
        entry = Entry(
            doer.actor,
            action,
            "bans",
            ban_id,
            event_id,
            after={"reason": reason},
            detail=doer.named(),
        )
        await self._house.auditor.record(db, entry)


def _not_banned(body: EjectBody, ban_id: UUID | None) -> str | None:
    """Why a ban that was asked for is not there."""
    return "nothing_to_ban" if body.ban != "none" and ban_id is None else None


def _everywhere(caller: Caller) -> bool:
    """Whether somebody manages all events, not only this one."""
    subject = caller.subject
    return isinstance(subject, Staff) and subject.may("members", "write", None)


def _date(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date
    except ValueError:
        raise Unprocessable("This is no date.", code="bad_date") from None
