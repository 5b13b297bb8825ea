"""The report of an emergency: what was done when, who was where, who was missing.

It is made from the rows as they are: while the emergency is open it says how far it has
come, afterwards it stays the same but for names that were erased.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from ops.db.engine import Database
from ops.emergency import statements
from ops.emergency.printing import Happened, Line, Reached, Report, printed
from ops.emergency.rollcall import HeadCount, OnShift, Place, by_area, totals
from ops.emergency.rolls import PEOPLE_MAX, inside_of
from ops.errors import NotFound
from ops.listing import Start
from ops.texts import Texts

LINES_MAX: Final = 5_000
TOLD: Final = ("staff_announcement_id", "announcement_id", "clear_announcement_id")
STEPS: Final = (
    "started_at",
    "stopped_at",
    "frozen_at",
    "published_at",
    "cleared_at",
    "reopened_at",
    "closed_at",
)

INCIDENTS: Final = """
SELECT i.started_at AS at, i.kind, i.summary, i.state, a.name AS area
  FROM ops.incidents i LEFT JOIN ops.areas a ON a.id = i.area_id
 WHERE i.event_id = $1 AND i.started_at >= $2
   AND ($3::timestamptz IS NULL OR i.started_at <= $3)
 ORDER BY i.started_at, i.id LIMIT 500
"""
REACHED: Final = """
SELECT e.id, e.title, e.sent_at, coalesce(e.audience_count, 0) AS counted,
       coalesce(e.delivery_count, 0) AS delivered, coalesce(e.open_count, 0) AS opened
  FROM event_announcements e WHERE e.id = ANY($1::uuid[]) ORDER BY e.sent_at, e.id
"""
EVENT: Final = "SELECT title, timezone FROM events WHERE id = $1"


class Reports:
    """Reads reports and prints them."""

    def __init__(self, database: Database, texts: Texts) -> None:
        self._database, self._texts = database, texts

    async def page(self, event_id: UUID, start: Start, limit: int) -> list[Any]:
        """Emergencies of an event, newest first, one more than `limit`."""
        rows: list[Any] = await self._database.pool.fetch(
            statements.PAGE,
            event_id,
            *start,
            limit + 1,
        )
        return rows

    async def make(self, event_id: UUID, emergency_id: UUID) -> Report:
        """The report; ten statements.

        Raises:
            NotFound: the event had no such emergency.
        """
        pool = self._database.pool
        row = await pool.fetchrow(statements.ONE, event_id, emergency_id)
        if row is None:
            raise NotFound("The event had no such emergency.", code="emergency_unknown")
        event = await pool.fetchrow(EVENT, event_id)
        assert event is not None  # an emergency goes with its event
        key = row["id"]
        told = [row[name] for name in TOLD if row[name]]
        names = (*STEPS, "id", "drill", "reason")
        returned = await pool.fetchrow(statements.RETURNED, key)
        assert returned is not None  # an aggregate always has one row
        away = returned["listed"] - returned["returned"]
        return Report(
            **{name: row[name] for name in names},
            **await self._people(key),
            **await self._devices(row),
            event=event["title"],
            timezone=event["timezone"],
            place=row["area"] or row["gate"],
            texts=_of(await pool.fetch(REACHED, told), Reached),
            returned=returned["returned"],
            not_returned=away if row["reopened_at"] else 0,
            incidents=_of(
                await pool.fetch(
                    INCIDENTS, event_id, row["started_at"], row["closed_at"]
                ),
                Happened,
            ),
            log=_of(await pool.fetch(statements.LINES, key, 0, LINES_MAX), Line),
        )

    async def _people(self, key: UUID) -> dict[str, Any]:
        """The list as it was frozen, and who of it is safe by now."""
        pool = self._database.pool
        rows = await pool.fetch(statements.INSIDE_THEN, key, PEOPLE_MAX)
        people = [inside_of(one) for one in rows]
        places = _of(await pool.fetch(statements.AREAS_THEN, key), Place)
        staff = _of(await pool.fetch(statements.STAFF_THEN, key), OnShift)
        areas = by_area(people, places)
        return {
            "areas": areas,
            "staff": staff,
            "totals": totals(areas, people, staff),
            "missing": [one for one in people if one.safe_at is None],
            "counts": _of(await pool.fetch(statements.COUNTS, key), HeadCount),
        }

    async def _devices(self, row: Any) -> dict[str, Any]:
        devices = await self._database.pool.fetch(
            statements.DEVICES,
            *(row["event_id"], row["staff_announcement_id"]),
            row["stopped_at"] or row["started_at"],
        )
        away = [
            one["name"] for one in devices if not (one["heard"] or one["understood_at"])
        ]
        return {"devices": len(devices), "unconfirmed": away}

    async def pdf(self, event_id: UUID, emergency_id: UUID, language: str) -> bytes:
        """The report on paper; drawn in a thread.

        Raises:
            NotFound: the event had no such emergency.
        """
        report = await self.make(event_id, emergency_id)
        return await asyncio.to_thread(printed, report, self._texts, language[:2])


def _of(rows: Sequence[Any], kind: Any) -> Any:
    names = kind.__struct_fields__
    return [kind(**{name: row[name] for name in names}) for row in rows]
