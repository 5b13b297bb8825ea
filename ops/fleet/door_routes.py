"""Routes for the states of doors and gates, and for a delay."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from ops.audit.entry import Actor
from ops.auth.guards import requires
from ops.fleet.doors import Doors, DoorsState

TAGS = ["doors"]
DELAY_MINUTES_MAX = 24 * 60
Reason = Annotated[str, Meta(max_length=500)]


class DoorsBody(msgspec.Struct, forbid_unknown_fields=True):
    """The state of all doors of the event."""

    state: DoorsState
    reason: Reason | None = None


class GateDoorsBody(msgspec.Struct, forbid_unknown_fields=True):
    """The state of one gate; `use_instead_id` is told to guests who come to it."""

    state: DoorsState
    use_instead_id: UUID | None = None


class DelayBody(msgspec.Struct, forbid_unknown_fields=True):
    """How many minutes later (or, below 0, earlier) the doors open."""

    minutes: Annotated[int, Meta(ge=-DELAY_MINUTES_MAX, le=DELAY_MINUTES_MAX)]
    reason: Reason | None = None


class DoorsView(msgspec.Struct):
    """The doors of an event as they are now."""

    id: UUID
    doors_state: str
    doors_open_at: datetime | None
    admission_opens_at: datetime | None
    admission_closes_at: datetime | None
    starts_at: datetime
    ends_at: datetime


class GateStateView(msgspec.Struct):
    """A gate as it is now."""

    id: UUID
    name: str
    state: str
    use_instead_id: UUID | None


@post(
    "/events/{event_id:uuid}/doors",
    guards=[requires("events", "write")],
    status_code=200,
    summary="Open, hold or close all doors of an event",
    tags=TAGS,
)
async def set_doors(
    event_id: FromPath[UUID],
    data: JSONBody[DoorsBody],
    actor: NamedDependency[Actor],
    doors: NamedDependency[Doors],
) -> DoorsView:
    """At every door within a second; may come twice."""
    row = await doors.set_event(event_id, data.state, actor, data.reason)
    return msgspec.convert(dict(row), DoorsView)


@post(
    "/events/{event_id:uuid}/delay",
    guards=[requires("events", "write")],
    opt={"idempotent": True},
    status_code=200,
    summary="Delay the doors by some minutes",
    tags=TAGS,
)
async def delay_doors(
    event_id: FromPath[UUID],
    data: JSONBody[DelayBody],
    actor: NamedDependency[Actor],
    doors: NamedDependency[Doors],
) -> DoorsView:
    """Moves the doors, the window of admission, and what is relative to them."""
    row = await doors.delay(event_id, data.minutes, actor, data.reason)
    return msgspec.convert(dict(row), DoorsView)


@post(
    "/events/{event_id:uuid}/gates/{gate_id:uuid}/doors",
    guards=[requires("events", "write")],
    status_code=200,
    summary="Open, hold or close one gate, and name another one",
    tags=TAGS,
)
async def set_gate_doors(
    event_id: FromPath[UUID],
    gate_id: FromPath[UUID],
    data: JSONBody[GateDoorsBody],
    actor: NamedDependency[Actor],
    doors: NamedDependency[Doors],
) -> GateStateView:
    """At the gate within a second; may come twice."""
    row = await doors.set_gate(
        event_id, gate_id, data.state, data.use_instead_id, actor
    )
    return msgspec.convert(dict(row), GateStateView)


ROUTES = (set_doors, delay_doors, set_gate_doors)
