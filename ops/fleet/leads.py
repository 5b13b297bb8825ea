"""What sponsors' staff scan: a badge becomes a lead of that sponsor, never an entry.

One lead a person and sponsor; scanned again it is the same lead with one visit more.
What a sponsor sees of a person is the organiser's list of fields, as long as the person
has not withdrawn the consent `sponsor_sharing`: the first scan writes that consent (a
badge held out to be scanned is an express one), a withdrawal hides the fields from then
on, and whoever had withdrawn before is counted without a name.

Nothing here reads or writes a visit, a counter or the scan log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from ops.auth.subjects import DeviceIdentity
from ops.checkin import codes
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Conflict, NotFound
from ops.fleet import lead_queries as queries
from ops.ids import uuid7
from ops.listing import Start

Field = Literal["name", "company", "job_title", "email", "phone", "ticket_type"]
FIELDS_DEFAULT: Final[tuple[Field, ...]] = ("name", "company", "job_title")
EXPORT_MAX: Final = 20_000


class Recorded(NamedTuple):
    """What became of one reading; `lead` is None where nobody is named."""

    outcome: str
    replayed: bool
    lead: Any


class Stand(NamedTuple):
    """What a sponsor's phone must know, and its figures."""

    sponsor: str
    settings: dict[str, Any]
    figures: Any


class Leads:
    """Takes readings, keeps leads, shows a sponsor its own and nobody else's."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def record(
        self,
        device: DeviceIdentity,
        event_id: UUID,
        scan_id: UUID,
        code: str,
        at: datetime | None,
        extra: Mapping[str, Any],
    ) -> Recorded:
        """Take one reading; the second with its id gets the first one's answer.

        Args:
            extra: rating, notes, answers; what is not None replaces what was there.

        Raises:
            Conflict: the id was used by another device.
        """
        assert device.sponsor_id is not None, "the guard asks for it"
        sponsor_id, at = device.sponsor_id, at or self._clock.now()
        async with self._database.pool.acquire() as db, db.transaction():
            await db.execute(queries.ONE_AT_A_TIME, str(scan_id))
            before = await db.fetchrow(queries.SCAN, scan_id)
            if before is not None:
                if before["device_id"] != device.id:
                    raise Conflict("This id was used elsewhere.", code="id_reused")
                lead = await self._lead(db, before["lead_id"], sponsor_id)
                return Recorded(before["outcome"], True, lead)
            person = await self._person(db, event_id, code)
            if person is None:
                outcome, lead_id = "unknown", None
            elif person["opted_out"]:
                outcome, lead_id = "opted_out", None
            else:
                outcome, lead_id = await self._visit(
                    db, event_id, sponsor_id, person, at
                )
                await self._change(db, lead_id, sponsor_id, extra)
            await db.execute(
                queries.KEEP_SCAN,
                scan_id,
                event_id,
                sponsor_id,
                lead_id,
                device.id,
                outcome,
                at,
            )
            return Recorded(outcome, False, await self._lead(db, lead_id, sponsor_id))

    async def change(
        self, device: DeviceIdentity, lead_id: UUID, extra: Mapping[str, Any]
    ) -> Any:
        """Rating, notes and answers of one of the sponsor's own leads.

        Raises:
            NotFound: no such lead of this sponsor.
        """
        assert device.sponsor_id is not None, "the guard asks for it"
        async with self._database.pool.acquire() as db, db.transaction():
            await self._change(db, lead_id, device.sponsor_id, extra)
            row = await self._lead(db, lead_id, device.sponsor_id)
        if row is None:
            raise NotFound()
        return row

    async def page(
        self,
        event_id: UUID,
        sponsor_id: UUID,
        before: Start,
        limit: int,
    ) -> list[Any]:
        """At most `limit + 1` leads of a sponsor, the latest visit first."""
        return list(
            await self._database.pool.fetch(
                queries.LIST, event_id, sponsor_id, *before, limit + 1
            )
        )

    async def stand(self, event_id: UUID, sponsor_id: UUID) -> Stand:
        """The sponsor's name, what it may see, its questions and its figures.

        Raises:
            NotFound: no such sponsor of this event.
        """
        async with self._database.pool.acquire() as db:
            row = await db.fetchrow(queries.STAND, event_id, sponsor_id)
            if row is None:
                raise NotFound()
            figures = await db.fetchrow(queries.FIGURES, sponsor_id)
        return Stand(row["sponsor"], row["settings"] or {}, figures)

    async def configure(
        self, event_id: UUID, fields: list[Field], questions: list[dict[str, Any]]
    ) -> None:
        """What sponsors may see of a person, and what they ask.

        Raises:
            NotFound: no such event.
        """
        settings = {"fields": fields, "questions": questions}
        found = await self._database.pool.fetchval(
            queries.CONFIGURE, event_id, settings
        )
        if found is None:
            raise NotFound()

    async def _person(self, db: Any, event_id: UUID, code: str) -> Any:
        reading = codes.read(code)
        if isinstance(reading, codes.Malformed):
            return None
        hashed = codes.key(reading.text)
        return await db.fetchrow(queries.PERSON, event_id, hashed)

    async def _visit(
        self, db: Any, event_id: UUID, sponsor_id: UUID, person: Any, at: datetime
    ) -> tuple[str, UUID]:
        row = await db.fetchrow(
            queries.VISIT, uuid7(), event_id, sponsor_id, person["attendee_id"], at
        )
        new = row["visits"] == 1
        if new and person["contact_id"] is not None and not person["granted"]:
            await db.execute(
                queries.CONSENT, uuid7(), person["contact_id"], event_id, at
            )
        return ("lead" if new else "again"), row["id"]

    async def _change(
        self, db: Any, lead_id: UUID, sponsor_id: UUID, extra: Mapping[str, Any]
    ) -> None:
        if any(value is not None for value in extra.values()):
            await db.execute(
                queries.CHANGE,
                lead_id,
                sponsor_id,
                extra.get("rating"),
                extra.get("notes"),
                extra.get("answers"),
            )

    async def _lead(self, db: Any, lead_id: UUID | None, sponsor_id: UUID) -> Any:
        if lead_id is None:
            return None
        return await db.fetchrow(queries.ONE, lead_id, sponsor_id)


def shown(row: Any) -> dict[str, Any]:
    """A lead as its sponsor may see it: listed fields, none after a withdrawal."""
    settings = row["settings"] or {}
    fields = settings.get("fields", FIELDS_DEFAULT) if not row["withdrawn"] else ()
    return {
        "id": row["id"],
        "visits": row["visits"],
        "rating": row["rating"],
        "answers": row["answers"],
        "notes": row["notes"],
        "first_at": row["first_at"],
        "last_at": row["last_at"],
        "withdrawn": row["withdrawn"],
        "fields": {name: row[name] for name in fields if row[name]},
    }
