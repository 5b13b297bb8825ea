"""Reading events: the list, one with its places, and the figures of occupancy.

All figures are people (door.md). They are read from PostgreSQL, so they are what the
live figures must agree with.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from ops.db.engine import Database
from ops.errors import NotFound
from ops.listing import Position

_EVENT = """
SELECT e.id, e.title, e.slug, e.event_type, e.status, e.doors_state, e.timezone,
       e.starts_at, e.ends_at, e.doors_open_at, e.admission_opens_at,
       e.admission_closes_at, e.capacity, e.languages, e.currency, e.show_rate,
       e.description, e.venue_id, v.name AS venue
  FROM events e LEFT JOIN venues v ON v.id = e.venue_id
"""

LIST: Final = (
    _EVENT
    + """
 WHERE ($1::uuid[] IS NULL OR e.id = ANY($1))
   AND ($2::timestamptz IS NULL OR (e.starts_at, e.id) < ($2, $3))
 ORDER BY e.starts_at DESC, e.id DESC
 LIMIT $4
"""
)
"""Newest first; $1 null means all events."""

ONE: Final = _EVENT + " WHERE e.id = $1"

AREAS: Final = """
SELECT id, name, kind, parent_id, capacity, limit_kind, inside, manual,
       overflow_area_id
  FROM ops.areas WHERE event_id = $1 ORDER BY position, name, id LIMIT 500
"""

GATES: Final = """
SELECT id, name, area_id, session_id, direction, state, use_instead_id
  FROM ops.gates WHERE event_id = $1 ORDER BY position, name, id LIMIT 500
"""

SCOPES: Final = """
SELECT s.id, s.name, s.kind, s.area_id, s.parent_id, s.session_id,
       coalesce(s.capacity, a.capacity) AS capacity,
       coalesce(s.limit_kind, a.limit_kind) AS limit_kind,
       s.inside, s.tracks_exits, s.re_entry, s.passes_total, s.opens_at, s.closes_at
  FROM ops.scopes s LEFT JOIN ops.areas a ON a.id = s.area_id
 WHERE s.event_id = $1 ORDER BY s.no LIMIT 2000
"""

TYPES: Final = """
SELECT id, name, ticket_category AS category, access_class, admits, price, currency,
       status
  FROM ticket_types WHERE event_id = $1 ORDER BY no LIMIT 500
"""

SESSIONS: Final = """
SELECT s.id, s.title, s.session_type AS type, s.area_id, a.name AS room,
       s.start_time AS starts_at, s.end_time AS ends_at, s.check_in_opens,
       s.check_in_closes, s.max_attendees AS capacity, s.door_mode AS mode, s.status
  FROM sessions s LEFT JOIN ops.areas a ON a.id = s.area_id
 WHERE s.event_id = $1 ORDER BY s.start_time, s.id LIMIT 2000
