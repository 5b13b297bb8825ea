"""GET /events/{id}/attendees?q= and the kiosk's POST /events/{id}/lookup."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from ops.attendance.acting import Caller
from ops.attendance.search import (
    LONGEST,
    LookupAnswer,
    LookupBody,
    Search,
    SearchAnswer,
)
from ops.auth.guards import device_required, requires
from ops.auth.subjects import DeviceIdentity

TAGS = ["attendees"]
Query = Annotated[
    str,
    QueryParameter(
        min_length=1,
        max_length=LONGEST,
        description="Name, e-mail, company, order, end of phone or code.",
    ),
]


@get(
    "/events/{event_id:uuid}/attendees",
    guards=[requires("attendees", "read", devices=True)],
    summary="Find people of an event: the best ten, and how many more",
    tags=TAGS,
)
async def search_attendees(
    event_id: FromPath[UUID],
    q: FromQuery[Query],
    caller: NamedDependency[Caller],
    search: NamedDependency[Search],
) -> SearchAnswer:
    """Whatever case and accents, also mistyped; each search is written down."""
    return await search.attendees(caller, event_id, q)


@post(
    "/events/{event_id:uuid}/lookup",
    guards=[device_required],
    summary="A kiosk finds one ticket exactly, or none",
    tags=TAGS,
    status_code=200,
)
async def look_up(
    event_id: FromPath[UUID],
    data: JSONBody[LookupBody],
    device: NamedDependency[DeviceIdentity],
    search: NamedDependency[Search],
) -> LookupAnswer:
    """Five tries; a first name and an initial are all it shows."""
    return await search.look_up(device, event_id, data)


ROUTES: tuple[Any, ...] = (search_attendees, look_up)
