"""Guest lists over HTTP: hosts, quotas, guests, approvals."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from ops.attendance.acting import Caller
from ops.attendance.guest_lists import (
    DecidedAnswer,
    Decision,
    DecisionBody,
    EntryAnswer,
    EntryView,
    GuestBody,
    GuestLists,
    GuestListView,
    ListBody,
    QuotaBody,
)
from ops.auth.guards import requires, staff_required
from ops.auth.subjects import Staff
from ops.errors import Forbidden
from ops.listing import Page, Turn, by_id, by_time

TAGS = ["guest lists"]
Status = Annotated[
    str | None, QueryParameter(pattern="^(pending|approved|declined|withdrawn)$")
]


@post(
    "/events/{event_id:uuid}/guest-lists",
    guards=[requires("tickets", "write")],
    opt={"idempotent": True},
    summary="Give a host a list with a quota",
    tags=TAGS,
)
async def add_list(
    event_id: FromPath[UUID],
    data: JSONBody[ListBody],
    caller: NamedDependency[Caller],
    guest_lists: NamedDependency[GuestLists],
) -> GuestListView:
    """Answer 201."""
    return await guest_lists.add(caller, event_id, data)


@patch(
    "/events/{event_id:uuid}/guest-lists/{list_id:uuid}",
    guards=[requires("tickets", "write")],
    summary="Change the quota of a list",
    tags=TAGS,
)
async def set_quota(
    event_id: FromPath[UUID],
    list_id: FromPath[UUID],
    data: JSONBody[QuotaBody],
    caller: NamedDependency[Caller],
    guest_lists: NamedDependency[GuestLists],
) -> GuestListView:
    """Guests beyond a smaller quota stay."""
    return await guest_lists.set_quota(caller, event_id, list_id, data.quota)


@get(
    "/events/{event_id:uuid}/guest-lists",
    guards=[staff_required],
    summary="The guest lists of an event; a host sees his own",
    tags=TAGS,
)
async def list_lists(
    event_id: FromPath[UUID],
    me: NamedDependency[Staff],
    guest_lists: NamedDependency[GuestLists],
    turn: NamedDependency[Turn],
) -> Page[GuestListView]:
    """Oldest first."""
    host = None if me.may("tickets", "read", event_id) else me.user_id
    rows = await guest_lists.page(event_id, host, turn.after_id, turn.limit)
    return turn.page(rows, lambda row: msgspec.convert(dict(row), GuestListView), by_id)


@post(
    "/events/{event_id:uuid}/guest-lists/{list_id:uuid}/entries",
    guards=[staff_required],
    opt={"idempotent": True},
    summary="Put a guest on a list",
    tags=TAGS,
)
async def add_guest(
    event_id: FromPath[UUID],
    list_id: FromPath[UUID],
    data: JSONBody[GuestBody],
    me: NamedDependency[Staff],
    caller: NamedDependency[Caller],
    guest_lists: NamedDependency[GuestLists],
) -> EntryAnswer:
    """Answer 201 with the ticket; by the host or who may write tickets."""
    return await guest_lists.add_guest(me, caller, event_id, list_id, data)


@get(
    "/events/{event_id:uuid}/guest-lists/{list_id:uuid}/entries",
    guards=[staff_required],
    summary="The guests of a list",
    tags=TAGS,
)
async def list_guests(
    event_id: FromPath[UUID],
    list_id: FromPath[UUID],
    me: NamedDependency[Staff],
    guest_lists: NamedDependency[GuestLists],
    turn: NamedDependency[Turn],
    status: FromQuery[Status] = None,
) -> Page[EntryView]:
    """Oldest first; a host sees the guests of his lists only."""
    found = await guest_lists.one(event_id, list_id)
    if found.host_user_id != me.user_id and not me.may("tickets", "read", event_id):
        raise Forbidden()
    rows = await guest_lists.entries(event_id, list_id, status, turn.start, turn.limit)
    return turn.page(
        rows, lambda row: msgspec.convert(dict(row), EntryView), by_time("created_at")
    )


_DECISIONS: dict[Decision, tuple[str, str]] = {
    "approved": ("approve", "Approve a guest: the ticket opens doors"),
    "declined": ("decline", "Decline a guest: the ticket is cancelled"),
    "withdrawn": ("withdraw", "Take a guest off a list"),
}


def _decide(decision: Decision, verb: str, summary: str) -> HTTPRouteHandler:
    @post(
        "/events/{event_id:uuid}/guest-lists/{list_id:uuid}/entries"
        f"/{{entry_id:uuid}}/{verb}",
        guards=[staff_required],
        operation_id=f"{verb}_guest",
        summary=summary,
        tags=TAGS,
        status_code=200,
    )
    async def handler(
        event_id: FromPath[UUID],
        list_id: FromPath[UUID],
        entry_id: FromPath[UUID],
        data: JSONBody[DecisionBody],
        me: NamedDependency[Staff],
        caller: NamedDependency[Caller],
        guest_lists: NamedDependency[GuestLists],
    ) -> DecidedAnswer:
        """May come twice; at every door within a second."""
        return await guest_lists.decide(
            me, caller, event_id, list_id, entry_id, decision, data.reason
        )

    return handler


ROUTES: tuple[Any, ...] = (
    add_list,
    set_quota,
    list_lists,
    add_guest,
    list_guests,
    *(_decide(decision, *words) for decision, words in _DECISIONS.items()),
)
