"""Media: wristbands and badges that open a ticket beside its code.

Bound beforehand by a list, or at the first scan; lost and replaced in one action. The
unique key (code, event) of `ops.ticket_codes` decides who gets a band that two gates
offer to two tickets.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.attendance.acting import (
    SUPERVISOR,
    Caller,
    Code,
    Coder,
    Doer,
    GetCoder,
    House,
)
from ops.attendance.tickets import TELL, TicketLife, WhyText, locked
from ops.audit.entry import Entry
from ops.db.code_keys import exact_first, known_by
from ops.errors import ApiError, Conflict, NotFound, Unprocessable
from ops.ids import uuid7

LIST_MAX: Final = 1_000
CodeText = Annotated[str, Meta(min_length=1, max_length=512, examples=["04A2B9C1D2"])]

FIND: Final = f"""
SELECT id, ticket_id, kind, revoked_at, revoked_reason FROM ops.ticket_codes
 WHERE event_id = $1 AND {known_by("code_hash")} {exact_first("code_hash")}
"""
BIND: Final = """
INSERT INTO ops.ticket_codes (id, event_id, code_hash, ticket_id, kind, hint, issued_at)
VALUES ($1, $2, $3, $4, 'medium', $5, $6) ON CONFLICT DO NOTHING RETURNING id
"""
EXCHANGE: Final = """
UPDATE ops.ticket_codes c SET revoked_at = $3, revoked_reason = 'exchanged',
       replaced_by = $2
  FROM tickets t JOIN ticket_types k ON k.id = t.ticket_type_id
 WHERE c.ticket_id = $1 AND t.id = c.ticket_id AND k.after_exchange = 'medium'
   AND c.revoked_at IS NULL AND c.kind IN ('own', 'imported')
"""
WINDOWS: Final = """
SELECT count(*) FROM tickets a, tickets b
 WHERE a.id = $1 AND b.id IN (SELECT ticket_id FROM ops.ticket_codes WHERE id = $2
                              UNION SELECT ticket_id FROM ops.media_tickets
                                     WHERE code_id = $2)
   AND a.id <> b.id
   AND (coalesce(a.valid_from, '-infinity'), coalesce(a.valid_to, 'infinity'))
       OVERLAPS (coalesce(b.valid_from, '-infinity'), coalesce(b.valid_to, 'infinity'))
"""
ADD: Final = """
INSERT INTO ops.media_tickets (code_id, ticket_id, event_id, bound_at)
SELECT c.id, u.ticket_id, c.event_id, $3 FROM ops.ticket_codes c,
       LATERAL (SELECT c.ticket_id UNION SELECT $2::uuid) AS u (ticket_id)
 WHERE c.id = $1 ON CONFLICT DO NOTHING
"""
DUE: Final = "SELECT ops.media_due_v1($1)"
LOSE: Final = """
UPDATE ops.ticket_codes SET revoked_at = $2, revoked_reason = 'lost', replaced_by = $3
 WHERE ticket_id = $1 AND kind = 'medium' AND revoked_at IS NULL
   AND ($4::uuid IS NULL OR id = $4) AND id IS DISTINCT FROM $3
RETURNING id
"""
MOVE_BANDS: Final = """
INSERT INTO ops.media_tickets (code_id, ticket_id, event_id, bound_at)
SELECT $2, ticket_id, event_id, $3 FROM ops.media_tickets WHERE code_id = ANY ($1)
ON CONFLICT DO NOTHING
"""
SUCCESSOR: Final = """
SELECT n.code_hash FROM ops.ticket_codes c
  JOIN ops.ticket_codes n ON n.id = c.replaced_by WHERE c.id = $1
