"""Reads a day report: the figures as every screen has them, then one snapshot."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from ops.checkin.events import Events
from ops.clock import Clock
from ops.db.engine import Database
from ops.reports import statements
from ops.reports.day import (
    Announcement,
    Conflict,
    ConflictLine,
    Day,
    DayReport,
    Gate,
    Incident,
    Kind,
    Minute,
    Refusal,
    Session,
)
from ops.reports.files import as_csv, as_pdf
from ops.texts import Texts

PARTS: dict[str, tuple[str, Any]] = {
    "days": (statements.DAYS, Day),
    "curve": (statements.CURVE, Minute),
    "gates": (statements.GATES, Gate),
    "types": (statements.TYPES, Kind),
    "sessions": (statements.SESSIONS, Session),
    "refusals": (statements.REFUSALS, Refusal),
    "conflicts": (statements.CONFLICTS, Conflict),
    "conflict_list": (statements.CONFLICT_LIST, ConflictLine),
    "announcements": (statements.ANNOUNCEMENTS, Announcement),
    "incidents": (statements.INCIDENTS, Incident),
}


class DayReports:
    """Makes reports; seventeen statements each, whatever the size of the event."""

    def __init__(
        self, database: Database, events: Events, texts: Texts, clock: Clock
    ) -> None:
        self._database, self._events = database, events
        self._texts, self._clock = texts, clock

    async def make(self, event_id: UUID) -> DayReport:
        """The report as of now.

        Raises:
            NotFound: there is no such event.
        """
        found = await self._events.occupancy(event_id, self._clock.now())
        async with (
            self._database.pool.acquire() as db,
            db.transaction(isolation="repeatable_read", readonly=True),
        ):
            peak = await db.fetchval(statements.PEAK, event_id)
            parts = {
                name: [kind(**dict(row)) for row in await db.fetch(statement, event_id)]
                for name, (statement, kind) in PARTS.items()
            }
        event = found.event
        return DayReport(
            event=event["title"],
            timezone=event["timezone"],
            starts_at=event["starts_at"],
            ends_at=event["ends_at"],
            capacity=event["capacity"],
            at=found.at,
            figures=found.figures,
            peak_inside=peak,
            **parts,
        )

    async def csv(self, event_id: UUID) -> bytes:
        """As CSV.

        Raises:
            NotFound: there is no such event.
        """
        return await asyncio.to_thread(as_csv, await self.make(event_id))

    async def pdf(self, event_id: UUID, language: str) -> bytes:
        """As PDF.

        Raises:
            NotFound: there is no such event.
        """
        report = await self.make(event_id)
        return await asyncio.to_thread(as_pdf, report, self._texts, language[:2])
