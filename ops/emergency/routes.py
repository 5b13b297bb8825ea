"""Routes of an emergency: its steps, the roll-call, its report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from ops.announcements.templates import (
    Purpose,
    TemplateBody,
    Templates,
    body_of,
)
from ops.attendance.acting import Caller
from ops.attendance.stops import StopBody
from ops.attendance.tickets import WhyText
from ops.auth.guards import requires
from ops.emergency.printing import Report
from ops.emergency.report import Reports
from ops.emergency.rollcall import HeadCount
from ops.emergency.rolls import (
    AreaBody,
    CountBody,
    MarksAnswer,
    MarksBody,
    RollCall,
    Rolls,
)
from ops.emergency.service import Emergencies, EmergencyView, Settings
from ops.listing import FIRST, Page, Turn, by_time

TAGS = ["emergency"]
_READ = [requires("incidents", "read", devices=True)]
_WRITE = [requires("incidents", "write", devices=True)]
TEXTS_MAX = 100

Held = Annotated[int, msgspec.Meta(ge=0, le=600_000)]
_PATH = "/events/{event_id:uuid}/emergency"


class StartBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Step 1: why and where; `held_ms`: so long the button was held."""

    reason: WhyText
    held_ms: Held
    drill: bool
    area_id: UUID | None = None
    gate_id: UUID | None = None


class HeldBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A step that was held."""

    held_ms: Held


class TextBody(HeldBody, forbid_unknown_fields=True, kw_only=True):
    """A step with a text, as `GET .../emergency/texts` offers it, or one's own."""

    text: TemplateBody


class ClearBody(HeldBody, forbid_unknown_fields=True, kw_only=True):
    """The all-clear; without a text only the staff are told."""

    text: TemplateBody | None = None


class ReopenBody(HeldBody, forbid_unknown_fields=True, kw_only=True):
    """Reopening; `readmit`: everybody of the list may come in once more."""

    readmit: bool = False


class EmergencyLine(msgspec.Struct, frozen=True):
    """An emergency in a list."""

    id: UUID
    drill: bool
    reason: str
    area: str | None
    gate: str | None
    started_at: datetime
    frozen_at: datetime | None
    cleared_at: datetime | None
    closed_at: datetime | None


class Now(msgspec.Struct, frozen=True):
    """The emergency that is open; null: all is well."""

    emergency: EmergencyView | None
    now: datetime


def _act(path: str, summary: str, **more: Any) -> post:
    """A POST below the emergency that answers 200: a step, or marks of the roll."""
    return post(
        _PATH + path,
        guards=_WRITE,
        status_code=200,
        summary=summary,
        tags=TAGS,
        **more,
    )


@get(_PATH, guards=_READ, summary="The emergency that is open", tags=TAGS)
async def read_emergency(
    event_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    emergencies: NamedDependency[Emergencies],
) -> Now:
    """With the devices that have not confirmed first, and what may be done next."""
    row = await emergencies.current(event_id)
    found = await emergencies.view(caller, event_id, row) if row else None
    return Now(found, emergencies.now())


@_act("", "Step 1, held: tell the staff, stop admission")
async def start_emergency(
    event_id: FromPath[UUID],
    data: JSONBody[StartBody],
    caller: NamedDependency[Caller],
    emergencies: NamedDependency[Emergencies],
) -> EmergencyView:
    """By a door manager. One that is open is gone on with; a drill stops nothing."""
    place = StopBody(reason=data.reason, area_id=data.area_id, gate_id=data.gate_id)
    return await emergencies.start(caller, event_id, data.held_ms, data.drill, place)


@_act("/freeze", "Step 2, held: freeze the roll-call")
async def freeze_roll(
    event_id: FromPath[UUID],
    data: JSONBody[HeldBody],
    caller: NamedDependency[Caller],
    emergencies: NamedDependency[Emergencies],
) -> EmergencyView:
    """Again changes nothing: the first list stays."""
    return await emergencies.freeze(caller, event_id, data.held_ms)


@_act("/publish", "Step 3, held: publish a prepared text", opt={"idempotent": True})
async def publish_text(
    event_id: FromPath[UUID],
    data: JSONBody[TextBody],
    caller: NamedDependency[Caller],
    emergencies: NamedDependency[Emergencies],
) -> EmergencyView:
    """403 `needs_second_person` where the event wants one and it is the first."""
    return await emergencies.publish(caller, event_id, data.held_ms, data.text)


@_act("/all-clear", "The danger is over, held")
async def all_clear(
    event_id: FromPath[UUID],
    data: JSONBody[ClearBody],
    caller: NamedDependency[Caller],
    emergencies: NamedDependency[Emergencies],
) -> EmergencyView:
    """Opens no door."""
    return await emergencies.all_clear(caller, event_id, data.held_ms, data.text)


@_act("/reopen", "Open admission again, held; let those of the list in once more")
async def reopen_after(
    event_id: FromPath[UUID],
    data: JSONBody[ReopenBody],
    caller: NamedDependency[Caller],
    emergencies: NamedDependency[Emergencies],
) -> EmergencyView:
    """409 `clear_first` before the all-clear."""
    return await emergencies.reopen(caller, event_id, data.held_ms, data.readmit)


