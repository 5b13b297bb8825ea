"""GET /events/{id}, /events/{id}/occupancy; the list is one of `ops.crm`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from ops.admission.figures import Figures
from ops.auth.guards import requires
from ops.checkin.events import Events
from ops.clock import Clock

TAGS = ["events"]
T = TypeVar("T")


class EventLine(msgspec.Struct):
    """An event by itself."""

    id: UUID
    title: str
    slug: str
    event_type: str
    status: str
    doors_state: str
    timezone: str
    starts_at: datetime
    ends_at: datetime
    doors_open_at: datetime | None
    admission_opens_at: datetime | None
    admission_closes_at: datetime | None
    capacity: int | None
    languages: list[str]
    currency: str
    venue_id: UUID | None
    venue: str | None


class AreaLine(msgspec.Struct):
    """A place with a limit; `manual` counts people without tickets."""

    id: UUID
    name: str
    kind: str
    parent_id: UUID | None
    capacity: int | None
    limit_kind: str
    inside: int
    manual: int
    overflow_area_id: UUID | None


class GateLine(msgspec.Struct):
    """A place where scans happen."""

    id: UUID
    name: str
    area_id: UUID | None
    session_id: UUID | None
    direction: str
    state: str
    use_instead_id: UUID | None


class ScopeLine(msgspec.Struct):
    """What an admission is for; capacity and limit_kind are what holds there."""

    id: UUID
    name: str
    kind: str
    area_id: UUID | None
    parent_id: UUID | None
    session_id: UUID | None
    capacity: int | None
    limit_kind: str | None
    inside: int
    tracks_exits: bool
    re_entry: str
    passes_total: int | None
    opens_at: datetime | None
    closes_at: datetime | None


class TypeLine(msgspec.Struct):
    """A ticket type."""

    id: UUID
    name: str
    category: str | None
    access_class: str
    admits: int
    price: Decimal
    currency: str | None
    status: str | None


class SessionLine(msgspec.Struct):
    """A session of the programme, with its room."""

    id: UUID
    title: str
    type: str | None
    area_id: UUID | None
    room: str | None
    starts_at: datetime
    ends_at: datetime
    check_in_opens: datetime | None
    check_in_closes: datetime | None
    capacity: int | None
    mode: str
    status: str | None


class EventDetail(EventLine):
    """An event with its places, types and programme; `etag` is for If-Match."""

    etag: str
    description: str | None
    show_rate: Decimal
    areas: list[AreaLine]
    gates: list[GateLine]
    scopes: list[ScopeLine]
    types: list[TypeLine]
    sessions: list[SessionLine]


class AreaOccupancy(msgspec.Struct):
    """People in a place: scanned, counted without ticket, of disputed entries; apart
    and summed."""

    id: UUID
    name: str
    kind: str
    inside: int
    counted: int
    disputed: int
    total: int
    capacity: int | None
    limit: str
    over_by: int


class ScopeOccupancy(msgspec.Struct):
    """People whose presence in a scope is in."""

    id: UUID
    name: str
    kind: str
    session_id: UUID | None
    inside: int
    capacity: int | None


class Occupancy(msgspec.Struct):
    """The figures of an event from one snapshot of PostgreSQL."""

    event_id: UUID
    at: datetime
    capacity: int | None
    figures: Figures
    areas: list[AreaOccupancy]
    scopes: list[ScopeOccupancy]


@get(
    "/events/{event_id:uuid}",
    guards=[requires("events", "read", devices=True)],
    summary="An event with areas, gates, scopes, ticket types and sessions",
    tags=TAGS,
)
async def get_event(
    event_id: FromPath[UUID], events: NamedDependency[Events]
) -> EventDetail:
    """For pages, and for devices of the event."""
    found = await events.one(event_id)
    lists = {
        "areas": _lines(found.areas, AreaLine),
        "gates": _lines(found.gates, GateLine),
        "scopes": _lines(found.scopes, ScopeLine),
        "types": _lines(found.types, TypeLine),
        "sessions": _lines(found.sessions, SessionLine),
    }
    return msgspec.convert({**dict(found.event), **lists}, EventDetail)


@get(
    "/events/{event_id:uuid}/occupancy",
    guards=[requires("events", "read", devices=True)],
    summary="How many people are where",
    tags=TAGS,
)
async def get_occupancy(
    event_id: FromPath[UUID],
    events: NamedDependency[Events],
    clock: NamedDependency[Clock],
) -> Occupancy:
    """All figures are people; inside is presence, never entries minus exits."""
    found = await events.occupancy(event_id, clock.now())
    return Occupancy(
        event_id=event_id,
        at=found.at,
        capacity=found.event["capacity"],
        figures=found.figures,
        areas=[area_occupancy(row) for row in found.areas],
        scopes=[_line(row, ScopeOccupancy) for row in found.scopes],
    )


def area_occupancy(row: Any) -> AreaOccupancy:
    """A place with what it holds; a limit is exceeded only by recorded overrides."""
    total = row["inside"] + row["manual"] + row["disputed"]
    capacity: int | None = row["capacity"]
    return AreaOccupancy(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        inside=row["inside"],
        counted=row["manual"],
        disputed=row["disputed"],
        total=total,
        capacity=capacity,
        limit=row["limit_kind"],
        over_by=max(0, total - capacity) if capacity is not None else 0,
    )


def _line(row: Any, kind: type[T]) -> T:
    return msgspec.convert(dict(row), kind)


def _lines(rows: Iterable[Any], kind: type[T]) -> list[T]:
    return [_line(row, kind) for row in rows]


ROUTES = (get_event, get_occupancy)
