"""Ticket life: reissue, transfer, upgrade, block, unblock, cancel.

One transaction an act: the ticket is locked, its codes are replaced, the audit entry
and the fact are written. The trigger on `ops.ticket_codes` notes it for the door.
A new code leaves a fact `code_issued` and a mail in the outbox.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.attendance.acting import EVENT_MANAGER, Caller, Coder, Doer, GetCoder, House
from ops.attendance.ticket_life import Act, Change, Known, weigh
from ops.attendance.ticket_mail import TicketMail
from ops.audit.entry import Entry, Person
from ops.auth.subjects import Staff
from ops.errors import NotFound, Unprocessable
from ops.ids import uuid7

WhyText = Annotated[
    str, Meta(min_length=1, max_length=500, examples=["Phone lost, shown passport"])
]
Email = Annotated[
    str, Meta(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$", examples=["s@example.org"])
]
ShortText = Annotated[str, Meta(max_length=200)]

KNOWN: Final = """
SELECT t.id, t.event_id, t.state, t.blocked_from, t.blocked_reason, t.admits,
       t.ticket_type_id, t.attendee_id,
       (SELECT count(*) FROM ops.ticket_codes c
         WHERE c.ticket_id = t.id AND c.kind = 'own') AS own_codes,
       (SELECT count(DISTINCT ci.person_no) FROM check_ins ci
         WHERE ci.ticket_id = t.id AND ci.checked_out_at IS NULL
           AND ci.undone_at IS NULL) AS inside
  FROM tickets t WHERE t.id = $1
"""
LOCK: Final = "SELECT FROM tickets WHERE id = $1 FOR NO KEY UPDATE"
CANCEL_SEATS: Final = """
SELECT ops.cancel_registration_v1(r.event_id, r.session_id, r.ticket_id, $2)
  FROM (SELECT event_id, session_id, ticket_id FROM ops.session_registrations
         WHERE ticket_id = $1 AND status IN ('registered', 'waitlist')
         ORDER BY session_id) AS r
"""
SET_STATE: Final = """
UPDATE tickets SET state = $2, blocked_from = $3, blocked_reason = $4 WHERE id = $1
"""
TYPE: Final = """
SELECT id, admits, access_class FROM ticket_types WHERE id = $1 AND event_id = $2
"""
SET_TYPE: Final = """
UPDATE tickets SET ticket_type_id = $2, admits = $3, access_class = $4 WHERE id = $1
"""
INSERT_HOLDER: Final = """
INSERT INTO attendees (id, event_id, contact_id, order_id, first_name, last_name, email,
                       email_as_given, phone, company, language)
SELECT $1, $2, (SELECT c.id FROM contacts c WHERE c.email = $5 LIMIT 1),
       (SELECT order_id FROM tickets WHERE id = $10), $3, $4, $5, $6, $7, $8, $9
"""
SET_HOLDER: Final = "UPDATE tickets SET attendee_id = $2 WHERE id = $1"
MOVE_SEATS: Final = """
UPDATE ops.session_registrations SET attendee_id = $2 WHERE ticket_id = $1
"""
LEAVE_BANDS: Final = """
WITH gone AS (DELETE FROM ops.media_tickets WHERE ticket_id = $1 RETURNING code_id)
UPDATE ops.ticket_codes c SET ticket_id = m.ticket_id
  FROM (SELECT DISTINCT ON (x.code_id) x.code_id, x.ticket_id
          FROM ops.media_tickets x JOIN gone USING (code_id)
         WHERE x.ticket_id <> $1 ORDER BY x.code_id, x.bound_at) AS m
 WHERE c.id = m.code_id AND c.ticket_id = $1
"""
"""A band that opens other tickets too goes on opening those."""
ISSUE: Final = """
INSERT INTO ops.ticket_codes (id, event_id, code_hash, ticket_id, kind, hint, issued_at)
VALUES ($1, $2, $3, $4, 'own', $5, $6)
"""
REVOKE: Final = """
UPDATE ops.ticket_codes SET revoked_at = $3, revoked_reason = $4, replaced_by = $2
 WHERE ticket_id = $1 AND revoked_at IS NULL AND id <> $2
