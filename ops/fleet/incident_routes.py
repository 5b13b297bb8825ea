"""Routes of the incident log, for the control room and for handhelds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.fleet.incidents import Incidents, Kind, State
from ops.listing import Page, Turn, by_time

TAGS = ["incidents"]
Words = Annotated[str, Meta(min_length=1, max_length=2_000)]
Owner = Annotated[str, Meta(min_length=1, max_length=100)]


class IncidentBody(msgspec.Struct, forbid_unknown_fields=True):
    """What happened; a device adds its own gate, area and operator."""

    kind: Kind
    summary: Words
    owner: Owner | None = None
    area_id: UUID | None = None
    gate_id: UUID | None = None
    ticket_id: UUID | None = None
    started_at: Annotated[datetime, Meta(tz=True)] | None = None


class IncidentPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What changes; a field left out stays."""

    state: State | None = None
    owner: Owner | None = None
    kind: Kind | None = None
    summary: Words | None = None


class ActionBody(msgspec.Struct, forbid_unknown_fields=True):
    """What was done."""

    text: Words


class IncidentView(msgspec.Struct):
    """An incident in lists."""

    id: UUID
    kind: str
    state: str
    summary: str
    owner: str | None
    area_id: UUID | None
    area: str | None
    gate_id: UUID | None
    gate: str | None
    ticket_id: UUID | None
    device_id: UUID | None
    device: str | None
    operator_id: UUID | None
    operator: str | None
    reported_by: str | None
    started_at: datetime
    closed_at: datetime | None
    created_at: datetime


class ActionView(msgspec.Struct):
    """One thing that was done, and by whom."""

    id: UUID
    at: datetime
    text: str
    by: str | None


class IncidentDetail(IncidentView):
    """An incident with everything that was done, oldest first."""

    actions: list[ActionView]


def view(row: Any) -> IncidentView:
    """The view of a row."""
    return msgspec.convert(dict(row), IncidentView)


@post(
    "/events/{event_id:uuid}/incidents",
    guards=[requires("incidents", "write", devices=True)],
    opt={"idempotent": True},
    summary="Report an incident",
    tags=TAGS,
)
async def report_incident(
    request: Request[Any, Any, Any],
    event_id: FromPath[UUID],
    data: JSONBody[IncidentBody],
    incidents: NamedDependency[Incidents],
) -> IncidentView:
    """From the control room, or from a device of the event."""
    row = await incidents.report(
        event_id,
        request.scope["user"],
        data.kind,
        data.summary,
        owner=data.owner,
        area_id=data.area_id,
        gate_id=data.gate_id,
        ticket_id=data.ticket_id,
        started_at=data.started_at,
    )
    return view(row)


@get(
    "/events/{event_id:uuid}/incidents",
    guards=[requires("incidents", "read")],
    summary="The incident log, newest first",
    tags=TAGS,
)
async def list_incidents(
    event_id: FromPath[UUID],
    incidents: NamedDependency[Incidents],
    # The framework keeps the name `state` for itself.
    turn: NamedDependency[Turn],
    only: Annotated[State | None, QueryParameter(name="state")] = None,
) -> Page[IncidentView]:
    """All, or those of one state."""
    rows = await incidents.page(event_id, only, turn.start, turn.limit)
    return turn.page(rows, view, by_time("started_at"))


@get(
    "/events/{event_id:uuid}/incidents/{incident_id:uuid}",
    guards=[requires("incidents", "read")],
    summary="An incident and what was done about it",
    tags=TAGS,
)
async def get_incident(
    event_id: FromPath[UUID],
    incident_id: FromPath[UUID],
    incidents: NamedDependency[Incidents],
) -> IncidentDetail:
    """Actions are oldest first, at most 200."""
    row, actions = await incidents.one(event_id, incident_id)
    found = {**dict(row), "actions": [dict(action) for action in actions]}
    return msgspec.convert(found, IncidentDetail)


@patch(
    "/events/{event_id:uuid}/incidents/{incident_id:uuid}",
    guards=[requires("incidents", "write")],
    summary="Change or close an incident",
    tags=TAGS,
)
async def change_incident(
    event_id: FromPath[UUID],
    incident_id: FromPath[UUID],
    data: JSONBody[IncidentPatch],
    incidents: NamedDependency[Incidents],
) -> IncidentView:
    """Closing keeps the first time."""
    row = await incidents.change(
        event_id, incident_id, data.state, data.owner, data.kind, data.summary
    )
    return view(row)


@post(
    "/events/{event_id:uuid}/incidents/{incident_id:uuid}/actions",
    guards=[requires("incidents", "write")],
    opt={"idempotent": True},
    status_code=201,
    summary="Note what was done about an incident",
    tags=TAGS,
)
async def add_action(
    event_id: FromPath[UUID],
    incident_id: FromPath[UUID],
    data: JSONBody[ActionBody],
    me: NamedDependency[Staff],
    incidents: NamedDependency[Incidents],
) -> IncidentDetail:
    """Answer with the whole incident."""
    await incidents.act(event_id, incident_id, me, data.text)
    row, actions = await incidents.one(event_id, incident_id)
    found = {**dict(row), "actions": [dict(action) for action in actions]}
    return msgspec.convert(found, IncidentDetail)


ROUTES = (
    report_incident,
    list_incidents,
    get_incident,
    change_incident,
    add_action,
)
