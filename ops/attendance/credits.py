"""Credit minutes: who was in a session, for how long, and whether that is enough.

Presence is clipped to the session's start and end and summed over visits. An exit that
nobody saw (assumed) and a visit still open count up to the end, never beyond, and mark
the line. What a device brought afterwards counts by the times of its door, not by that
of its upload.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.attendance.acting import House
from ops.errors import NotFound

SHARE_DEFAULT: Final = 80
CHUNK_ROWS: Final = 1_000

# $1 event, $2 session or null, $3 now, $4 share in percent, $5.. where the page begins.
_LINES: Final = """
WITH seen AS (
    SELECT ci.ticket_id, ci.person_no, s.id AS session_id, s.title, s.start_time,
           s.end_time, min(coalesce(ci.door_time, ci.checked_in_at)) AS first_in,
           count(*) AS visits,
           bool_or(ci.exit_assumed OR ci.checked_out_at IS NULL) AS assumed,
           sum(greatest(interval '0',
               least(coalesce(ci.exit_door_time, ci.checked_out_at, $3), s.end_time, $3)
               - greatest(coalesce(ci.door_time, ci.checked_in_at), s.start_time)))
             AS stayed
      FROM sessions s
      JOIN ops.scopes c ON c.session_id = s.id
      JOIN check_ins ci ON ci.scope_id = c.id AND ci.undone_at IS NULL
     WHERE s.event_id = $1 AND ($2::uuid IS NULL OR s.id = $2)
       AND ($5::uuid IS NULL OR (ci.ticket_id, ci.person_no) > ($5, $6))
     GROUP BY s.id, ci.ticket_id, ci.person_no
     ORDER BY ci.ticket_id, ci.person_no, s.start_time, s.id LIMIT $7
)
SELECT x.ticket_id, x.person_no, x.session_id, x.title, x.visits, x.assumed, x.first_in,
       concat_ws(' ', nullif(a.first_name, ''), nullif(a.last_name, '')) AS holder,
       a.email, a.company,
       floor(extract(epoch FROM x.stayed) / 60)::int AS minutes,
       ceil(extract(epoch FROM x.end_time - x.start_time) / 60)::int AS session_minutes,
       extract(epoch FROM x.stayed) * 100
           >= extract(epoch FROM x.end_time - x.start_time) * $4 AS credit
  FROM seen x JOIN tickets t ON t.id = x.ticket_id
  LEFT JOIN attendees a ON a.id = t.attendee_id
 ORDER BY x.ticket_id, x.person_no, x.start_time, x.session_id
"""
_ALL_ROWS: Final = 2_000_000
_SESSION: Final = "SELECT true FROM sessions WHERE id = $1 AND event_id = $2"
COLUMNS: Final = (
    "session",
    "name",
    "email",
    "company",
    "ticket_id",
    "person",
    "first_in",
    "visits",
    "minutes",
    "session_minutes",
    "assumed",
    "credit",
)


class CreditLine(msgspec.Struct, frozen=True):
    """One person in one session; `assumed`: an exit was not seen."""

    ticket_id: UUID
    person_no: int
    session_id: UUID
    title: str
    holder: str
    email: str | None
    company: str | None
    first_in: datetime
    visits: int
    minutes: int
    session_minutes: int
    assumed: bool
    credit: bool


class Credits:
    """Reads the report."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def page(
        self,
        event_id: UUID,
        session_id: UUID,
        share: int,
        after: tuple[UUID | None, int],
        limit: int,
    ) -> list[CreditLine]:
        """At most `limit + 1` people of a session, by ticket.

        Raises:
            NotFound: no such session.
        """
        pool = self._house.database.pool
        if not await pool.fetchval(_SESSION, session_id, event_id):
            raise NotFound("There is no such session.", code="session_not_found")
        now = self._house.clock.now()
        rows = await pool.fetch(
            _LINES, event_id, session_id, now, share, *after, limit + 1
        )
        return [_line(row) for row in rows]

    async def as_csv(
        self, event_id: UUID, session_id: UUID | None, share: int
    ) -> AsyncIterator[bytes]:
        """All lines of an event or session as CSV, a thousand rows at a time."""
        now = self._house.clock.now()
        yield csv_line(COLUMNS)
        async with (
            self._house.database.pool.acquire() as db,
            db.transaction(readonly=True),
        ):
            rows = db.cursor(
                _LINES,
                event_id,
                session_id,
                now,
                share,
                None,
                0,
                _ALL_ROWS,
                prefetch=CHUNK_ROWS,
            )
            async for row in rows:
                yield csv_line(
                    (
                        row["title"],
                        row["holder"],
                        row["email"],
                        row["company"],
                        row["ticket_id"],
                        row["person_no"],
                        row["first_in"].isoformat(),
                        row["visits"],
                        row["minutes"],
                        row["session_minutes"],
                        "yes" if row["assumed"] else "no",
                        "yes" if row["credit"] else "no",
                    )
                )


def csv_line(values: Any) -> bytes:
    """A line of a CSV file that no spreadsheet takes for formulas."""
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(value) for value in values])
    return out.getvalue().encode()


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value


def _line(row: Any) -> CreditLine:
    return CreditLine(*(row[name] for name in CreditLine.__struct_fields__))
