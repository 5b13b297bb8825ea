"""Routes for organisers: write an announcement, count whom it reaches, send it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from ops.announcements.audience import Segments, segments_of
from ops.announcements.content import Words
from ops.announcements.sending import Recipients
from ops.announcements.service import Announcements, Draft, draft_of
from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.decoding import refusal
from ops.listing import Page, Turn, by_id, by_time

TAGS = ["announcements"]
_READ = [requires("announcements", "read")]
_WRITE = [requires("announcements", "write")]

Status = Literal["draft", "scheduled", "sent", "cancelled"]
Channel = Literal["in_app", "email", "push", "sms"]


class AnnouncementView(msgspec.Struct, kw_only=True):
    """An announcement; figures are people, `counted` is fixed when it is sent."""

    id: UUID
    status: str
    title: str
    content: str
    translations: dict[str, Words]
    priority: str
    target_audience: str
    target_segments: Segments
    delivery_method: list[str]
    session_id: UUID | None
    link_url: str | None
    commercial: bool
    chain: bool
    chain_after_s: int
    corrects_id: UUID | None
    scheduled_for: datetime | None
    sent_at: datetime | None
    counted: int | None
    delivered: int
    opened: int
    clicked: int
    created_at: datetime


class ChannelView(msgspec.Struct):
    """One channel: delivered + missed = counted."""

    channel: str
    counted: int
    delivered: int
    opened: int
    clicked: int
    missed: int
    failed: int


class AnnouncementDetail(AnnouncementView, kw_only=True):
    """With what each channel did."""

    channels: list[ChannelView]


class RecipientView(msgspec.Struct):
    """One person, or device of the staff, on one channel."""

    id: UUID
    kind: str
    name: str | None
    channel: str
    attempted_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None
    failure: str | None


class Changes(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a PATCH may carry: any field of a draft."""

    title: str | msgspec.UnsetType = msgspec.UNSET
    content: str | msgspec.UnsetType = msgspec.UNSET
    priority: str | msgspec.UnsetType = msgspec.UNSET
    target_audience: str | msgspec.UnsetType = msgspec.UNSET
    target_segments: Segments | msgspec.UnsetType = msgspec.UNSET
    delivery_method: list[str] | msgspec.UnsetType = msgspec.UNSET
    session_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    translations: dict[str, Words] | msgspec.UnsetType = msgspec.UNSET
    link_url: str | msgspec.UnsetType | None = msgspec.UNSET
    commercial: bool | msgspec.UnsetType = msgspec.UNSET
    chain: bool | msgspec.UnsetType = msgspec.UNSET
    chain_after_s: int | msgspec.UnsetType = msgspec.UNSET
    corrects_id: UUID | msgspec.UnsetType | None = msgspec.UNSET


class SendBody(msgspec.Struct, forbid_unknown_fields=True):
    """When: `at` a time, `at_once`, or (neither) in ten seconds."""

    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    at_once: bool | None = None


@get(
    "/events/{event_id:uuid}/announcements",
    guards=_READ,
    summary="Announcements of an event, newest first",
    tags=TAGS,
)
async def list_announcements(
    event_id: FromPath[UUID],
    announcements: NamedDependency[Announcements],
    turn: NamedDependency[Turn],
    status: FromQuery[Status | None] = None,
) -> Page[AnnouncementView]:
    """One statement a page."""
    rows = await announcements.page(event_id, status, turn.start, turn.limit)
    return turn.page(rows, _view, by_time("created_at"))


@post(
    "/events/{event_id:uuid}/announcements",
    guards=_WRITE,
    opt={"idempotent": True},
    summary="Write a draft",
    tags=TAGS,
)
async def create_announcement(
    event_id: FromPath[UUID],
    data: JSONBody[Draft],
    me: NamedDependency[Staff],
    announcements: NamedDependency[Announcements],
) -> AnnouncementView:
    """Answer 201 with the draft; nothing is sent."""
    return _view(await announcements.create(event_id, data, me.user_id))


@get(
    "/events/{event_id:uuid}/announcements/{announcement_id:uuid}",
    guards=_READ,
    summary="One announcement and what each channel did",
    tags=TAGS,
)
async def read_announcement(
    event_id: FromPath[UUID],
    announcement_id: FromPath[UUID],
    announcements: NamedDependency[Announcements],
) -> AnnouncementDetail:
    """Two statements."""
    row, channels = await announcements.one(event_id, announcement_id)
    return AnnouncementDetail(
        **_fields(row),
        channels=[msgspec.convert(dict(line), ChannelView) for line in channels],
    )