"""

FIGURES: Final = """
WITH e AS (
  SELECT ev.*, ((now() AT TIME ZONE ev.timezone) - ev.day_starts_at::interval)::date
                 + ev.day_starts_at AS day
    FROM events ev WHERE ev.id = $1
), sold AS (
  SELECT coalesce(sum(kind.sold), 0)::bigint AS people,
         coalesce(sum(kind.expected), 0)::bigint AS expected
    FROM (SELECT sum(t.admits) AS sold,
                 round(coalesce(sum(t.admits) FILTER (WHERE t.state = 'valid'), 0)
                       * e.show_rate) AS expected
            FROM tickets t CROSS JOIN e
           WHERE t.event_id = $1 AND t.access_class = 'guest'
             AND t.state IN ('valid', 'blocked', 'expired')
           GROUP BY t.ticket_type_id, e.show_rate) AS kind
), visits AS (
  SELECT c.ticket_id, c.person_no, count(*) AS passes,
         count(*) FILTER (
           WHERE c.checked_out_at IS NOT NULL AND NOT c.exit_assumed) AS exits,
         bool_or(c.checked_out_at IS NULL) AS inside,
         bool_or(c.checked_in_at >= (e.day AT TIME ZONE e.timezone)) AS today,
         bool_or(t.access_class = 'guest') AS guest
    FROM check_ins c
    JOIN ops.scopes s ON s.id = c.scope_id AND s.kind = 'venue'
    JOIN tickets t ON t.id = c.ticket_id
    CROSS JOIN e
   WHERE s.event_id = $1 AND c.undone_at IS NULL
   GROUP BY c.ticket_id, c.person_no
), entered AS (
  SELECT count(*) AS people, count(*) FILTER (WHERE today) AS today,
         count(*) FILTER (WHERE inside) AS inside,
         coalesce(sum(passes - 1), 0)::bigint AS re_entries,
         coalesce(sum(exits), 0)::bigint AS exits,
         count(*) FILTER (WHERE guest) AS guests
    FROM visits
), counted AS (
  SELECT coalesce(sum(a.manual), 0)::bigint AS people FROM ops.areas a
   WHERE a.event_id = $1 AND a.kind = 'venue'
), refused AS (
  SELECT count(*) AS attempts,
         count(DISTINCT coalesce(l.ticket_id::text, l.code_hash::text)) AS people
    FROM ops.scan_log l
   WHERE l.event_id = $1 AND l.verdict = 'refused' AND NOT l.args ? 'just_now'
)
SELECT sold.people AS sold, sold.expected, entered.people AS entered,
       entered.today AS entered_today, entered.inside + counted.people AS inside,
       counted.people AS counted, entered.re_entries, entered.exits,
       CASE WHEN now() >= e.ends_at
            THEN greatest(sold.expected - entered.guests, 0)
       END AS no_show,
       refused.attempts AS refused_attempts, refused.people AS refused_people
  FROM e, sold, entered, counted, refused
"""
"""One row. inside is people present by scan plus people counted without ticket;
no_show is null before the end; a re-entry is a further pass of a person; a second
reading of a code just admitted is no refusal."""


class EventRows(NamedTuple):
    """An event with everything a page or a device draws its plan from."""

    event: Any
    areas: Sequence[Any]
    gates: Sequence[Any]
    scopes: Sequence[Any]
    types: Sequence[Any]
    sessions: Sequence[Any]


class OccupancyRows(NamedTuple):
    """Figures of the event, and the places with people in them."""

    event: Any
    figures: Any
    areas: Sequence[Any]
    scopes: Sequence[Any]
    at: datetime


class Events:
    """Reads events; each call takes one connection and a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, only: list[UUID] | None, after: Position | None, limit: int
    ) -> list[Any]:
        """At most `limit + 1` events, newest first; `only` None means all."""
        return list(
            await self._database.pool.fetch(
                LIST,
                only,
                after.at if after else None,
                after.id if after else None,
                limit + 1,
            )
        )

    async def one(self, event_id: UUID) -> EventRows:
        """An event with its areas, gates, scopes, ticket types and sessions.

        Raises:
            NotFound: there is no such event.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            event = await db.fetchrow(ONE, event_id)
            if event is None:
                raise NotFound()
            rows = [
                await db.fetch(statement, event_id)
                for statement in (AREAS, GATES, SCOPES, TYPES, SESSIONS)
            ]
        return EventRows(event, *rows)

    async def occupancy(self, event_id: UUID, now: datetime) -> OccupancyRows:
        """The figures of an event from one snapshot.

        Raises:
            NotFound: there is no such event.
        """
        async with (
            self._database.pool.acquire() as db,
            db.transaction(isolation="repeatable_read", readonly=True),
        ):
            event = await db.fetchrow(ONE, event_id)
            if event is None:
                raise NotFound()
            figures = await db.fetchrow(FIGURES, event_id)
            areas = await db.fetch(AREAS, event_id)
            scopes = await db.fetch(SCOPES, event_id)
        return OccupancyRows(event, figures, areas, scopes, now)
