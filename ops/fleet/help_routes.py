"""Routes for calls for help."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from ops.auth.guards import device_required, requires
from ops.auth.subjects import DeviceIdentity, Staff
from ops.fleet.help_calls import HelpCalls, Kind, Queue
from ops.listing import Page, Turn, by_time

TAGS = ["help"]
Note = Annotated[str, Meta(max_length=500)]


class HelpCallBody(msgspec.Struct, forbid_unknown_fields=True):
    """A call; `id` is made by the device, `called_at` is when the button was pressed.

    `queue` says how long the queue is, for calls of that kind.
    """

    id: UUID
    kind: Kind
    queue: Queue | None = None
    note: Note | None = None
    called_at: Annotated[datetime, Meta(tz=True)] | None = None


class HelpCallView(msgspec.Struct):
    """A call, and who has seen it (a first name)."""

    id: UUID
    kind: str
    queue: str | None
    note: str | None
    gate_id: UUID | None
    gate: str | None
    device_id: UUID | None
    device: str | None
    operator_id: UUID | None
    operator: str | None
    called_at: datetime
    received_at: datetime
    seen_at: datetime | None
    seen_by: str | None
    closed_at: datetime | None


def view(row: Any) -> HelpCallView:
    """The view of a row."""
    return msgspec.convert(dict(row), HelpCallView)


@post(
    "/events/{event_id:uuid}/help-calls",
    guards=[device_required],
    status_code=200,
    summary="Call for help from a device",
    tags=TAGS,
)
async def call_for_help(
    event_id: FromPath[UUID],
    data: JSONBody[HelpCallBody],
    device: NamedDependency[DeviceIdentity],
    help_calls: NamedDependency[HelpCalls],
) -> HelpCallView:
    """May come twice with the same id; gate and operator are those of the device."""
    row = await help_calls.call(
        device, event_id, data.id, data.kind, data.queue, data.note, data.called_at
    )
    return view(row)


@get(
    "/devices/help-calls",
    guards=[device_required],
    summary="The newest calls of this device, and who has seen them",
    tags=TAGS,
)
async def my_help_calls(
    device: NamedDependency[DeviceIdentity], help_calls: NamedDependency[HelpCalls]
) -> list[HelpCallView]:
    """Newest first, at most ten of the last twelve hours."""
    return [view(row) for row in await help_calls.mine(device)]


@get(
    "/events/{event_id:uuid}/help-calls",
    guards=[requires("incidents", "read")],
    summary="Calls for help, newest first",
    tags=TAGS,
)
async def list_help_calls(
    event_id: FromPath[UUID],
    help_calls: NamedDependency[HelpCalls],
    turn: NamedDependency[Turn],
    closed: FromQuery[bool] = False,
) -> Page[HelpCallView]:
    """Open ones; with `closed` all."""
    rows = await help_calls.page(event_id, closed, turn.start, turn.limit)
    return turn.page(rows, view, by_time("received_at"))


@post(
    "/events/{event_id:uuid}/help-calls/{call_id:uuid}/seen",
    guards=[requires("incidents", "write")],
    status_code=200,
    summary="Say that somebody looks after a call",
    tags=TAGS,
)
async def see_help_call(
    event_id: FromPath[UUID],
    call_id: FromPath[UUID],
    me: NamedDependency[Staff],
    help_calls: NamedDependency[HelpCalls],
) -> HelpCallView:
    """The first one counts; the device shows the name and the time."""
    return view(await help_calls.see(event_id, call_id, me.user_id))


@post(
    "/events/{event_id:uuid}/help-calls/{call_id:uuid}/close",
    guards=[requires("incidents", "write")],
    status_code=200,
    summary="End a call",
    tags=TAGS,
)
async def close_help_call(
    event_id: FromPath[UUID],
    call_id: FromPath[UUID],
    me: NamedDependency[Staff],
    help_calls: NamedDependency[HelpCalls],
) -> HelpCallView:
    """May come twice; an unseen call is seen by whoever ends it."""
    return view(await help_calls.close(event_id, call_id, me.user_id))


ROUTES = (
    call_for_help,
    my_help_calls,
    list_help_calls,
    see_help_call,
    close_help_call,
)
