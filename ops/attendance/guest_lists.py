"""Guest lists: a host's quota, and guests who wait for approval.

An entry has a ticket of its own from the start; until it is approved the ticket is
blocked, so every door knows it and holds it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.attendance.acting import Caller, Coder, GetCoder, House
from ops.attendance.ticket_life import AWAITING_APPROVAL
from ops.attendance.ticket_mail import TicketMail
from ops.attendance.tickets import ISSUE, TELL, Holder, WhyText
from ops.audit.entry import Entry, Person
from ops.auth.subjects import Staff
from ops.errors import Forbidden, NotFound, Unprocessable
from ops.ids import uuid7

Decision = Literal["approved", "declined", "withdrawn"]

ADD_LIST: Final = """
INSERT INTO ops.guest_lists (id, event_id, name, host, host_user_id, ticket_type_id,
                             quota, needs_approval, closes_at)
SELECT $1, k.event_id, $3, $4, $5, k.id, $7, $8, $9 FROM ticket_types k
 WHERE k.id = $6 AND k.event_id = $2 RETURNING id
"""
SET_QUOTA: Final = """
UPDATE ops.guest_lists SET quota = $3 WHERE id = $1 AND event_id = $2 RETURNING id
"""
_LISTS: Final = """
SELECT l.id, l.name, l.host, l.host_user_id, l.ticket_type_id, k.name AS type, l.quota,
       l.needs_approval, l.closes_at, l.created_at,
       coalesce(sum(e.people) FILTER (WHERE e.state IN ('pending', 'approved')), 0)::int
           AS used,
       coalesce(sum(e.people) FILTER (WHERE e.state = 'pending'), 0)::int AS pending
  FROM ops.guest_lists l JOIN ticket_types k ON k.id = l.ticket_type_id
  LEFT JOIN ops.guest_list_entries e ON e.list_id = l.id
"""
LISTS: Final = (
    _LISTS
    + """
 WHERE l.event_id = $1 AND ($2::uuid IS NULL OR l.id > $2)
   AND ($4::uuid IS NULL OR l.host_user_id = $4)
 GROUP BY l.id, k.name ORDER BY l.id LIMIT $3
"""
)
ONE_LIST: Final = _LISTS + " WHERE l.id = $1 AND l.event_id = $2 GROUP BY l.id, k.name"
LOCK: Final = """
SELECT id, event_id, host_user_id, ticket_type_id, quota, needs_approval, closes_at
  FROM ops.guest_lists WHERE id = $1 AND event_id = $2 FOR UPDATE
"""
USED: Final = """
SELECT coalesce(sum(people), 0)::int FROM ops.guest_list_entries
 WHERE list_id = $1 AND state IN ('pending', 'approved')
"""
ADD_GUEST: Final = """
INSERT INTO attendees (id, event_id, contact_id, first_name, last_name, email,
                       email_as_given, phone, company, language)
VALUES ($1, $2, (SELECT c.id FROM contacts c WHERE c.email = $5 LIMIT 1), $3, $4, $5,
        $6, $7, $8, $9)
"""
ADD_TICKET: Final = """
INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id, state, blocked_reason,
                     blocked_from, access_class, admits)
SELECT $1, k.event_id, $2, k.id, $4, $5, CASE WHEN $4 = 'blocked' THEN 'valid' END,
       k.access_class, $6
  FROM ticket_types k WHERE k.id = $3
