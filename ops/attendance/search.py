"""Finding people: the stewards' search, and the look-up of a kiosk.

A steward finds by what a guest says of himself; each search is written down and limited
by device or person. A kiosk, which a guest works, finds one person exactly or nobody,
and shows a first name and an initial.
"""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.attendance.acting import Caller, House
from ops.audit.entry import Entry
from ops.auth.limiter import RateLimiter, Rule
from ops.auth.subjects import DeviceIdentity
from ops.errors import FieldProblem, Forbidden, Unprocessable

BEST: Final = 10
LONGEST: Final = 100
SEARCH_BY_CALLER: Final = Rule("search", 2, 30)
"""Somebody who types; whoever copies a guest list is stopped after 30."""
LOOKUP_BY_DEVICE: Final = Rule("lookup", 1 / 60, 5)
"""Five tries of a kiosk; each that found somebody is given back."""

SEARCH: Final = """
SELECT s.found, a.id AS attendee_id, a.first_name, a.last_name, a.company, a.email,
       right(regexp_replace(coalesce(a.phone, ''), '\\D', '', 'g'), 4) AS phone_end,
       a.flags, t.ticket_id, t.state, t.type, t.code_hint, t.order_number, t.inside
  FROM ops.search_attendees_v1($1, $2, $3) WITH ORDINALITY AS s (attendee_id, found, at)
  JOIN attendees a ON a.id = s.attendee_id
  LEFT JOIN LATERAL (
      SELECT t.id AS ticket_id, t.state, k.name AS type, o.order_number,
             (SELECT c.hint FROM ops.ticket_codes c WHERE c.ticket_id = t.id
                 AND c.revoked_at IS NULL ORDER BY c.issued_at DESC LIMIT 1)
                 AS code_hint,
             EXISTS (SELECT FROM check_ins ci WHERE ci.ticket_id = t.id
                 AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL) AS inside
        FROM tickets t JOIN ticket_types k ON k.id = t.ticket_type_id
        LEFT JOIN orders o ON o.id = coalesce(t.order_id, a.order_id)
       WHERE t.attendee_id = a.id ORDER BY t.created_at, t.id LIMIT 5) AS t ON true
 ORDER BY s.at
"""
BY_EMAIL: Final = """
SELECT t.id, a.first_name, a.last_name FROM attendees a
  JOIN tickets t ON t.attendee_id = a.id AND t.state IN ('valid', 'unpaid', 'pending')
 WHERE a.event_id = $1 AND a.email = $2 AND ops.fold(a.last_name) = ops.fold($3) LIMIT 2
"""
BY_ORDER: Final = """
SELECT t.id, a.first_name, a.last_name FROM orders o
  JOIN tickets t ON t.order_id = o.id AND t.state IN ('valid', 'unpaid', 'pending')
  JOIN attendees a ON a.id = t.attendee_id
 WHERE o.event_id = $1 AND o.order_number = $2 AND ops.fold(a.last_name) = ops.fold($3)
 LIMIT 2
"""


class FoundTicket(msgspec.Struct, frozen=True):
    """A ticket of somebody who was found."""

    id: UUID
    state: str
    type: str
    code_hint: str | None
    order_number: str | None
    inside: bool


class Found(msgspec.Struct, frozen=True):
    """Somebody who was found."""

    attendee_id: UUID
    first_name: str
    last_name: str
    company: str | None
    email: str | None
    phone_end: str
    flags: list[str]
    tickets: list[FoundTicket]


class SearchAnswer(msgspec.Struct, frozen=True):
    """The best ten, and how many more there are (490: or more)."""

    items: list[Found]
    more: int


class LookupBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a guest types at a kiosk: the surname, and one thing that only he knows."""

    surname: Annotated[str, Meta(min_length=1, max_length=200, examples=["Ng"])]
    order_number: Annotated[str, Meta(max_length=100, examples=["A-1042"])] | None = (
        None
    )
    email: Annotated[str, Meta(max_length=320, examples=["kim@example.org"])] | None = (
        None
    )


class LookupMatch(msgspec.Struct, frozen=True):
    """One person: no full name; scan `ticket_id` with the method `manual`."""

    ticket_id: UUID
    first_name: str
    initial: str


class LookupAnswer(msgspec.Struct, frozen=True):
    """The one match, or none (several are none)."""

    match: LookupMatch | None


def searchable(text: str) -> str:
    """What was typed, if it is enough to look for.

    Three characters, or one whole name word of one or two (Ng, Wu, 李).

    Raises:
        Unprocessable: `query_too_short`.
    """
    typed = " ".join(unicodedata.normalize("NFC", text).split())
    letters = [sign for sign in typed if sign.isalnum()]
    short_word = typed.isalpha() and len(typed) <= 2
    signs = sum(not sign.isspace() for sign in typed)
    enough = signs >= 3 and len(letters) >= 2
    if not enough and not (letters and short_word):
        problem = FieldProblem(
            "q", "query_too_short", "Three characters, or one whole short name."
        )
        raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
    return typed


class Search:
    """Looks for people of one event."""

    def __init__(self, house: House, limiter: RateLimiter) -> None:
        self._house, self._limiter = house, limiter
        # A burst of searches must leave connections for those who act.
        self._at_once = asyncio.Semaphore(2)

    async def attendees(
        self, caller: Caller, event_id: UUID, text: str
    ) -> SearchAnswer:
        """The best ten.

        Raises:
            Forbidden: a kiosk or a sponsor's device.
            Unprocessable: too little was typed.
            TooManyRequests: too many searches.
        """
        subject = caller.subject
        if isinstance(subject, DeviceIdentity) and subject.profile != "scan":
            raise Forbidden("This device may not search; look up.", code="kiosk")
        typed = searchable(text)
        doer = await self._house.doer(caller, event_id)
        await self._limiter.take(SEARCH_BY_CALLER, str(doer.device_id or doer.user_id))
        async with self._at_once, self._house.database.pool.acquire() as db:
            rows = await db.fetch(SEARCH, event_id, typed, BEST)
            found = _gather(rows)
            total = rows[0]["found"] if rows else 0
            # How much was typed and found, never what: the log outlives the people.
            detail = {**doer.named(), "signs": len(typed), "found": total}
            entry = Entry(
                doer.actor,
                "attendees.search",
                "events",
                event_id,
                event_id,
                detail=detail,
            )
            await self._house.auditor.record(db, entry)
        return SearchAnswer(found, max(0, total - len(found)))

    async def look_up(
        self, device: DeviceIdentity, event_id: UUID, body: LookupBody
    ) -> LookupAnswer:
        """One person by surname and order number or e-mail, exactly; else nobody.

        Raises:
            Unprocessable: neither or both were sent.
            TooManyRequests: five tries found nobody.
        """
        if (body.order_number is None) == (body.email is None):
            problem = FieldProblem("email", "one_of", "An order number or an e-mail.")
            raise Unprocessable(problem.detail, code="one_of", errors=[problem])
        await self._limiter.take(LOOKUP_BY_DEVICE, str(device.id))
        query, key = BY_ORDER, (body.order_number or "").strip()
        if body.email is not None:
            email = unicodedata.normalize("NFC", body.email).strip().lower()
            query, key = BY_EMAIL, email
        rows = await self._house.database.pool.fetch(
            query, event_id, key, body.surname.strip()
        )
        if len(rows) != 1:
            return LookupAnswer(None)
        await self._limiter.take(LOOKUP_BY_DEVICE, str(device.id), -1)
        row = rows[0]
        return LookupAnswer(
            LookupMatch(row["id"], row["first_name"], row["last_name"][:1])
        )


def _gather(rows: list[Any]) -> list[Found]:
    """One entry a person, in the order of the rows; tickets beside."""
    people: dict[UUID, Found] = {}
    for row in rows:
        person = people.get(row["attendee_id"])
        if person is None:
            person = people[row["attendee_id"]] = Found(
                row["attendee_id"],
                row["first_name"],
                row["last_name"],
                row["company"],
                row["email"],
                row["phone_end"],
                row["flags"],
                [],
            )
        if row["ticket_id"] is not None:
            person.tickets.append(
                FoundTicket(
                    row["ticket_id"],
                    row["state"],
                    row["type"],
                    row["code_hint"],
                    row["order_number"],
                    row["inside"],
                )
            )
    return list(people.values())
