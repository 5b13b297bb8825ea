"""The steps of an emergency: each does what is missing, so that it may be repeated.

The doors are stopped and opened by `Stops` alone. Staff are told before anything else
happens; a step that was broken off goes on where it stopped when it is called again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.announcements.audience import Segments
from ops.announcements.content import TITLE_LENGTH_MAX, Words
from ops.announcements.service import Announcements, Draft
from ops.announcements.templates import LANGUAGES, Purpose, TemplateBody, built_in
from ops.attendance.acting import DOOR_MANAGER, Caller, Doer, House
from ops.attendance.stops import ReopenBody, StopBody, Stops
from ops.audit.entry import Entry
from ops.emergency import statements
from ops.emergency.returning import end_presences, grant_all
from ops.emergency.steps import HELD_MS_MIN, Person, State, Step, next_steps, refusal
from ops.errors import Conflict, Forbidden, NotFound, Unprocessable
from ops.ids import uuid7
from ops.texts import Texts

REFUSALS: Final = {
    "no_emergency": "No emergency is open.",
    "already_clear": "It was cleared already.",
    "clear_first": "The all-clear comes first.",
    "freeze_first": "Nobody was written down who could be let in again.",
    "reopen_first": "Admission is still stopped.",
}


class Device(msgspec.Struct, frozen=True):
    """A device, and whether it has heard of the stop: by its heartbeat (`heard`), the
    announcement (`told_at`), and who holds it (`understood_at`)."""

    id: UUID
    name: str
    profile: str
    gate: str | None
    operator: str | None
    last_seen_at: datetime | None
    heard: bool
    told_at: datetime | None
    understood_at: datetime | None


class EmergencyView(msgspec.Struct, frozen=True, kw_only=True):
    """An emergency as pages show it; `devices`: who has not confirmed comes first."""

    id: UUID
    drill: bool
    reason: str
    area_id: UUID | None
    area: str | None
    gate_id: UUID | None
    gate: str | None
    two_people: bool
    started_at: datetime
    stopped_at: datetime | None
    frozen_at: datetime | None
    published_at: datetime | None
    announcement_id: UUID | None
    cleared_at: datetime | None
    reopened_at: datetime | None
    readmitted_at: datetime | None
    closed_at: datetime | None
    next_steps: list[str]
    unconfirmed: int
    devices: list[Device]
    listed: int
    returned: int


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """Whether a second person publishes, and where people gather."""

    two_people: bool = False
    assembly_points: list[str] = []


class Emergencies:
    """Starts, goes through and ends emergencies."""

    def __init__(
        self, house: House, stops: Stops, announcements: Announcements, texts: Texts
    ) -> None:
        self._house, self._stops = house, stops
        self._announcements, self._texts = announcements, texts
        self._pool = house.database

    async def current(self, event_id: UUID) -> Any:
        """The row of the open emergency, or None."""
        return await self._pool.pool.fetchrow(statements.OPEN, event_id)

    async def view(self, caller: Caller, event_id: UUID, row: Any) -> EmergencyView:
        """A row as the pages show it; three statements."""
        doer = await self._house.doer(caller, event_id)
        pool = self._pool.pool
        since = row["stopped_at"] or row["started_at"]
        devices = await pool.fetch(
            statements.DEVICES, event_id, row["staff_announcement_id"], since
        )
        back = await pool.fetchrow(statements.RETURNED, row["id"])
        listed = msgspec.convert([dict(one) for one in devices], list[Device])
        names = EmergencyView.__struct_fields__
        return EmergencyView(
            **{name: row[name] for name in names if name in row},
            next_steps=next_steps(state_of(row), _person(doer)),
            unconfirmed=sum(not (one.heard or one.understood_at) for one in listed),
            devices=listed,
            listed=back["listed"] if back else 0,
            returned=back["returned"] if back else 0,
        )

    async def start(
        self, caller: Caller, event_id: UUID, held_ms: int, drill: bool, place: StopBody
    ) -> EmergencyView:
        """Step 1: tell the staff, then stop admission (a drill stops nothing).

        An open emergency is gone on with: nobody starts a second one. A drill that is
        open ends where a real one starts.

        Raises:
            Forbidden: this needs a door manager.
            Unprocessable: `not_held`, `area_or_gate`, `not_of_event`.
        """
        doer = await self._may(caller, event_id, held_ms)
        if place.area_id and place.gate_id:
            raise Unprocessable("Name an area or a gate.", code="area_or_gate")
        row = await self.current(event_id)
        if row is not None and row["drill"] and not drill:
            # What was practised has happened: it is no step of the drill.
            await self._note(doer, row["id"], "closed", {}, "closed_at")
            row = None
        if row is None:
            await self._open(doer, event_id, drill, place)
            row = await self.current(event_id)
        assert row is not None
        told = row["staff_announcement_id"] or await self._first_word(doer, row)
        await self._announcements.send(event_id, told, None, True)
        if row["stopped_at"] is None and not row["drill"]:
            await self._stop(caller, doer, row)
        return await self._again(caller, event_id)

    async def freeze(
        self, caller: Caller, event_id: UUID, held_ms: int
    ) -> EmergencyView:
        """Step 2: write down who is inside, where, and who of the staff is on."""
        doer, row = await self._step(caller, event_id, "freeze", held_ms)
        if row["frozen_at"] is None:
            now = self._house.clock.now()

            async def work(db: Any) -> None:
                mine = await db.fetchval(
                    "SELECT id FROM ops.emergencies"
                    " WHERE id = $1 AND frozen_at IS NULL FOR UPDATE",
                    row["id"],
                )
                if mine is None:
                    return  # somebody else froze it this moment: that list stays
                for statement in (
                    statements.FREEZE_PEOPLE,
                    statements.FREEZE_AREAS,
                    statements.FREEZE_STAFF,
                ):
                    await db.execute(statement, event_id, row["id"])
                people = await db.fetchval(
                    "SELECT count(*) FROM ops.emergency_people WHERE emergency_id = $1",
                    row["id"],
                )
                await db.execute(
                    "UPDATE ops.emergencies SET frozen_at = $2 WHERE id = $1",
                    *(row["id"], now),
                )
                await self.log(db, doer, row["id"], "frozen", {"people": people})

            await self._house.once(work)
        return await self._again(caller, event_id)

    async def publish(
        self, caller: Caller, event_id: UUID, held_ms: int, text: TemplateBody
    ) -> EmergencyView:
        """Step 3: a prepared text to everybody; in a drill to the staff only."""
        doer, row = await self._step(caller, event_id, "publish", held_ms)
        sent = await self._send(doer, row, text)
        await self._set(row["id"], "announcement_id", sent)
        await self._note(
            doer, row["id"], "published", {"title": text.title}, "published_at"
        )
        return await self._again(caller, event_id)

    async def all_clear(
        self, caller: Caller, event_id: UUID, held_ms: int, text: TemplateBody | None
    ) -> EmergencyView:
        """The danger is over: staff first, then guests. No door opens by it."""
        doer, row = await self._step(caller, event_id, "all_clear", held_ms)
        if row["cleared_at"] is None:
            await self._tell_staff(doer, row, "emergency.staff.clear")
            if text is not None:
                sent = await self._send(doer, row, text)
                await self._set(row["id"], "clear_announcement_id", sent)
            await self._note(doer, row["id"], "all_clear", {}, "cleared_at")
        return await self._again(caller, event_id)

    async def reopen(
        self, caller: Caller, event_id: UUID, held_ms: int, readmit: bool
    ) -> EmergencyView:
        """Open admission again; with `readmit` presence starts at 0 and everybody of
        the list may enter once more (door.md, after a storm)."""
        doer, row = await self._step(
            caller, event_id, "reopen", held_ms, readmit=readmit
        )
        if row["drill"]:
            raise Conflict("A drill stopped nothing.", code="drill")
        if row["reopened_at"] is None:
            if readmit:
                await grant_all(self._house, doer, row, self.log)
                await end_presences(self._house, event_id)
            if row["stop_id"] is not None:
                why = ReopenBody(reason=row["reason"], stop_id=row["stop_id"])
                with suppress(NotFound):  # lifted meanwhile on the page of the doors
                    await self._stops.reopen(caller, event_id, why)
            await self._note(doer, row["id"], "reopened", {}, "reopened_at")
            await self._tell_staff(doer, row, "emergency.staff.reopen")
        return await self._again(caller, event_id)

    async def close(
        self, caller: Caller, event_id: UUID, held_ms: int
    ) -> EmergencyView:
        """End it: from now on it is a report."""
        doer, row = await self._step(caller, event_id, "close", held_ms)
        await self._note(doer, row["id"], "closed", {}, "closed_at")
        found = await self.one(event_id, row["id"])
        return await self.view(caller, event_id, found)

    async def one(self, event_id: UUID, emergency_id: UUID) -> Any:
        """The row of an emergency, open or past.

        Raises:
            NotFound: the event had no such emergency.
        """
        row = await self._pool.pool.fetchrow(statements.ONE, event_id, emergency_id)
        if row is None:
            raise NotFound("The event had no such emergency.", code="emergency_unknown")
        return row

    def now(self) -> datetime:
        """The server's time, for pages whose clock is wrong."""
        return self._house.clock.now()

    def texts(
        self, purpose: Purpose, own: Sequence[TemplateBody]
    ) -> list[TemplateBody]:
        """What may be published: the event's own templates, then the catalogue's."""
        taken = {one.name for one in own}
        known = built_in(self._texts, purpose)
        return [*own, *(one for one in known if one.name not in taken)]

    async def settings(self, event_id: UUID) -> Settings:
        """How the event handles an emergency."""
        row = await self._pool.pool.fetchrow(statements.SETTINGS, event_id)
        return Settings(**dict(row)) if row else Settings()

    async def set(self, caller: Caller, event_id: UUID, wanted: Settings) -> Settings:
        """Change that; an open emergency keeps what it began with.

        Raises:
            Forbidden, NotFound, Unprocessable (`too_many_points`).
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(DOOR_MANAGER)
        points = list(dict.fromkeys(p.strip() for p in wanted.assembly_points))
        if len(points) > 20 or any(not 1 <= len(point) <= 80 for point in points):
            raise Unprocessable(
                "At most 20 points of 1 to 80 characters.", code="too_many_points"
            )
        done = await self._pool.pool.fetchval(
            statements.SET, event_id, wanted.two_people, points, self._house.clock.now()
        )
        if done is None:
            raise NotFound("There is no such event.", code="event_not_found")
        return Settings(wanted.two_people, points)

    async def log(
        self, db: Any, doer: Doer, emergency_id: UUID, what: str, detail: Any
    ) -> None:
        """A line of the log, in the transaction of what it tells."""
        await db.execute(
            statements.LOG,
            *(emergency_id, self._house.clock.now(), what, detail),
            *(doer.user_id, doer.operator_id, doer.device_id),
        )

    async def _may(self, caller: Caller, event_id: UUID, held_ms: int) -> Doer:
        doer = await self._house.doer(caller, event_id)
        doer.demand(DOOR_MANAGER)
        if held_ms < HELD_MS_MIN:
            raise Unprocessable("Hold it for two seconds.", code="not_held")
        return doer

    async def _step(
        self,
        caller: Caller,
        event_id: UUID,
        step: Step,
        held_ms: int,
        *,
        readmit: bool = False,
    ) -> tuple[Doer, Any]:
        doer = await self._may(caller, event_id, held_ms)
        row = await self.current(event_id)
        state = state_of(row) if row else None
        why = refusal(state, step, _person(doer), readmit=readmit)
        if why == "needs_second_person":
            raise Forbidden("A second person publishes.", code=why)
        if why is not None:
            raise Conflict(REFUSALS[why], code=why)
        return doer, row

    async def _open(
        self, doer: Doer, event_id: UUID, drill: bool, place: StopBody
    ) -> None:
        made = uuid7()

        async def work(db: Any) -> None:
            found = await db.fetchval(
                statements.START,
                *(made, event_id, drill, place.reason, place.area_id, place.gate_id),
                *(self._house.clock.now(), doer.user_id, doer.operator_id),
            )
            if found is None:
                if await db.fetchrow(statements.OPEN, event_id):
                    return  # somebody else began it this moment: it is the same one
                raise Unprocessable(
                    "This place is not of the event.", code="not_of_event"
                )
            await self.log(db, doer, made, "started", {"drill": drill})
            await self._house.auditor.record(
                db,
                Entry(
                    doer.actor,
                    "emergency.start",
                    "emergencies",
                    made,
                    event_id,
                    detail={"drill": drill},
                ),
            )

        await self._house.once(work)

    async def _stop(self, caller: Caller, doer: Doer, row: Any) -> None:
        """Through the stops of the doors; one that held already is taken over."""
        place = StopBody(
            reason=row["reason"], area_id=row["area_id"], gate_id=row["gate_id"]
        )
        holding = await self._stops.stop(caller, row["event_id"], place)
        mine = next(
            one
            for one in holding
            if (one.area_id, one.gate_id) == (row["area_id"], row["gate_id"])
        )
        await self._set(row["id"], "stop_id", mine.id)
        where = {"area": row["area"], "gate": row["gate"]}
        await self._note(doer, row["id"], "stopped", where, "stopped_at")

    async def _first_word(self, doer: Doer, row: Any) -> UUID:
        """The draft for the staff, one whoever is quicker; sending it again is once."""
        kept = await self._staff_draft(doer, row, "emergency.staff.start")
        mine: UUID = await self._pool.pool.fetchval(
            "UPDATE ops.emergencies SET staff_announcement_id ="
            " coalesce(staff_announcement_id, $2) WHERE id = $1"
            " RETURNING staff_announcement_id",
            *(row["id"], kept),
        )
        if mine != kept:
            await self._announcements.remove(row["event_id"], kept)
        return mine

    async def _tell_staff(self, doer: Doer, row: Any, key: str) -> UUID:
        made = await self._staff_draft(doer, row, key)
        await self._announcements.send(row["event_id"], made, None, True)
        return made

    async def _staff_draft(self, doer: Doer, row: Any, key: str) -> UUID:
        place = row["area"] or row["gate"]
        said = {}
        for language in LANGUAGES:
            where = place or self._texts.say(language, "page.doors.everywhere", {})
            word = self._drill(language) if row["drill"] else ""
            said[language] = Words(
                word + self._texts.say(language, f"{key}.title", {"place": where}),
                self._texts.say(language, f"{key}.content", {"reason": row["reason"]}),
            )
        draft = Draft(
            title=said["en"].title,
            content=said["en"].content,
            translations=said,
            target_segments=Segments(devices=True),
            delivery_method=["in_app"],
        )
        return await self._draft(doer, row, draft)

    async def _send(self, doer: Doer, row: Any, text: TemplateBody) -> UUID:
        draft = text.draft()
        if row["drill"]:
            draft.title = self._drill("en") + draft.title
            draft.translations = {
                language: Words(self._drill(language) + words.title, words.content)
                for language, words in draft.translations.items()
            }
            draft.target_segments = Segments(devices=True)
            draft.target_audience = "all"
            draft.delivery_method = ["in_app"]
        made = await self._draft(doer, row, draft)
        await self._announcements.send(row["event_id"], made, None, True)
        return made

    async def _draft(self, doer: Doer, row: Any, draft: Draft) -> UUID:
        draft.title = draft.title[:TITLE_LENGTH_MAX]
        draft.translations = {
            language: Words(words.title[:TITLE_LENGTH_MAX], words.content)
            for language, words in draft.translations.items()
        }
        draft.priority, draft.commercial = "urgent", False
        kept = await self._announcements.create(row["event_id"], draft, doer.user_id)
        made: UUID = kept["id"]
        return made

    def _drill(self, language: str) -> str:
        return self._texts.say(language, "emergency.drill", {}) + ": "

    async def _set(self, emergency_id: UUID, column: str, value: Any) -> None:
        await self._pool.pool.execute(
            f"UPDATE ops.emergencies SET {column} = $2 WHERE id = $1",
            emergency_id,
            value,
        )

    async def _note(
        self, doer: Doer, emergency_id: UUID, what: str, detail: Any, column: str
    ) -> None:
        """A step was done: its time and its line together, the time once."""
        now = self._house.clock.now()

        async def work(db: Any) -> None:
            await db.execute(
                f"UPDATE ops.emergencies SET {column} = coalesce({column}, $2)"
                " WHERE id = $1",
                *(emergency_id, now),
            )
            await self.log(db, doer, emergency_id, what, detail)

        await self._house.once(work)

    async def _again(self, caller: Caller, event_id: UUID) -> EmergencyView:
        return await self.view(caller, event_id, await self.current(event_id))


def state_of(row: Any) -> State:
    """The state of a row."""
    return State(**{name: row[name] for name in State.__struct_fields__})


def _person(doer: Doer) -> Person:
    return Person(doer.user_id, doer.operator_id)