"""
LIVE: Final = """
SELECT count(*) FROM ops.ticket_codes WHERE ticket_id = $1 AND revoked_at IS NULL
"""
STOCK: Final = """
INSERT INTO ops.media (id, event_id, code_hash, hint, kind, created_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id
"""


class WhichTicket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket, by its id or by any live code of it."""

    ticket_id: UUID | None = None
    ticket_code: CodeText | None = None


class BindBody(WhichTicket, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A band for a ticket.

    `exchange`: the ticket's own code dies if its type says so. `add`: the band opens
    another ticket already, of another time, and shall open this one too.
    """

    code: CodeText
    exchange: bool = True
    add: bool = False


class ListRow(WhichTicket, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A band of a list; without a ticket it is stock, to be bound at the door."""

    code: CodeText
    kind: Annotated[str, Meta(pattern="^(wristband|badge|card)$")] = "wristband"


class ListBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bands, up to 1,000 a request, each on its own."""

    media: Annotated[list[ListRow], Meta(max_length=LIST_MAX)]
    exchange: bool = False


class LostBody(WhichTicket, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lost band: of this ticket, or this one; and the one that takes its place."""

    reason: WhyText
    code: CodeText | None = None
    new_code: CodeText | None = None


class MediumAnswer(msgspec.Struct, frozen=True):
    """A band after the act; `code` where a new own code had to be made."""

    ticket_id: UUID | None
    hint: str
    bound: bool
    replayed: bool = False
    lost: int = 0
    code: str | None = None


class RowProblem(msgspec.Struct, frozen=True):
    """Why a row of a list was not bound."""

    code: str
    detail: str


class RowAnswer(msgspec.Struct, frozen=True):
    """One row of a list: what became of it, or why nothing did."""

    row: int
    medium: MediumAnswer | None = None
    error: RowProblem | None = None


class ListAnswer(msgspec.Struct, frozen=True):
    """One answer a row, in order."""

    results: list[RowAnswer]
    bound: int
    stocked: int
    bad: int


class Media:
    """Binds, replaces and lists media."""

    def __init__(self, house: House, coder: GetCoder, life: TicketLife) -> None:
        self._house, self._coder, self._life = house, coder, life

    async def bind(
        self, caller: Caller, event_id: UUID, body: BindBody
    ) -> MediumAnswer:
        """Bind a band to a ticket.

        Raises:
            Conflict: `medium_taken`: it opens another ticket.
            Unprocessable: the band or the ticket cannot be used.
        """
        doer = await self._house.doer(caller, event_id)
        code = self._medium(body.code)
        ticket = self._ticket_code(body.ticket_code)
        return await self._house.once(
            partial(self._bind, doer, event_id, code, body, ticket)
        )

    async def _bind(
        self, doer: Doer, event_id: UUID, code: Code, body: BindBody, by: Any, db: Any
    ) -> MediumAnswer:
        now = self._house.clock.now()
        row = await self._locked(db, event_id, body.ticket_id, by)
        code_id, replayed = await self._give(db, event_id, row, code, body.add, now)
        if body.exchange:
            await db.execute(EXCHANGE, row["id"], code_id, now)
        if not replayed:
            await self._tell(db, doer, row, "media.bind", {"code_id": code_id}, now)
        return MediumAnswer(row["id"], code.hint, True, replayed)

    async def _give(
        self, db: Any, event_id: UUID, row: Any, code: Code, add: bool, now: datetime
    ) -> tuple[UUID, bool]:
        """The id of the band's row, bound to the ticket; and whether it was before."""
        made = await db.fetchval(
            BIND, uuid7(), event_id, code.hash, row["id"], code.hint, now
        )
        if made is not None:
            return made, False
        found = await db.fetchrow(FIND, event_id, code.key)
        if found is None or found["kind"] != "medium":
            raise Conflict("This is the code of a ticket.", code="code_taken")
        if found["revoked_at"] is not None:
            raise Unprocessable(
                "This band was replaced; take another one.", code="medium_dead"
            )
        if found["ticket_id"] == row["id"]:
            return found["id"], True
        if not add:
            raise Conflict("This band opens another ticket.", code="medium_taken")
        if await db.fetchval(WINDOWS, row["id"], found["id"]):
            raise Unprocessable(
                "Two tickets of one band must not be valid at the same time.",
                code="windows_overlap",
            )
        await db.execute(ADD, found["id"], row["id"], now)
        await db.fetchval(DUE, now)
        return found["id"], False

    async def lost(
        self, caller: Caller, event_id: UUID, body: LostBody
    ) -> MediumAnswer:
        """The old band is dead and the new one bound, in one transaction.

        Raises:
            Forbidden: this needs a supervisor.
            Conflict: the new band opens another ticket.
            Unprocessable: there is no band to be lost.
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(SUPERVISOR)
        old = self._medium(body.code) if body.code else None
        new = self._medium(body.new_code) if body.new_code else None
        ticket = self._ticket_code(body.ticket_code)
        return await self._house.once(
            partial(
                self._lost, doer, event_id, old, new, body, ticket, await self._coder()
            )
        )

    async def _lost(
        self,
        doer: Doer,
        event_id: UUID,
        old: Code | None,
        new: Code | None,
        body: LostBody,
        by: Code | None,
        coder: Coder,
        db: Any,
    ) -> MediumAnswer:
        now = self._house.clock.now()
        known = None
        ticket_id = body.ticket_id
        if old is not None:
            known = await db.fetchrow(FIND, event_id, old.key)
            if known is None or known["kind"] != "medium":
                raise NotFound("No such band is bound.", code="medium_not_found")
            ticket_id = known["ticket_id"]
        row = await self._locked(db, event_id, ticket_id, by)
        new_id = None
        if old is not None:
            # Two desks may have been told of one lost band: it has one successor.
            known = await db.fetchrow(FIND, event_id, old.key)
            if await self._replaced(db, known, new):
                raise Conflict(
                    "This band was replaced already.", code="medium_replaced"
                )
        if new is not None:
            new_id, _ = await self._give(db, event_id, row, new, False, now)
        gone = await db.fetch(
            LOSE, row["id"], now, new_id, known["id"] if known else None
        )
        if not gone and known is None:
            raise Unprocessable("This ticket has no band.", code="no_medium")
        if new_id is not None and gone:
            await db.execute(MOVE_BANDS, [each["id"] for each in gone], new_id, now)
        issued = None
        if new is None and not await db.fetchval(LIVE, row["id"]):
            # Nothing would open the ticket any more: it gets a code again.
            issued = await self._life.issue(db, coder, row, "lost", now)
        if gone:
            detail = {"lost": len(gone), "code_id": new_id}
            await self._tell(db, doer, row, "media.lost", detail, now, body.reason)
        return MediumAnswer(
            row["id"],
            new.hint if new else issued.hint if issued else "",
            new is not None,
            not gone,
            len(gone),
            issued.text if issued else None,
        )

    async def _replaced(self, db: Any, known: Any, new: Code | None) -> bool:
        """Whether a band is dead, and not by the band that is offered now."""
        if known["revoked_at"] is None:
            return False
        given = await db.fetchval(SUCCESSOR, known["id"])
        return new is not None and given != new.hash

    async def bind_list(
        self, caller: Caller, event_id: UUID, body: ListBody
    ) -> ListAnswer:
        """Bind or stock each row on its own; a bad one stops no other."""
        doer = await self._house.doer(caller, event_id)
        results, bound, stocked = [], 0, 0
        for at, row in enumerate(body.media):
            try:
                medium = await self._list_row(doer, event_id, row, body.exchange)
            except ApiError as error:
                problem = RowProblem(error.code, error.detail)
                results.append(RowAnswer(at, error=problem))
                continue
            bound += medium.bound
            stocked += not medium.bound
            results.append(RowAnswer(at, medium))
        bad = len(results) - bound - stocked
        return ListAnswer(results, bound, stocked, bad)

    async def _list_row(
        self, doer: Doer, event_id: UUID, row: ListRow, exchange: bool
    ) -> MediumAnswer:
        code = self._medium(row.code)
        now = self._house.clock.now()
        made = await self._house.database.pool.fetchval(
            STOCK, uuid7(), event_id, code.hash, code.hint, row.kind, now
        )
        if row.ticket_id is None and row.ticket_code is None:
            return MediumAnswer(None, code.hint, False, made is None)
        body = BindBody(
            ticket_id=row.ticket_id,
            ticket_code=row.ticket_code,
            code=row.code,
            exchange=exchange,
        )
        ticket = self._ticket_code(row.ticket_code)
        return await self._house.once(
            partial(self._bind, doer, event_id, code, body, ticket)
        )

    def _medium(self, text: str) -> Code:
        code = self._house.code(text, "bad_medium")
        if code.own:
            raise Unprocessable(
                "This is a code of ours, not a band.", code="own_code_is_no_medium"
            )
        exact, tag = code.key[:16], code.key[16:]
        if not tag:
            return code
        # A tag's UID is one medium, whatever reader spelled it.
        digits = re.sub("[^0-9A-F]", "", code.text.upper())
        return code._replace(hash=tag, key=tag + exact, hint=f"…{digits[-4:]}")

    def _ticket_code(self, text: str | None) -> Code | None:
        if text is None:
            return None
        return self._house.code(text, "malformed_code")

    async def _locked(
        self, db: Any, event_id: UUID, ticket_id: UUID | None, by: Code | None
    ) -> Any:
        """The ticket, locked; by its id or by a live code of it."""
        if ticket_id is None:
            if by is None:
                raise Unprocessable("Name a ticket.", code="ticket_missing")
            found = await db.fetchrow(FIND, event_id, by.key)
            if found is None:
                raise NotFound("No ticket has this code.", code="unknown_code")
            if found["revoked_at"] is not None:
                raise Unprocessable(
                    "This code is dead.", code=found["revoked_reason"] or "reissued"
                )
            ticket_id = found["ticket_id"]
        row = await locked(db, ticket_id)
        if row is None or row["event_id"] != event_id:
            raise NotFound("There is no such ticket.", code="ticket_not_found")
        if row["state"] != "valid":
            raise Unprocessable(
                f"This ticket is {row['state']}.", code="ticket_not_valid"
            )
        return row

    async def _tell(
        self,
        db: Any,
        doer: Doer,
        row: Any,
        action: str,
        detail: dict[str, Any],
        now: datetime,
        reason: str | None = None,
    ) -> None:
        await self._house.auditor.record(
            db,
            Entry(
                doer.actor,
                action,
                "tickets",
                row["id"],
                row["event_id"],
                after={"reason": reason} if reason else None,
                detail={**doer.named(), **detail},
            ),
        )
        more = {"ticket_id": str(row["id"]), "act": action}
        await db.execute(TELL, row["event_id"], "ticket_changed", now, more)
