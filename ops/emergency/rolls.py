"""The roll-call as it is read and marked: live before a freeze, frozen after it.

Reading is eight statements at most, whatever the size; marking many is one. A
supervisor's device reads it every minute, and every few seconds in an emergency, and
keeps the last one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

from ops.attendance.acting import STEWARD, SUPERVISOR, Caller, Doer, House
from ops.auth.subjects import Staff
from ops.emergency import statements
from ops.emergency.rollcall import (
    AreaLine,
    HeadCount,
    Inside,
    OnShift,
    Place,
    Totals,
    by_area,
    totals,
)
from ops.emergency.service import Emergencies
from ops.errors import Conflict, NotFound

PEOPLE_MAX: Final = 20_000
MARKS_MAX: Final = 1_000


class RollCall(msgspec.Struct, frozen=True, kw_only=True):
    """Who is inside, or was at the freeze; `as_of` is when that was true.

    `needs` are told in an emergency, and before it to supervisors' devices and to those
    who may read sensitive fields; to others they are null.
    """

    event_id: UUID
    title: str
    emergency_id: UUID | None
    drill: bool
    frozen: bool
    as_of: datetime
    totals: Totals
    areas: list[AreaLine]
    people: list[Inside]
    staff: list[OnShift]
    counts: list[HeadCount]
    assembly_points: list[str]
    truncated: bool


class PersonMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the list is safe, or was marked by mistake."""

    ticket_id: UUID
    person_no: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    safe: bool = True


class StaffMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the staff is safe, or was marked by mistake."""

    operator_id: UUID
    safe: bool = True


class MarksBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many at once; marking what is marked changes nothing."""

    people: Annotated[list[PersonMark], msgspec.Meta(max_length=MARKS_MAX)] = []
    staff: Annotated[list[StaffMark], msgspec.Meta(max_length=MARKS_MAX)] = []


class MarksAnswer(msgspec.Struct, frozen=True):
    """How many marks changed something."""

    changed: int


class AreaBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether somebody has looked and nobody is left."""

    clear: bool = True


class CountBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tap of the clicker: the id is made by whoever taps."""

    id: UUID
    place: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    delta: Annotated[int, msgspec.Meta(ge=-500, le=500)]
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Rolls:
    """Reads and marks the roll-call of an event."""

    def __init__(self, house: House, emergencies: Emergencies) -> None:
        self._house, self._emergencies = house, emergencies

    async def read(self, caller: Caller, event_id: UUID) -> RollCall:
        """The roll-call: the frozen one where there is one.

        Raises:
            Forbidden: a device without a supervisor.
            NotFound: no such event.
        """
        doer = await self._house.doer(caller, event_id)
        if doer.device_id is not None:
            doer.demand(SUPERVISOR)
        pool = self._house.database.pool
        title = await pool.fetchval("SELECT title FROM events WHERE id = $1", event_id)
        if title is None:
            raise NotFound("There is no such event.", code="event_not_found")
        row = await self._emergencies.current(event_id)
        frozen = row is not None and row["frozen_at"] is not None
        if frozen:
            key: tuple[Any, ...] = (row["id"],)
            source = (
                statements.INSIDE_THEN,
                statements.AREAS_THEN,
                statements.STAFF_THEN,
            )
        else:
            key = (event_id,)
            source = (statements.INSIDE_NOW, statements.AREAS_NOW, statements.STAFF_NOW)
        found = await pool.fetch(source[0], *key, PEOPLE_MAX + 1)
        open_needs = row is not None or may_read_needs(caller, doer, event_id)
        people = [inside_of(one, needs=open_needs) for one in found[:PEOPLE_MAX]]
        places = [Place(**dict(one)) for one in await pool.fetch(source[1], *key)]
        staff = [OnShift(**dict(one)) for one in await pool.fetch(source[2], *key)]
        counts = await pool.fetch(statements.COUNTS, row["id"]) if row else []
        lines = by_area(people, places)
        return RollCall(
            event_id=event_id,
            title=title,
            emergency_id=row["id"] if row else None,
            drill=bool(row and row["drill"]),
            frozen=frozen,
            as_of=row["frozen_at"] if frozen else self._house.clock.now(),
            totals=totals(lines, people, staff),
            areas=lines,
            people=people,
            staff=staff,
            counts=[HeadCount(**dict(one)) for one in counts],
            assembly_points=(
                await self._emergencies.settings(event_id)
            ).assembly_points,
            truncated=len(found) > PEOPLE_MAX,
        )

    async def mark(
        self, caller: Caller, event_id: UUID, body: MarksBody
    ) -> MarksAnswer:
        """Mark people and staff safe, or not.

        Raises:
            Forbidden: a device without a supervisor.
            Conflict: `not_frozen`: there is no list.
        """
        doer, row = await self._frozen(caller, event_id)
        now = self._house.clock.now()

        async def work(db: Any) -> int:
            # The last word about somebody counts, and each is updated once.
            people = {(one.ticket_id, one.person_no): one.safe for one in body.people}
            staff = {one.operator_id: one.safe for one in body.staff}
            done = await db.fetch(
                statements.MARK_PEOPLE,
                row["id"],
                [key[0] for key in people],
                [key[1] for key in people],
                list(people.values()),
                *(now, doer.user_id, doer.operator_id),
            )
            done += await db.fetch(
                statements.MARK_STAFF,
                row["id"],
                list(staff),
                list(staff.values()),
                *(now, doer.user_id, doer.operator_id),
            )
            if done:
                safe = sum(people.values()) + sum(staff.values())
                detail = {"safe": safe, "changed": len(done)}
                await self._emergencies.log(db, doer, row["id"], "marked", detail)
            return len(done)

        return MarksAnswer(await self._house.once(work))

    async def area(
        self, caller: Caller, event_id: UUID, area_id: UUID, clear: bool
    ) -> MarksAnswer:
        """Mark a place clear, or not.

        Raises:
            Forbidden, Conflict (`not_frozen`), NotFound (`area_unknown`).
        """
        doer, row = await self._frozen(caller, event_id)

        async def work(db: Any) -> None:
            done = await db.fetchval(
                statements.MARK_AREA,
                *(row["id"], area_id, clear, self._house.clock.now()),
                *(doer.user_id, doer.operator_id),
            )
            if done is None:
                raise NotFound("The list has no such place.", code="area_unknown")
            name = await db.fetchval(
                "SELECT name FROM ops.areas WHERE id = $1", area_id
            )
            what = "area_clear" if clear else "area_not_clear"
            await self._emergencies.log(db, doer, row["id"], what, {"area": name})

        await self._house.once(work)
        return MarksAnswer(1)

    async def count(
        self, caller: Caller, event_id: UUID, body: CountBody
    ) -> list[HeadCount]:
        """Keep a tap of the clicker, once; all places as they stand now.

        Raises:
            Forbidden: a device with nobody signed on.
            Conflict: `no_emergency`.
        """
        doer = await self._house.doer(caller, event_id)
        if doer.device_id is not None:
            doer.demand(STEWARD)
        row = await self._emergencies.current(event_id)
        if row is None:
            raise Conflict("No emergency is open.", code="no_emergency")
        pool = self._house.database.pool
        await pool.fetchval(
            statements.COUNT,
            *(body.id, row["id"], body.place.strip(), body.delta),
            *(body.at or self._house.clock.now(), doer.device_id),
            *(doer.operator_id, doer.user_id),
        )
        found = await pool.fetch(statements.COUNTS, row["id"])
        return [HeadCount(**dict(one)) for one in found]

    async def _frozen(self, caller: Caller, event_id: UUID) -> tuple[Doer, Any]:
        doer = await self._house.doer(caller, event_id)
        if doer.device_id is not None:
            doer.demand(SUPERVISOR)
        row = await self._emergencies.current(event_id)
        if row is None or row["frozen_at"] is None:
            raise Conflict("The roll-call is not frozen.", code="not_frozen")
        return doer, row


def may_read_needs(caller: Caller, doer: Doer, event_id: UUID) -> bool:
    """Whether somebody may read what people need before there is an emergency."""
    subject = caller.subject
    if isinstance(subject, Staff):
        return subject.may("sensitive", "read", event_id)
    return doer.rank >= SUPERVISOR


def inside_of(row: Any, *, needs: bool = True) -> Inside:
    """Somebody of a row."""
    return Inside(
        row["ticket_id"],
        row["person_no"],
        row["name"],
        row["access_class"],
        row["area_id"],
        row["entered_at"],
        row["needs"] if needs else None,
        row["safe_at"],
    )
