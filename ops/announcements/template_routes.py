"""Routes for organisers: templates, and which channels can be used."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from ops.announcements.providers import ChannelState, states
from ops.announcements.templates import Purpose, TemplateBody, Templates, body_of
from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.listing import Page, Turn, by_time
from ops.settings import Settings

TAGS = ["announcements"]
_READ = [requires("announcements", "read")]
_WRITE = [requires("announcements", "write")]


class TemplateView(TemplateBody, kw_only=True):
    """A template that is kept."""

    id: UUID
    created_at: datetime
    updated_at: datetime


@get(
    "/events/{event_id:uuid}/announcement-templates",
    guards=_READ,
    summary="Templates of an event, newest first",
    tags=TAGS,
)
async def list_templates(
    event_id: FromPath[UUID],
    templates: NamedDependency[Templates],
    turn: NamedDependency[Turn],
    purpose: FromQuery[Purpose | None] = None,
) -> Page[TemplateView]:
    """One statement a page."""
    rows = await templates.page(event_id, purpose, turn.start, turn.limit)
    return turn.page(rows, _view, by_time("created_at"))


@post(
    "/events/{event_id:uuid}/announcement-templates",
    guards=_WRITE,
    opt={"idempotent": True},
    summary="Keep a template",
    tags=TAGS,
)
async def create_template(
    event_id: FromPath[UUID],
    data: JSONBody[TemplateBody],
    me: NamedDependency[Staff],
    templates: NamedDependency[Templates],
) -> TemplateView:
    """409 `name_taken` where the event has one of this name."""
    return _view(await templates.save(event_id, data, me.user_id))


@put(
    "/events/{event_id:uuid}/announcement-templates/{template_id:uuid}",
    guards=_WRITE,
    summary="Write a template anew",
    tags=TAGS,
)
async def change_template(
    event_id: FromPath[UUID],
    template_id: FromPath[UUID],
    data: JSONBody[TemplateBody],
    me: NamedDependency[Staff],
    templates: NamedDependency[Templates],
) -> TemplateView:
    """What was sent from it stays as it was."""
    return _view(await templates.save(event_id, data, me.user_id, template_id))


@delete(
    "/events/{event_id:uuid}/announcement-templates/{template_id:uuid}",
    guards=_WRITE,
    summary="Delete a template",
    tags=TAGS,
)
async def delete_template(
    event_id: FromPath[UUID],
    template_id: FromPath[UUID],
    templates: NamedDependency[Templates],
) -> None:
    """What was sent from it stays."""
    await templates.remove(event_id, template_id)


@get(
    "/events/{event_id:uuid}/announcement-channels",
    guards=_READ,
    summary="Which ways of sending are set up here, and why one is not",
    tags=TAGS,
)
async def list_channels(
    event_id: FromPath[UUID], settings: NamedDependency[Settings]
) -> list[ChannelState]:
    """`configured` false: receipts of this channel fail at once, visibly."""
    return states(mail=bool(settings.smtp_url))


def _view(row: Any) -> TemplateView:
    return TemplateView(
        **msgspec.structs.asdict(body_of(row)),
        id=row["id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


ROUTES: tuple[Any, ...] = (
    list_templates,
    create_template,
    change_template,
    delete_template,
    list_channels,
)
