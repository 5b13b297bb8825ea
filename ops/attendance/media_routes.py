"""Wristbands and badges: bound, listed, lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from ops.attendance.acting import Caller
from ops.attendance.media import (
    BindBody,
    ListAnswer,
    ListBody,
    LostBody,
    Media,
    MediumAnswer,
)
from ops.auth.guards import requires

TAGS = ["media"]


@post(
    "/events/{event_id:uuid}/media/bind",
    guards=[requires("scans", "write", devices=True)],
    summary="Bind a wristband or badge to a ticket",
    tags=TAGS,
    status_code=200,
)
async def bind_medium(
    event_id: FromPath[UUID],
    data: JSONBody[BindBody],
    caller: NamedDependency[Caller],
    media: NamedDependency[Media],
) -> MediumAnswer:
    """May come twice; of two tickets that are offered one band, one gets it."""
    return await media.bind(caller, event_id, data)


@post(
    "/events/{event_id:uuid}/media/list",
    guards=[requires("tickets", "write")],
    opt={"idempotent": True},
    summary="Bind or stock up to 1,000 bands, each on its own",
    tags=TAGS,
    status_code=200,
)
async def list_media(
    event_id: FromPath[UUID],
    data: JSONBody[ListBody],
    caller: NamedDependency[Caller],
    media: NamedDependency[Media],
) -> ListAnswer:
    """Answer each row, in order; a bad one stops no other."""
    return await media.bind_list(caller, event_id, data)


@post(
    "/events/{event_id:uuid}/media/lost",
    guards=[requires("scans", "write", devices=True)],
    summary="A band was lost: it is dead, and another takes its place",
    tags=TAGS,
    status_code=200,
)
async def lost_medium(
    event_id: FromPath[UUID],
    data: JSONBody[LostBody],
    caller: NamedDependency[Caller],
    media: NamedDependency[Media],
) -> MediumAnswer:
    """In one action, by a supervisor, with a reason."""
    return await media.lost(caller, event_id, data)


ROUTES: tuple[Any, ...] = (bind_medium, list_media, lost_medium)
