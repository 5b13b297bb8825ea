"""POST /presets/events: a new event from a preset, or as a copy of an earlier one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from ops.audit.entry import Actor
from ops.auth.guards import requires, staff_required
from ops.auth.subjects import Staff
from ops.errors import FieldProblem, Unprocessable
from ops.presets.blueprint import Wish
from ops.presets.making import NAMES, EventMaker, PresetName, preset

TAGS = ["events"]
Moment = Annotated[datetime, Meta(tz=True)]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}$")]


class EventBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new event: `preset` or `copy_of`, one of them; what is left out is theirs.

    `devices`: of a copy, whether the devices serve the new event as well.
    """

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    starts_at: Moment
    ends_at: Moment | None = None
    preset: PresetName | None = None
    copy_of: UUID | None = None
    devices: bool = True
    timezone: str | None = None
    capacity: Annotated[int, Meta(ge=1, le=2_147_483_647)] | None = None
    venue_id: UUID | None = None
    languages: Annotated[list[Language], Meta(min_length=1, max_length=8)] | None = None


class MadeView(msgspec.Struct):
    """The new event; it is a draft."""

    id: UUID


class PresetView(msgspec.Struct):
    """A preset in short, to choose from."""

    name: str
    event_type: str
    capacity: int
    day_starts_at: str
    gates: list[str]
    areas: list[str]
    types: list[str]
    tracks_exits: bool
    re_entry: str


@post(
    "/presets/events",
    guards=[requires("events", "write", anywhere=True)],
    opt={"idempotent": True},
    summary="Make an event from a preset, or as a copy of an earlier one",
    tags=TAGS,
)
async def create_event(
    data: JSONBody[EventBody],
    me: NamedDependency[Staff],
    actor: NamedDependency[Actor],
    event_maker: NamedDependency[EventMaker],
) -> MadeView:
    """Areas, gates, scopes, types and rules come with it; tickets and people do not."""
    me.demand("events", "write", None)
    if (data.preset is None) == (data.copy_of is None):
        raise _refused("preset", "preset_or_copy", "Name a preset or an event.")
    if data.timezone is not None and data.timezone not in available_timezones():
        raise _refused("timezone", "unknown_timezone", "Use a name like Europe/Paris.")
    wish = Wish(
        data.title,
        data.starts_at,
        data.ends_at,
        data.timezone,
        data.capacity,
        data.venue_id,
        data.languages,
    )
    if data.preset is not None:
        return MadeView(await event_maker.from_preset(data.preset, wish, actor))
    assert data.copy_of is not None
    made = await event_maker.copy(data.copy_of, wish, actor, devices=data.devices)
    return MadeView(made)


@get(
    "/presets",
    guards=[staff_required],
    summary="The presets an event may begin with",
    tags=TAGS,
    sync_to_thread=False,
)
def list_presets() -> list[PresetView]:
    """Each in short."""
    return [_short(name) for name in NAMES]


def _short(name: PresetName) -> PresetView:
    found = preset(name)
    venue = next(scope for scope in found.scopes if scope["kind"] == "venue")
    return PresetView(
        name,
        found.event["event_type"],
        found.event["capacity"],
        found.event["day_starts_at"],
        [row["name"] for row in found.gates],
        [row["name"] for row in found.areas],
        [row["name"] for row in found.types],
        venue["tracks_exits"],
        venue["re_entry"],
    )


def _refused(field: str, code: str, detail: str) -> Unprocessable:
    return Unprocessable(detail, code=code, errors=[FieldProblem(field, code, detail)])


ROUTES = (create_event, list_presets)
