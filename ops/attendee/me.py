"""An attendee's own things: tickets, agenda with registrations, materials, profile."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.auth.subjects import Attendee
from ops.db.engine import Database
from ops.errors import FieldProblem, NotFound, Unprocessable

TEXT_LENGTH_MAX: Final = 200

WHO: Final = """
SELECT a.id, a.first_name, a.last_name, a.email, a.company, a.job_title, a.headline,
       coalesce(a.language, e.languages[1], 'en') AS language, a.networking_visible,
       a.accessibility_needs, a.status, EXISTS (
         SELECT FROM check_ins c WHERE c.attendee_id = a.id AND c.event_id = e.id
            AND c.undone_at IS NULL) AS was_in, e.id AS event_id, e.title, e.timezone,
       e.starts_at, e.ends_at, e.doors_open_at, e.status AS event_status,
       v.name AS venue
  FROM attendees a JOIN events e ON e.id = a.event_id
  LEFT JOIN venues v ON v.id = e.venue_id
 WHERE a.id = $1 AND a.event_id = $2
"""
TICKETS: Final = """
SELECT t.id, t.state, k.name AS type, k.ticket_category AS category, t.admits,
       t.seat_label AS seat, t.valid_from, t.valid_to
  FROM tickets t JOIN ticket_types k ON k.id = t.ticket_type_id
 WHERE t.attendee_id = $1 AND t.event_id = $2 ORDER BY t.created_at, t.id LIMIT 20
"""
AGENDA: Final = """
SELECT s.id, s.title, s.session_type AS type, ar.name AS room,
       s.start_time AS starts_at, s.end_time AS ends_at, s.status, s.door_mode AS mode,
       s.max_attendees AS capacity, s.registration_deadline, s.waitlist_enabled,
       coalesce(s.current_registrations, 0) AS registered,
       r.status AS mine, r.position,
       EXISTS (SELECT FROM check_ins c JOIN ops.scopes sc ON sc.id = c.scope_id
                WHERE sc.session_id = s.id AND c.attendee_id = $1
                  AND c.undone_at IS NULL) AS attended,
       EXISTS (SELECT FROM event_feedback f WHERE f.session_id = s.id
                  AND f.attendee_id = $1) AS answered
  FROM sessions s
  LEFT JOIN ops.areas ar ON ar.id = s.area_id
  LEFT JOIN LATERAL (
    SELECT r.status, r.position FROM ops.session_registrations r
      JOIN tickets t ON t.id = r.ticket_id
     WHERE r.session_id = s.id AND t.attendee_id = $1 AND r.status <> 'cancelled'
     ORDER BY r.status LIMIT 1) r ON true
 WHERE s.event_id = $2 ORDER BY s.start_time, s.id LIMIT 500
"""
MATERIALS: Final = """
SELECT m.id, m.title, m.description, m.material_type AS type, m.file_url, m.file_size,
       m.file_format, m.session_id, m.language, m.category
  FROM event_materials m
 WHERE m.event_id = $2 AND (
   m.access_level IN ('public', 'attendees_only')
   OR (m.access_level = 'speakers_only' AND EXISTS (
     SELECT FROM speakers s JOIN attendees a ON a.contact_id = s.contact_id
      WHERE s.event_id = $2 AND a.id = $1))
   OR (m.access_level = 'sponsors_only' AND EXISTS (
     SELECT FROM sponsors s JOIN attendees a ON a.contact_id = s.contact_id
      WHERE s.event_id = $2 AND a.id = $1)))
 ORDER BY m.category NULLS LAST, m.title, m.id LIMIT 500
"""
SAVE: Final = """
UPDATE attendees SET company = $3, job_title = $4, headline = $5, language = $6,
       networking_visible = $7, accessibility_needs = $8
 WHERE id = $1 AND event_id = $2
"""


class Me(msgspec.Struct, frozen=True):
    """The person and the event; times are UTC."""

    id: UUID
    first_name: str
    last_name: str
    email: str | None
    company: str | None
    job_title: str | None
    headline: str | None
    language: str
    networking_visible: bool
    accessibility_needs: str | None
    status: str
    was_in: bool
    event_id: UUID
    title: str
    timezone: str
    starts_at: datetime
    ends_at: datetime
    doors_open_at: datetime | None
    event_status: str
    venue: str | None


class MyTicket(msgspec.Struct, frozen=True):
    """One of the person's tickets."""

    id: UUID
    state: str
    type: str
    category: str | None
    admits: int
    seat: str | None
    valid_from: datetime | None
    valid_to: datetime | None