@patch(
    "/events/{event_id:uuid}/announcements/{announcement_id:uuid}",
    guards=_WRITE,
    summary="Change what has not been sent",
    tags=TAGS,
)
async def change_announcement(
    event_id: FromPath[UUID],
    announcement_id: FromPath[UUID],
    data: JSONBody[Changes],
    announcements: NamedDependency[Announcements],
) -> AnnouncementView:
    """Fields that are not named stay; 409 `already_sent` where it has gone."""
    row, _ = await announcements.one(event_id, announcement_id)
    merged = {**msgspec.to_builtins(draft_of(row)), **msgspec.to_builtins(data)}
    try:
        draft = msgspec.convert(merged, Draft)
    except msgspec.ValidationError as error:
        raise refusal(error) from None
    return _view(await announcements.change(event_id, announcement_id, draft))


@delete(
    "/events/{event_id:uuid}/announcements/{announcement_id:uuid}",
    guards=_WRITE,
    summary="Delete a draft",
    tags=TAGS,
)
async def delete_announcement(
    event_id: FromPath[UUID],
    announcement_id: FromPath[UUID],
    announcements: NamedDependency[Announcements],
) -> None:
    """409 `not_a_draft` for what is part of the record."""
    await announcements.remove(event_id, announcement_id)


@post(
    "/events/{event_id:uuid}/announcements/preview",
    guards=_WRITE,
    status_code=200,
    summary="Count whom a draft would reach now, in all and by channel",
    tags=TAGS,
)
async def preview_announcement(
    event_id: FromPath[UUID],
    data: JSONBody[Draft],
    announcements: NamedDependency[Announcements],
) -> Recipients:
    """Counted by the statement that a send uses; keeps and sends nothing."""
    return await announcements.preview(event_id, data)


@post(
    "/events/{event_id:uuid}/announcements/{announcement_id:uuid}/send",
    guards=_WRITE,
    status_code=200,
    opt={"idempotent": True},
    summary="Send at a time, in ten seconds, or at once",
    tags=TAGS,
)
async def send_announcement(
    event_id: FromPath[UUID],
    announcement_id: FromPath[UUID],
    data: JSONBody[SendBody],
    announcements: NamedDependency[Announcements],
) -> AnnouncementView:
    """Urgent ones go at once; the others can be cancelled for ten seconds."""
    row = await announcements.send(event_id, announcement_id, data.at, data.at_once)
    return _view(row)


@post(
    "/events/{event_id:uuid}/announcements/{announcement_id:uuid}/cancel",
    guards=_WRITE,
    status_code=200,
    summary="Take back what has not gone",
    tags=TAGS,
)
async def cancel_announcement(
    event_id: FromPath[UUID],
    announcement_id: FromPath[UUID],
    announcements: NamedDependency[Announcements],
) -> AnnouncementView:
    """409 `already_sent` where only a correction helps."""
    return _view(await announcements.cancel(event_id, announcement_id))


@get(
    "/events/{event_id:uuid}/announcements/{announcement_id:uuid}/recipients",
    guards=[requires("announcements", "write")],
    summary="Who was meant, by name, and who was not reached",
    tags=TAGS,
)
async def list_recipients(
    event_id: FromPath[UUID],
    announcement_id: FromPath[UUID],
    announcements: NamedDependency[Announcements],
    turn: NamedDependency[Turn],
    channel: FromQuery[Channel] = "in_app",
    reached: FromQuery[bool | None] = None,
) -> Page[RecipientView]:
    """By recipient; `reached=false` lists the missed ones."""
    rows = await announcements.recipients(
        event_id, announcement_id, channel, reached, turn.after_id, turn.limit
    )
    return turn.page(rows, lambda row: msgspec.convert(dict(row), RecipientView), by_id)


def _fields(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "status": row["status"] or "draft",
        "title": row["title"],
        "content": row["content"],
        "translations": msgspec.convert(row["translations"], dict[str, Words]),
        "priority": row["priority"] or "normal",
        "target_audience": row["target_audience"] or "all",
        "target_segments": segments_of(row["target_segments"]),
        "delivery_method": row["delivery_method"] or ["in_app"],
        "session_id": row["session_id"],
        "link_url": row["link_url"],
        "commercial": row["commercial"],
        "chain": row["chain"],
        "chain_after_s": row["chain_after_s"],
        "corrects_id": row["corrects_id"],
        "scheduled_for": row["scheduled_for"],
        "sent_at": row["sent_at"],
        "counted": row["audience_count"],
        "delivered": row["delivery_count"] or 0,
        "opened": row["open_count"] or 0,
        "clicked": row["click_count"] or 0,
        "created_at": row["created_at"],
    }


def _view(row: Any) -> AnnouncementView:
    return AnnouncementView(**_fields(row))


ROUTES: tuple[Any, ...] = (
    list_announcements,
    create_announcement,
    read_announcement,
    change_announcement,
    delete_announcement,
    preview_announcement,
    send_announcement,
    cancel_announcement,
    list_recipients,
)
