"""What supervisors do, over HTTP: eject, ban, stop, check in and out in bulk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from ops.attendance.acting import Caller
from ops.attendance.bulk import BulkAnswer, BulkBody, BulkCheck
from ops.attendance.ejecting import (
    BanBody,
    BanView,
    EjectAnswer,
    EjectBody,
    Ejecting,
    LiftAnswer,
    LiftBody,
)
from ops.attendance.history import History, StoryLine
from ops.attendance.stops import ReopenBody, StopBody, Stops, StopView
from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.listing import Page, Turn, by_time

TAGS = ["supervisors"]


class BanMade(msgspec.Struct):
    """A ban that holds from now on."""

    id: UUID


@post(
    "/events/{event_id:uuid}/tickets/{ticket_id:uuid}/eject",
    guards=[requires("scans", "write", devices=True)],
    summary="Put somebody out: exit, block, ban, incident and alert in one action",
    tags=TAGS,
    status_code=200,
)
async def eject(
    event_id: FromPath[UUID],
    ticket_id: FromPath[UUID],
    data: JSONBody[EjectBody],
    caller: NamedDependency[Caller],
    ejecting: NamedDependency[Ejecting],
) -> EjectAnswer:
    """By a supervisor; the same id again changes nothing and says `replayed`."""
    return await ejecting.eject(caller, event_id, ticket_id, data)


@post(
    "/events/{event_id:uuid}/bans",
    guards=[requires("scans", "write", devices=True)],
    opt={"idempotent": True},
    summary="Ban somebody from this event or from all",
    tags=TAGS,
)
async def add_ban(
    event_id: FromPath[UUID],
    data: JSONBody[BanBody],
    caller: NamedDependency[Caller],
    ejecting: NamedDependency[Ejecting],
) -> BanMade:
    """Answer 201; at every door within a second."""
    return BanMade(await ejecting.ban(caller, event_id, data))


@get(
    "/events/{event_id:uuid}/bans",
    guards=[requires("attendees", "read")],
    summary="The bans that hold at this event",
    tags=TAGS,
)
async def list_bans(
    event_id: FromPath[UUID],
    ejecting: NamedDependency[Ejecting],
    turn: NamedDependency[Turn],
    lifted: FromQuery[bool] = False,
) -> Page[BanView]:
    """Newest first; `lifted=true` shows those that hold no more as well."""
    rows = await ejecting.page(event_id, lifted, turn.start, turn.limit)
    return turn.page(
        rows, lambda row: msgspec.convert(dict(row), BanView), by_time("created_at")
    )


@post(
    "/events/{event_id:uuid}/bans/{ban_id:uuid}/lift",
    guards=[requires("scans", "write", devices=True)],
    summary="Lift a ban",
    tags=TAGS,
    status_code=200,
)
async def lift_ban(
    event_id: FromPath[UUID],
    ban_id: FromPath[UUID],
    data: JSONBody[LiftBody],
    caller: NamedDependency[Caller],
    ejecting: NamedDependency[Ejecting],
) -> LiftAnswer:
    """The row stays; may come twice."""
    return await ejecting.lift(caller, event_id, ban_id, data)


@post(
    "/events/{event_id:uuid}/admission/stop",
    guards=[requires("scans", "write", devices=True)],
    summary="Stop admission at a gate, in an area or at the whole event",
    tags=TAGS,
    status_code=200,
)
async def stop_admission(
    event_id: FromPath[UUID],
    data: JSONBody[StopBody],
    caller: NamedDependency[Caller],
    stops: NamedDependency[Stops],
) -> list[StopView]:
    """Exits go on. Answers all stops that hold, with devices not heard from since."""
    return await stops.stop(caller, event_id, data)


@post(
    "/events/{event_id:uuid}/admission/reopen",
    guards=[requires("scans", "write", devices=True)],
    summary="Open admission again",
    tags=TAGS,
    status_code=200,
)
async def reopen_admission(
    event_id: FromPath[UUID],
    data: JSONBody[ReopenBody],
    caller: NamedDependency[Caller],
    stops: NamedDependency[Stops],
) -> list[StopView]:
    """One stop or all; by a door manager."""
    return await stops.reopen(caller, event_id, data)


@get(
    "/events/{event_id:uuid}/admission/stops",
    guards=[requires("events", "read", devices=True)],
    summary="The stops that hold, and which devices were not heard from since",
    tags=TAGS,
)
async def active_stops(
    event_id: FromPath[UUID], stops: NamedDependency[Stops]
) -> list[StopView]:
    """Oldest first."""
    return await stops.active(event_id)


@post(
    "/events/{event_id:uuid}/bulk",
    guards=[requires("scans", "write")],
    summary="Check up to 1,000 tickets in or out, through the rules of a door",
    tags=TAGS,
    status_code=200,
)
async def bulk_check(
    event_id: FromPath[UUID],
    data: JSONBody[BulkBody],
    caller: NamedDependency[Caller],
    many: NamedDependency[BulkCheck],
) -> BulkAnswer:
    """An answer for each; the same id again is answered from the log."""
    return await many.run(caller, event_id, data)


@get(
    "/tickets/{ticket_id:uuid}/history",
    guards=[requires("tickets", "read", anywhere=True)],
    summary="The story of a ticket, newest first",
    tags=["tickets"],
)
async def ticket_history(
    ticket_id: FromPath[UUID],
    me: NamedDependency[Staff],
    history: NamedDependency[History],
    turn: NamedDependency[Turn],
) -> Page[StoryLine]:
    """Scans, acts, codes, seats and redemptions; nothing is ever deleted."""
    me.demand("tickets", "read", await history.event_of(ticket_id))
    rows = await history.page(ticket_id, turn.start, turn.limit)
    return turn.page(
        rows, lambda row: msgspec.convert(dict(row), StoryLine), by_time("at")
    )


ROUTES: tuple[Any, ...] = (
    eject,
    add_ban,
    list_bans,
    lift_ban,
    stop_admission,
    reopen_admission,
    active_stops,
    bulk_check,
    ticket_history,
)
