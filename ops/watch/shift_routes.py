"""Routes for shifts, and for who is at the gates now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from ops.auth.guards import requires
from ops.listing import Page, Turn, by_time
from ops.watch.shifts import Shifts
from ops.watch.staffing import Staffing

TAGS = ["shifts"]
Moment = Annotated[datetime, Meta(tz=True)]


class ShiftBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who works where; without a gate: anywhere."""

    operator_id: UUID
    starts_at: Moment
    ends_at: Moment
    gate_id: UUID | None = None
    note: Annotated[str, Meta(max_length=500)] | None = None


class ShiftView(msgspec.Struct):
    """A planned shift."""

    id: UUID
    operator_id: UUID
    operator: str
    role: str
    gate_id: UUID | None
    gate: str | None
    starts_at: datetime
    ends_at: datetime
    note: str | None


def view(row: Any) -> ShiftView:
    """The view of a row."""
    return msgspec.convert(dict(row), ShiftView)


@get(
    "/events/{event_id:uuid}/shifts",
    guards=[requires("operators", "read")],
    summary="The plan of shifts, in the order in which they begin",
    tags=TAGS,
)
async def list_shifts(
    event_id: FromPath[UUID],
    shifts: NamedDependency[Shifts],
    turn: NamedDependency[Turn],
) -> Page[ShiftView]:
    """All of the event."""
    rows = await shifts.page(event_id, turn.start, turn.limit)
    return turn.page(rows, view, by_time("starts_at"))


@post(
    "/events/{event_id:uuid}/shifts",
    guards=[requires("operators", "write")],
    opt={"idempotent": True},
    summary="Plan a shift",
    tags=TAGS,
)
async def add_shift(
    event_id: FromPath[UUID],
    data: JSONBody[ShiftBody],
    shifts: NamedDependency[Shifts],
) -> ShiftView:
    """Operator and gate are of this event."""
    row = await shifts.add(
        event_id,
        data.operator_id,
        data.gate_id,
        data.starts_at,
        data.ends_at,
        data.note,
    )
    return view(row)


@delete(
    "/events/{event_id:uuid}/shifts/{shift_id:uuid}",
    guards=[requires("operators", "write")],
    status_code=204,
    summary="Take a shift out of the plan",
    tags=TAGS,
)
async def remove_shift(
    event_id: FromPath[UUID],
    shift_id: FromPath[UUID],
    shifts: NamedDependency[Shifts],
) -> None:
    """What was done on it stays in the log."""
    await shifts.remove(event_id, shift_id)


@get(
    "/events/{event_id:uuid}/staffing",
    guards=[requires("operators", "read")],
    summary="Who should be at the gates now, and who is",
    tags=TAGS,
)
async def staff_now(
    event_id: FromPath[UUID], shifts: NamedDependency[Shifts]
) -> Staffing:
    """Shifts that run or begin within 15 minutes; who is missing comes first."""
    return await shifts.now(event_id)


ROUTES = (list_shifts, add_shift, remove_shift, staff_now)