"""
TELL: Final = "SELECT ops.tell_fact($1, $2, $3, $4)"
SHOWN: Final = """
SELECT t.id, t.event_id, t.state, t.blocked_reason, t.ticket_type_id, k.name AS type,
       t.attendee_id, a.first_name, a.last_name, t.admits
  FROM tickets t JOIN ticket_types k ON k.id = t.ticket_type_id
  LEFT JOIN attendees a ON a.id = t.attendee_id WHERE t.id = $1
"""


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who a ticket is transferred to."""

    first_name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Siobhán"])]
    last_name: Annotated[str, Meta(max_length=200, examples=["O'Brien-Łukasz"])] = ""
    email: Email | None = None
    phone: ShortText | None = None
    company: ShortText | None = None
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}$")] | None = None


class TicketAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why; a transfer names the new holder, an upgrade the new type."""

    reason: WhyText
    holder: Holder | None = None
    ticket_type_id: UUID | None = None


class TicketAnswer(msgspec.Struct, frozen=True):
    """The ticket after the act; `code` only where one was made just now."""

    id: UUID
    event_id: UUID
    state: str
    blocked_reason: str | None
    ticket_type_id: UUID
    type: str
    holder: str
    attendee_id: UUID | None
    admits: int
    replayed: bool
    code: str | None = None
    code_hint: str | None = None


class NewCode(msgspec.Struct, frozen=True):
    """A code that was just made."""

    id: UUID
    text: str
    hint: str


class TicketLife:
    """Does the acts."""

    def __init__(self, house: House, coder: GetCoder, mail: TicketMail) -> None:
        self._house, self._coder, self.mail = house, coder, mail

    async def act(
        self, caller: Caller, ticket_id: UUID, act: Act, body: TicketAct
    ) -> TicketAnswer:
        """Do one act to a ticket.

        Raises:
            NotFound: there is no such ticket.
            Forbidden: the role is too low for it.
            Unprocessable: a rule refuses it.
        """
        event_id = await self._house.event_of(ticket_id)
        if isinstance(caller.subject, Staff):
            caller.subject.demand("tickets", "write", event_id)
        doer = await self._house.doer(caller, event_id)
        # Before the transaction: it takes a connection, and who holds one and waits for
        # another one waits for ever.
        coder = await self._coder()
        return await self._house.once(
            partial(
                self.within,
                doer=doer,
                ticket_id=ticket_id,
                act=act,
                body=body,
                coder=coder,
            )
        )

    async def within(
        self,
        db: Any,
        *,
        doer: Doer,
        ticket_id: UUID,
        act: Act,
        body: TicketAct,
        coder: Coder,
    ) -> TicketAnswer:
        """The act in the caller's transaction (an ejection blocks with it)."""
        now = self._house.clock.now()
        if act == "cancel":
            # Seats first: sessions are locked before tickets, everywhere.
            await db.fetch(CANCEL_SEATS, ticket_id, now)
        row = await locked(db, ticket_id)
        if row is None:
            raise NotFound("There is no such ticket.", code="ticket_not_found")
        kind = await self._type(db, row, act, body)
        known = Known(*(row[name] for name in Known._fields))
        change = weigh(
            act,
            known,
            event_manager=doer.rank >= EVENT_MANAGER,
            admits=kind["admits"] if kind else row["admits"],
        )
        if act == "transfer" and body.holder is None:
            raise Unprocessable("Name the new holder.", code="holder_missing")
        code = None
        if not change.replayed:
            await self._state(db, row, act, change, body)
            attendee_id = row["attendee_id"]
            if act == "transfer" and body.holder is not None:
                attendee_id = await self._transfer(db, row, body.holder)
            if kind is not None:
                await db.execute(
                    SET_TYPE,
                    ticket_id,
                    kind["id"],
                    kind["admits"],
                    kind["access_class"],
                )
            if change.new_code:
                code = await self.issue(db, coder, row, "reissued", now)
            await self._tell(db, doer, row, act, change, body, attendee_id, now)
        shown = await db.fetchrow(SHOWN, ticket_id)
        return _answer(shown, change.replayed, code)

    async def _type(self, db: Any, row: Any, act: Act, body: TicketAct) -> Any:
        if act != "upgrade":
            return None
        if body.ticket_type_id is None:
            raise Unprocessable("Name the new type.", code="ticket_type_missing")
        kind = await db.fetchrow(TYPE, body.ticket_type_id, row["event_id"])
        if kind is None:
            raise Unprocessable(
                "This event has no such ticket type.", code="ticket_type_not_found"
            )
        return kind

    async def _state(
        self, db: Any, row: Any, act: Act, change: Change, body: TicketAct
    ) -> None:
        if act in ("block", "unblock", "cancel"):
            reason = body.reason if change.state == "blocked" else None
            await db.execute(
                SET_STATE, row["id"], change.state, change.blocked_from, reason
            )

    async def _transfer(self, db: Any, row: Any, holder: Holder) -> UUID:
        attendee_id = uuid7()
        email = holder.email.strip().lower() if holder.email else None
        await db.execute(
            INSERT_HOLDER,
            attendee_id,
            row["event_id"],
            holder.first_name,
            holder.last_name,
            email,
            holder.email,
            holder.phone,
            holder.company,
            holder.language,
            row["id"],
        )
        await db.execute(SET_HOLDER, row["id"], attendee_id)
        await db.execute(MOVE_SEATS, row["id"], attendee_id)
        return attendee_id

    async def issue(
        self, db: Any, coder: Coder, row: Any, why_old_died: str, now: datetime
    ) -> NewCode:
        """Make the next own code of a locked ticket; all others die with it."""
        text, code_hash, hint = coder.issue(row["id"], row["own_codes"])
        code = NewCode(uuid7(), text, hint)
        await db.execute(LEAVE_BANDS, row["id"])
        await db.execute(
            ISSUE, code.id, row["event_id"], code_hash, row["id"], hint, now
        )
        await db.execute(REVOKE, row["id"], code.id, now, why_old_died)
        more = {"ticket_id": str(row["id"]), "code_id": str(code.id)}
        await db.execute(TELL, row["event_id"], "code_issued", now, more)
        await self.mail.queue(db, row["id"], text, now)
        return code

    async def _tell(
        self,
        db: Any,
        doer: Doer,
        row: Any,
        act: Act,
        change: Change,
        body: TicketAct,
        attendee_id: UUID | None,
        now: datetime,
    ) -> None:
        before = {"state": row["state"], "ticket_type_id": row["ticket_type_id"]}
        after: dict[str, Any] = {"state": change.state, "reason": body.reason}
        if body.ticket_type_id and act == "upgrade":
            after["ticket_type_id"] = body.ticket_type_id
        if act == "transfer":
            before["attendee_id"], after["attendee_id"] = (
                row["attendee_id"],
                attendee_id,
            )
        person = Person("attendee", attendee_id) if attendee_id else None
        await self._house.auditor.record(
            db,
            Entry(
                doer.actor,
                f"tickets.{act}",
                "tickets",
                row["id"],
                row["event_id"],
                {**before, "reason": None},
                after,
                person,
                doer.named(),
            ),
        )
        more = {
            "ticket_id": str(row["id"]),
            "act": act,
            "state": change.state,
            "user_id": _text(doer.user_id),
            "operator_id": _text(doer.operator_id),
        }
        await db.execute(TELL, row["event_id"], "ticket_changed", now, more)


async def locked(db: Any, ticket_id: UUID) -> Any:
    """A ticket as `KNOWN` reads it, locked until the end of the transaction.

    Two statements: what is counted beside the ticket must be read after the lock is
    held, or the second of two acts would count as if the first had not been.
    """
    await db.execute(LOCK, ticket_id)
    return await db.fetchrow(KNOWN, ticket_id)


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _answer(row: Any, replayed: bool, code: NewCode | None) -> TicketAnswer:
    holder = " ".join(filter(None, (row["first_name"], row["last_name"])))
    return TicketAnswer(
        id=row["id"],
        event_id=row["event_id"],
        state=row["state"],
        blocked_reason=row["blocked_reason"],
        ticket_type_id=row["ticket_type_id"],
        type=row["type"],
        holder=holder,
        attendee_id=row["attendee_id"],
        admits=row["admits"],
        replayed=replayed,
        code=code.text if code else None,
        code_hint=code.hint if code else None,
    )