"""
ADD_ENTRY: Final = """
INSERT INTO ops.guest_list_entries (id, list_id, event_id, ticket_id, people, state,
                                    asked_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
ENTRY: Final = """
SELECT e.id, e.list_id, e.ticket_id, e.people, e.state, l.host_user_id
  FROM ops.guest_list_entries e JOIN ops.guest_lists l ON l.id = e.list_id
 WHERE e.id = $1 AND e.list_id = $2 AND e.event_id = $3 FOR UPDATE OF e
"""
DECIDE: Final = """
UPDATE ops.guest_list_entries SET state = $2, decided_by = $3, decided_at = $4,
       decision_reason = $5 WHERE id = $1
"""
TICKET_STATE: Final = """
UPDATE tickets SET state = $2, blocked_reason = NULL, blocked_from = NULL
 WHERE id = $1 AND (state = 'blocked' OR $2 = 'cancelled')
"""
ENTRIES: Final = """
SELECT e.id, e.ticket_id, e.people, e.state, e.decided_at, e.decision_reason,
       e.created_at, t.state AS ticket_state,
       concat_ws(' ', nullif(a.first_name, ''), nullif(a.last_name, '')) AS holder
  FROM ops.guest_list_entries e JOIN tickets t ON t.id = e.ticket_id
  LEFT JOIN attendees a ON a.id = t.attendee_id
 WHERE e.list_id = $1 AND e.event_id = $2 AND ($3::text IS NULL OR e.state = $3)
   AND ($4::timestamptz IS NULL OR (e.created_at, e.id) > ($4, $5))
 ORDER BY e.created_at, e.id LIMIT $6
"""


class ListBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host's list; `quota` counts people."""

    name: Annotated[str, Meta(min_length=1, max_length=100, examples=["DJ 李 +"])]
    host: Annotated[str, Meta(min_length=1, max_length=100, examples=["Łukasz"])]
    ticket_type_id: UUID
    quota: Annotated[int, Meta(ge=0, le=100_000)]
    needs_approval: bool = True
    host_user_id: UUID | None = None
    closes_at: Annotated[datetime, Meta(tz=True)] | None = None


class QuotaBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another quota; entries beyond a smaller one stay."""

    quota: Annotated[int, Meta(ge=0, le=100_000)]


class GuestListView(msgspec.Struct, frozen=True):
    """A list; `used` counts people who wait or were approved."""

    id: UUID
    name: str
    host: str
    host_user_id: UUID | None
    ticket_type_id: UUID
    type: str
    quota: int
    needs_approval: bool
    closes_at: datetime | None
    created_at: datetime
    used: int
    pending: int


class GuestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A guest and who comes along: `people` on one ticket."""

    guest: Holder
    people: Annotated[int, Meta(ge=1, le=50)] = 1


class EntryAnswer(msgspec.Struct, frozen=True):
    """The guest's ticket; its code opens a door once the entry is approved."""

    id: UUID
    ticket_id: UUID
    state: str
    people: int
    left: int
    code: str


class DecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: WhyText


class DecidedAnswer(msgspec.Struct, frozen=True):
    """The entry after the decision."""

    id: UUID
    ticket_id: UUID
    state: str
    replayed: bool


class EntryView(msgspec.Struct, frozen=True):
    """A guest of a list."""

    id: UUID
    ticket_id: UUID
    holder: str
    people: int
    state: str
    ticket_state: str
    decided_at: datetime | None
    decision_reason: str | None
    created_at: datetime


class GuestLists:
    """Keeps lists within their quotas."""

    def __init__(self, house: House, coder: GetCoder, mail: TicketMail) -> None:
        self._house, self._coder, self._mail = house, coder, mail

    async def add(
        self, caller: Caller, event_id: UUID, body: ListBody
    ) -> GuestListView:
        """Make a list.

        Raises:
            Unprocessable: the type is not of this event.
        """
        doer = await self._house.doer(caller, event_id)
        list_id = uuid7()

        async def work(db: Any) -> None:
            made = await db.fetchval(
                ADD_LIST,
                list_id,
                event_id,
                body.name,
                body.host,
                body.host_user_id,
                body.ticket_type_id,
                body.quota,
                body.needs_approval,
                body.closes_at,
            )
            if made is None:
                raise Unprocessable(
                    "This event has no such ticket type.", code="ticket_type_not_found"
                )
            entry = Entry(
                doer.actor,
                "guest_lists.create",
                "guest_lists",
                list_id,
                event_id,
                detail={"quota": body.quota},
            )
            await self._house.auditor.record(db, entry)

        await self._house.once(work)
        return await self.one(event_id, list_id)

    async def set_quota(
        self, caller: Caller, event_id: UUID, list_id: UUID, quota: int
    ) -> GuestListView:
        """Change a quota.

        Raises:
            NotFound: no such list.
        """
        doer = await self._house.doer(caller, event_id)

        async def work(db: Any) -> None:
            if await db.fetchval(SET_QUOTA, list_id, event_id, quota) is None:
                raise _no_list()
            entry = Entry(
                doer.actor,
                "guest_lists.quota",
                "guest_lists",
                list_id,
                event_id,
                detail={"quota": quota},
            )
            await self._house.auditor.record(db, entry)

        await self._house.once(work)
        return await self.one(event_id, list_id)

    async def one(self, event_id: UUID, list_id: UUID) -> GuestListView:
        """A list with its figures.

        Raises:
            NotFound: no such list.
        """
        row = await self._house.database.pool.fetchrow(ONE_LIST, list_id, event_id)
        if row is None:
            raise _no_list()
        return msgspec.convert(dict(row), GuestListView)

    async def page(
        self, event_id: UUID, host_id: UUID | None, after: UUID | None, limit: int
    ) -> list[Any]:
        """At most `limit + 1` lists, of one host or all."""
        return list(
            await self._house.database.pool.fetch(
                LISTS, event_id, after, limit + 1, host_id
            )
        )

    async def add_guest(
        self, me: Staff, caller: Caller, event_id: UUID, list_id: UUID, body: GuestBody
    ) -> EntryAnswer:
        """Put a guest on a list, within the quota.

        Raises:
            Forbidden: neither the host nor somebody who may write tickets.
            Unprocessable: `quota_used`, `list_closed`.
        """
        coder = await self._coder()
        return await self._house.once(
            partial(self._add_guest, me, caller, event_id, list_id, body, coder)
        )

    async def _add_guest(
        self,
        me: Staff,
        caller: Caller,
        event_id: UUID,
        list_id: UUID,
        body: GuestBody,
        coder: Coder,
        db: Any,
    ) -> EntryAnswer:
        now = self._house.clock.now()
        row = await db.fetchrow(LOCK, list_id, event_id)
        if row is None:
            raise _no_list()
        _demand_host(me, event_id, row["host_user_id"])
        if row["closes_at"] is not None and now >= row["closes_at"]:
            raise Unprocessable("This list is closed.", code="list_closed")
        left = row["quota"] - await db.fetchval(USED, list_id)
        if body.people > left:
            raise Unprocessable(
                f"The quota has {max(0, left)} places left.", code="quota_used"
            )
        entry_id, attendee_id = uuid7(), uuid7()
        waits = row["needs_approval"]
        ticket_id, text = await self._ticket(db, row, attendee_id, body, coder, now)
        state = "pending" if waits else "approved"
        await db.execute(
            ADD_ENTRY,
            entry_id,
            list_id,
            event_id,
            ticket_id,
            body.people,
            state,
            me.user_id,
            now,
        )
        if not waits:
            await self._code_issued(db, event_id, ticket_id, text, now)
        entry = Entry(
            caller.actor,
            "guest_lists.add",
            "tickets",
            ticket_id,
            event_id,
            after={"state": state, "first_name": body.guest.first_name},
            person=Person("attendee", attendee_id),
            detail={"list_id": list_id, "people": body.people},
        )
        await self._house.auditor.record(db, entry)
        return EntryAnswer(
            entry_id, ticket_id, state, body.people, left - body.people, text
        )

    async def _ticket(
        self,
        db: Any,
        row: Any,
        attendee_id: UUID,
        body: GuestBody,
        coder: Coder,
        now: datetime,
    ) -> tuple[UUID, str]:
        """A guest with a ticket, blocked if the list needs approval; and its code."""
        ticket_id, guest = uuid7(), body.guest
        await db.execute(
            ADD_GUEST,
            attendee_id,
            row["event_id"],
            guest.first_name,
            guest.last_name,
            guest.email.strip().lower() if guest.email else None,
            guest.email,
            guest.phone,
            guest.company,
            guest.language,
        )
        waits = row["needs_approval"]
        await db.execute(
            ADD_TICKET,
            ticket_id,
            attendee_id,
            row["ticket_type_id"],
            "blocked" if waits else "valid",
            AWAITING_APPROVAL if waits else None,
            body.people,
        )
        text, code_hash, hint = coder.issue(ticket_id)
        await db.execute(
            ISSUE, uuid7(), row["event_id"], code_hash, ticket_id, hint, now
        )
        return ticket_id, text

    async def decide(
        self,
        me: Staff,
        caller: Caller,
        event_id: UUID,
        list_id: UUID,
        entry_id: UUID,
        decision: Decision,
        reason: str,
    ) -> DecidedAnswer:
        """Approve, decline or withdraw an entry; the ticket follows at every door.

        Raises:
            Forbidden: a host may withdraw, never approve.
            NotFound: no such entry.
            Unprocessable: `already_decided`.
        """
        if decision != "withdrawn":
            me.demand("tickets", "write", event_id)
        now, coder = self._house.clock.now(), await self._coder()

        async def work(db: Any) -> DecidedAnswer:
            row = await db.fetchrow(ENTRY, entry_id, list_id, event_id)
            if row is None:
                raise NotFound("There is no such guest.", code="entry_not_found")
            _demand_host(me, event_id, row["host_user_id"])
            ticket_id = row["ticket_id"]
            if row["state"] == decision:
                return DecidedAnswer(entry_id, ticket_id, decision, True)
            if row["state"] in ("declined", "withdrawn"):
                raise Unprocessable(
                    f"This guest was {row['state']}.", code="already_decided"
                )
            await db.execute(DECIDE, entry_id, decision, me.user_id, now, reason)
            state = "valid" if decision == "approved" else "cancelled"
            await db.execute(TICKET_STATE, ticket_id, state)
            if decision == "approved":
                text, _, _ = coder.issue(ticket_id)
                await self._code_issued(db, event_id, ticket_id, text, now)
            entry = Entry(
                caller.actor,
                f"guest_lists.{decision}",
                "tickets",
                ticket_id,
                event_id,
                {"state": row["state"]},
                {"state": decision},
                detail={"list_id": list_id},
            )
            await self._house.auditor.record(db, entry)
            return DecidedAnswer(entry_id, ticket_id, decision, False)

        return await self._house.once(work)

    async def entries(
        self,
        event_id: UUID,
        list_id: UUID,
        state: str | None,
        after: tuple[Any, Any],
        limit: int,
    ) -> list[Any]:
        """At most `limit + 1` guests of a list, oldest first."""
        return list(
            await self._house.database.pool.fetch(
                ENTRIES, list_id, event_id, state, *after, limit + 1
            )
        )

    async def _code_issued(
        self, db: Any, event_id: UUID, ticket_id: UUID, code: str, now: datetime
    ) -> None:
        more = {"ticket_id": str(ticket_id)}
        await db.execute(TELL, event_id, "code_issued", now, more)
        await self._mail.queue(db, ticket_id, code, now)


def _demand_host(me: Staff, event_id: UUID, host_user_id: UUID | None) -> None:
    if me.user_id != host_user_id and not me.may("tickets", "write", event_id):
        raise Forbidden()


def _no_list() -> NotFound:
    return NotFound("There is no such guest list.", code="list_not_found")