class MySession(msgspec.Struct, frozen=True):
    """A session, and what this person has to do with it."""

    id: UUID
    title: str
    type: str | None
    room: str | None
    starts_at: datetime
    ends_at: datetime
    status: str | None
    mode: str
    capacity: int | None
    registration_deadline: datetime | None
    waitlist_enabled: bool | None
    registered: int
    mine: str | None
    position: int | None
    attended: bool
    answered: bool


class MyMaterial(msgspec.Struct, frozen=True):
    """Something to read, at this person's level of access."""

    id: UUID
    title: str
    description: str | None
    type: str | None
    file_url: str | None
    file_size: int | None
    file_format: str | None
    session_id: UUID | None
    language: str | None
    category: str | None


class Profile(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What people may change of themselves; names belong to the ticket (transfer)."""

    company: str | msgspec.UnsetType | None = msgspec.UNSET
    job_title: str | msgspec.UnsetType | None = msgspec.UNSET
    headline: str | msgspec.UnsetType | None = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET
    networking_visible: bool | msgspec.UnsetType = msgspec.UNSET
    accessibility_needs: str | msgspec.UnsetType | None = msgspec.UNSET


OWNED: Final = """
SELECT t.id FROM tickets t
 WHERE t.attendee_id = $1 AND t.event_id = $2 AND ($3::uuid IS NULL OR t.id = $3)
 ORDER BY (t.state = 'valid') DESC, t.created_at, t.id LIMIT 1
"""


class Mine:
    """Reads and changes a person's own things; one or two statements a call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def me(self, who: Attendee) -> tuple[Me, list[MyTicket]]:
        """The person with their tickets."""
        pool = self._database.pool
        row = await pool.fetchrow(WHO, who.attendee_id, who.event_id)
        assert row is not None  # the token's own attendee, found by the middleware
        tickets = await pool.fetch(TICKETS, who.attendee_id, who.event_id)
        return (
            msgspec.convert(dict(row), Me),
            [msgspec.convert(dict(ticket), MyTicket) for ticket in tickets],
        )

    async def agenda(self, who: Attendee) -> list[MySession]:
        """The programme by start."""
        rows = await self._read(AGENDA, who)
        return [msgspec.convert(dict(row), MySession) for row in rows]

    async def materials(self, who: Attendee) -> list[MyMaterial]:
        """What this person may read."""
        rows = await self._read(MATERIALS, who)
        return [msgspec.convert(dict(row), MyMaterial) for row in rows]

    async def ticket(self, who: Attendee, ticket_id: UUID | None = None) -> UUID:
        """The person's ticket of this id, or the one to use.

        Raises:
            NotFound: the person has no such ticket.
        """
        found: UUID | None = await self._database.pool.fetchval(
            OWNED, who.attendee_id, who.event_id, ticket_id
        )
        if found is None:
            raise NotFound("You have no such ticket.", code="ticket_not_found")
        return found

    async def save(self, who: Attendee, changes: Profile) -> Me:
        """Change the profile; fields that are not named stay.

        Raises:
            Unprocessable: a text is too long, or the language is not spoken here.
        """
        found, _ = await self.me(who)
        merged = {**msgspec.to_builtins(found), **msgspec.to_builtins(changes)}
        problems = [
            FieldProblem(name, "too_long", f"{TEXT_LENGTH_MAX} characters at most.")
            for name in ("company", "job_title", "headline", "accessibility_needs")
            if len(merged[name] or "") > TEXT_LENGTH_MAX
        ]
        if merged["language"] not in ("en", "fr"):
            problems.append(FieldProblem("language", "unknown", "en or fr."))
        if problems:
            raise Unprocessable(
                "The profile cannot be kept like this.",
                code="invalid_profile",
                errors=problems,
            )
        await self._database.pool.execute(
            SAVE,
            *(who.attendee_id, who.event_id, merged["company"], merged["job_title"]),
            *(merged["headline"], merged["language"], merged["networking_visible"]),
            merged["accessibility_needs"],
        )
        return (await self.me(who))[0]

    async def _read(self, statement: str, who: Attendee) -> list[Any]:
        rows: list[Any] = await self._database.pool.fetch(
            statement, who.attendee_id, who.event_id
        )
        return rows