@_act("/close", "End it, held: from now on it is a report")
async def close_emergency(
    event_id: FromPath[UUID],
    data: JSONBody[HeldBody],
    caller: NamedDependency[Caller],
    emergencies: NamedDependency[Emergencies],
) -> EmergencyView:
    """409 while admission is still stopped by it."""
    return await emergencies.close(caller, event_id, data.held_ms)


@get(
    f"{_PATH}/texts",
    guards=_READ,
    summary="Texts that may be published: the event's own, then the catalogue's",
    tags=TAGS,
)
async def list_texts(
    event_id: FromPath[UUID],
    emergencies: NamedDependency[Emergencies],
    templates: NamedDependency[Templates],
    purpose: FromQuery[Purpose] = "emergency",
) -> list[TemplateBody]:
    """In all languages; those of the event come first."""
    rows = await templates.page(event_id, purpose, FIRST, TEXTS_MAX)
    own = [body_of(row) for row in rows[:TEXTS_MAX]]
    return emergencies.texts(purpose, own)


@get(
    f"{_PATH}/settings",
    guards=_READ,
    summary="Whether a second person publishes, and where people gather",
    tags=TAGS,
)
async def read_settings(
    event_id: FromPath[UUID], emergencies: NamedDependency[Emergencies]
) -> Settings:
    """The defaults where nothing was set."""
    return await emergencies.settings(event_id)


@put(f"{_PATH}/settings", guards=_WRITE, summary="Change that", tags=TAGS)
async def write_settings(
    event_id: FromPath[UUID],
    data: JSONBody[Settings],
    caller: NamedDependency[Caller],
    emergencies: NamedDependency[Emergencies],
) -> Settings:
    """By a door manager; an open emergency keeps what it began with."""
    return await emergencies.set(caller, event_id, data)


@get(
    "/events/{event_id:uuid}/roll-call",
    guards=_READ,
    summary="Who is inside, by area and class; the frozen list in an emergency",
    tags=TAGS,
)
async def read_roll_call(
    event_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    rolls: NamedDependency[Rolls],
) -> RollCall:
    """For staff with incidents.read, and devices with a supervisor signed on."""
    return await rolls.read(caller, event_id)


@_act("/marks", "Mark people and staff safe")
async def mark_people(
    event_id: FromPath[UUID],
    data: JSONBody[MarksBody],
    caller: NamedDependency[Caller],
    rolls: NamedDependency[Rolls],
) -> MarksAnswer:
    """Up to 1,000 each; may come twice."""
    return await rolls.mark(caller, event_id, data)


@_act("/areas/{area_id:uuid}", "Mark a place clear")
async def mark_area(
    event_id: FromPath[UUID],
    area_id: FromPath[UUID],
    data: JSONBody[AreaBody],
    caller: NamedDependency[Caller],
    rolls: NamedDependency[Rolls],
) -> MarksAnswer:
    """Somebody has looked, and nobody is left; or it was a mistake."""
    return await rolls.area(caller, event_id, area_id, data.clear)


@_act("/counts", "Count heads at an assembly point by taps")
async def count_heads(
    event_id: FromPath[UUID],
    data: JSONBody[CountBody],
    caller: NamedDependency[Caller],
    rolls: NamedDependency[Rolls],
) -> list[HeadCount]:
    """The same id again counts nothing; answers all places."""
    return await rolls.count(caller, event_id, data)


@get(
    "/events/{event_id:uuid}/emergencies",
    guards=_READ,
    summary="Emergencies and drills of an event, newest first",
    tags=TAGS,
)
async def list_emergencies(
    event_id: FromPath[UUID],
    reports: NamedDependency[Reports],
    turn: NamedDependency[Turn],
) -> Page[EmergencyLine]:
    """One statement a page."""
    rows = await reports.page(event_id, turn.start, turn.limit)
    names = EmergencyLine.__struct_fields__
    return turn.page(
        rows,
        lambda row: EmergencyLine(**{name: row[name] for name in names}),
        by_time("started_at"),
    )


@get(
    "/events/{event_id:uuid}/emergencies/{emergency_id:uuid}/report",
    guards=[requires("incidents", "read")],
    summary="The report of an emergency, with times",
    tags=TAGS,
)
async def read_report(
    event_id: FromPath[UUID],
    emergency_id: FromPath[UUID],
    reports: NamedDependency[Reports],
) -> Report:
    """Also while it is open."""
    return await reports.make(event_id, emergency_id)


@get(
    "/events/{event_id:uuid}/emergencies/{emergency_id:uuid}/report.pdf",
    guards=[requires("incidents", "read")],
    summary="The same as a PDF",
    tags=TAGS,
)
async def print_report(
    event_id: FromPath[UUID],
    emergency_id: FromPath[UUID],
    reports: NamedDependency[Reports],
    language: FromQuery[str] = "en",
) -> Response[bytes]:
    """In English or French; names in any script."""
    body = await reports.pdf(event_id, emergency_id, language)
    return Response(body, media_type="application/pdf")


ROUTES: tuple[Any, ...] = (
    read_emergency,
    start_emergency,
    freeze_roll,
    publish_text,
    all_clear,
    reopen_after,
    close_emergency,
    list_texts,
    read_settings,
    write_settings,
    read_roll_call,
    mark_people,
    mark_area,
    count_heads,
    list_emergencies,
    read_report,
    print_report,
)
