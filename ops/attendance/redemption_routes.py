"""Redemptions over HTTP: giving, undoing, uploading, entitlements, sums."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from ops import decoding
from ops.attendance.acting import Caller
from ops.attendance.entitlements import (
    EntitlementBody,
    Entitlements,
    EntitlementView,
    ItemBody,
    ItemView,
    LeftView,
    PointBody,
    PointView,
    SumsView,
)
from ops.attendance.redemptions import (
    UPLOAD_MAX,
    RedemptionAnswer,
    RedemptionBody,
    Redemptions,
    UndoBody,
    UndoneAnswer,
)
from ops.auth.guards import requires
from ops.errors import ApiError, MalformedBody, TooLarge
from ops.listing import Page, Turn, by_id

TAGS = ["redemptions"]
Vendor = Annotated[str | None, QueryParameter(max_length=100)]

_raw = msgspec.json.Decoder(dict[str, list[msgspec.Raw]])


class PointsView(msgspec.Struct):
    """What can be had, and where."""

    items: list[ItemView]
    points: list[PointView]


class UploadAnswer(msgspec.Struct):
    """One result a record, in order: its answer, or `{"error": ..}`."""

    results: list[Any]


@post(
    "/events/{event_id:uuid}/redemptions",
    guards=[requires("scans", "write", devices=True)],
    summary="Give units of an item for a ticket, once",
    tags=TAGS,
    status_code=200,
)
async def redeem(
    event_id: FromPath[UUID],
    data: JSONBody[RedemptionBody],
    caller: NamedDependency[Caller],
    redemptions: NamedDependency[Redemptions],
) -> RedemptionAnswer:
    """Redeemed, refused or hold, with `left`; the same id is the same answer."""
    return await redemptions.redeem(caller, event_id, data)


@post(
    "/events/{event_id:uuid}/redemptions/batch",
    guards=[requires("scans", "write", devices=True)],
    summary="Upload up to 1,000 redemptions, each on its own",
    tags=TAGS,
    status_code=200,
)
async def upload(
    request: Request[Any, Any, Any],
    event_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    redemptions: NamedDependency[Redemptions],
) -> UploadAnswer:
    """`{"redemptions": [..]}`; results in order, a bad record stops no other."""
    try:
        records = _raw.decode(await request.body())["redemptions"]
    except KeyError:
        raise MalformedBody("The field `redemptions` is missing.") from None
    except decoding.UNREADABLE as error:
        raise decoding.refusal(error) from None
    if len(records) > UPLOAD_MAX:
        raise TooLarge(f"At most {UPLOAD_MAX} a batch.", code="batch_too_large")

    async def one(record: msgspec.Raw) -> object:
        try:
            body = decoding.decode(RedemptionBody, bytes(record))
            return await redemptions.redeem(caller, event_id, body)
        except ApiError as error:
            return {"error": {"code": error.code, "detail": error.detail}}

    return UploadAnswer(list(await asyncio.gather(*map(one, records))))


@post(
    "/events/{event_id:uuid}/redemptions/{redemption_id:uuid}/undo",
    guards=[requires("scans", "write", devices=True)],
    summary="Take a redemption back, for two minutes",
    tags=TAGS,
    status_code=200,
)
async def undo_redemption(
    event_id: FromPath[UUID],
    redemption_id: FromPath[UUID],
    data: JSONBody[UndoBody],
    caller: NamedDependency[Caller],
    redemptions: NamedDependency[Redemptions],
) -> UndoneAnswer:
    """The row stays; the units can be had again."""
    return await redemptions.undo(caller, event_id, redemption_id, data)


@get(
    "/events/{event_id:uuid}/redemption-points",
    guards=[requires("scans", "read", devices=True)],
    summary="What can be redeemed, and where",
    tags=TAGS,
)
async def points(
    event_id: FromPath[UUID], entitlements: NamedDependency[Entitlements]
) -> PointsView:
    """For a device to choose from."""
    return PointsView(*await entitlements.lists(event_id))


@post(
    "/events/{event_id:uuid}/items",
    guards=[requires("tickets", "write")],
    opt={"idempotent": True},
    summary="Add something to redeem",
    tags=TAGS,
)
async def add_item(
    event_id: FromPath[UUID],
    data: JSONBody[ItemBody],
    caller: NamedDependency[Caller],
    entitlements: NamedDependency[Entitlements],
) -> ItemView:
    """Answer 201."""
    return await entitlements.add_item(caller, event_id, data)


@post(
    "/events/{event_id:uuid}/redemption-points",
    guards=[requires("tickets", "write")],
    opt={"idempotent": True},
    summary="Add a bar or counter",
    tags=TAGS,
)
async def add_point(
    event_id: FromPath[UUID],
    data: JSONBody[PointBody],
    caller: NamedDependency[Caller],
    entitlements: NamedDependency[Entitlements],
) -> PointView:
    """Answer 201."""
    return await entitlements.add_point(caller, event_id, data)


@post(
    "/events/{event_id:uuid}/entitlements",
    guards=[requires("tickets", "write")],
    opt={"idempotent": True},
    summary="Say what a ticket type or a ticket is good for",
    tags=TAGS,
)
async def add_entitlement(
    event_id: FromPath[UUID],
    data: JSONBody[EntitlementBody],
    caller: NamedDependency[Caller],
    entitlements: NamedDependency[Entitlements],
) -> EntitlementView:
    """Answer 201."""
    return await entitlements.add_entitlement(caller, event_id, data)


@get(
    "/events/{event_id:uuid}/entitlements",
    guards=[requires("tickets", "read")],
    summary="What tickets are good for",
    tags=TAGS,
)
async def list_entitlements(
    event_id: FromPath[UUID],
    entitlements: NamedDependency[Entitlements],
    turn: NamedDependency[Turn],
) -> Page[EntitlementView]:
    """Oldest first."""
    rows = await entitlements.page(event_id, turn.after_id, turn.limit)
    return turn.page(
        rows, lambda row: msgspec.convert(dict(row), EntitlementView), by_id
    )


@get(
    "/events/{event_id:uuid}/tickets/{ticket_id:uuid}/entitlements",
    guards=[requires("tickets", "read", devices=True)],
    summary="What a ticket has left of each item",
    tags=TAGS,
)
async def ticket_left(
    event_id: FromPath[UUID],
    ticket_id: FromPath[UUID],
    entitlements: NamedDependency[Entitlements],
) -> list[LeftView]:
    """Over all times, whatever the clock says."""
    return await entitlements.left(event_id, ticket_id)


@get(
    "/events/{event_id:uuid}/redemptions/sums",
    guards=[requires("analytics", "read")],
    summary="What was given, by point, item, hour and operator",
    tags=TAGS,
)
async def sums(
    event_id: FromPath[UUID],
    entitlements: NamedDependency[Entitlements],
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    vendor: FromQuery[Vendor] = None,
) -> SumsView:
    """Without what was undone."""
    return await entitlements.sums(event_id, since, until, vendor)


@get(
    "/events/{event_id:uuid}/redemptions/sums.csv",
    guards=[requires("analytics", "read")],
    summary="The sums as CSV, for the vendor",
    tags=TAGS,
    media_type="text/csv",
)
async def sums_csv(
    event_id: FromPath[UUID],
    entitlements: NamedDependency[Entitlements],
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    vendor: FromQuery[Vendor] = None,
) -> Stream:
    """One line a point, item, hour and operator."""
    return Stream(
        entitlements.sums_csv(event_id, since, until, vendor),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="redemptions.csv"'},
    )


ROUTES: tuple[Any, ...] = (
    redeem,
    upload,
    undo_redemption,
    points,
    add_item,
    add_point,
    add_entitlement,
    list_entitlements,
    ticket_left,
    sums,
    sums_csv,
)
