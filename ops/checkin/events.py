"""Reading an event with its places, and the figures of occupancy.

All figures are people (door.md). They are read from PostgreSQL, so they are what the
live figures must agree with.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from ops.admission.days import EventDays
from ops.admission.figures import Figures, Sold, figures, parse_counters
from ops.db.engine import Database
from ops.errors import NotFound

_EVENT = """
SELECT e.id, e.title, e.slug, e.event_type, e.status, e.doors_state, e.timezone,
       e.starts_at, e.ends_at, e.doors_open_at, e.admission_opens_at,
       e.admission_closes_at, e.capacity, e.languages, e.currency, e.show_rate,
       e.description, e.venue_id, e.day_starts_at, v.name AS venue,
       e.xmin::text AS etag
  FROM events e LEFT JOIN venues v ON v.id = e.venue_id
"""

ONE: Final = _EVENT + " WHERE e.id = $1"

AREAS: Final = """
SELECT id, name, kind, parent_id, capacity, limit_kind, inside, manual, disputed,
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

COUNTERS: Final = "SELECT name, value FROM ops.counters_v1($1)"

SOLD: Final = """
SELECT y.no, y.access_class = 'guest' AS guest,
       coalesce(sum(t.admits) FILTER (
         WHERE t.state IN ('valid', 'blocked', 'expired')), 0)::int AS sold,
       round(coalesce(sum(t.admits) FILTER (
         WHERE t.state = 'valid'), 0) * e.show_rate)::int AS expected
  FROM ticket_types y JOIN events e ON e.id = y.event_id
  LEFT JOIN tickets t ON t.ticket_type_id = y.id AND t.access_class = 'guest'
 WHERE y.event_id = $1 GROUP BY y.id, e.show_rate
"""

VENUE: Final = """
SELECT s.no, s.area_id, a.no AS area_no,
       ARRAY(SELECT g.no FROM ops.gates g WHERE g.area_id = s.area_id) AS gates,
       (SELECT count(DISTINCT coalesce(l.ticket_id::text, l.code_hash::text))
          FROM ops.scan_log l WHERE l.event_id = $1 AND l.verdict = 'refused'
           AND NOT l.args ? 'just_now') AS refused_people
  FROM (SELECT $1::uuid AS event_id) AS one
  LEFT JOIN ops.scopes s ON s.event_id = one.event_id AND s.kind = 'venue'
  LEFT JOIN ops.areas a ON a.id = s.area_id
 ORDER BY s.no LIMIT 1
"""


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
    figures: Figures
    areas: Sequence[Any]
    scopes: Sequence[Any]
    at: datetime


class Events:
    """Reads events; each call takes one connection and a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
            counters = await db.fetch(COUNTERS, event_id)
            sold = await db.fetch(SOLD, event_id)
            (venue,) = await db.fetch(VENUE, event_id)
            areas = await db.fetch(AREAS, event_id)
            scopes = await db.fetch(SCOPES, event_id)
        counted = {row["name"].encode(): row["value"] for row in counters}
        days = EventDays(event["timezone"], event["day_starts_at"])
        told = figures(
            parse_counters(counted),
            [Sold(**dict(row)) for row in sold],
            venue_no=venue["no"],
            venue_areas=[venue["area_no"]] if venue["area_no"] is not None else [],
            venue_gates=venue["gates"] or [],
            today=days.number(now),
            over=now >= event["ends_at"],
            refused_people=venue["refused_people"],
        )
        return OccupancyRows(event, told, areas, scopes, now)
