"""Seats of sessions and the credit report over HTTP."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from ops.attendance.acting import Caller
from ops.attendance.credits import SHARE_DEFAULT, CreditLine, Credits
from ops.attendance.registrations import (
    CancelAnswer,
    RegisterAnswer,
    RegisterBody,
    RegistrationLine,
    Registrations,
    SeatsView,
)
from ops.auth.guards import requires
from ops.errors import MalformedBody
from ops.listing import Page, Turn, by_time

TAGS = ["sessions"]
Share = Annotated[
    int,
    QueryParameter(ge=1, le=100, description="Percent of the session for a credit."),
]
Status = Annotated[
    str | None,
    QueryParameter(pattern="^(registered|waitlist|released|cancelled)$"),
]


@post(
    "/events/{event_id:uuid}/sessions/{session_id:uuid}/registrations",
    guards=[requires("scans", "write", devices=True)],
    opt={"idempotent": True},
    summary="Register a ticket for a session, or put it on the waitlist",
    tags=TAGS,
    status_code=200,
)
async def register(
    event_id: FromPath[UUID],
    session_id: FromPath[UUID],
    data: JSONBody[RegisterBody],
    caller: NamedDependency[Caller],
    registrations: NamedDependency[Registrations],
) -> RegisterAnswer:
    """May come twice: the second says `replayed`. 422 with the reason if refused."""
    return await registrations.register(caller, event_id, session_id, data)


@post(
    "/events/{event_id:uuid}/sessions/{session_id:uuid}/registrations"
    "/{ticket_id:uuid}/cancel",
    guards=[requires("scans", "write", devices=True)],
    summary="Cancel a registration; the first who waits gets the seat at once",
    tags=TAGS,
    status_code=200,
)
async def cancel(
    event_id: FromPath[UUID],
    session_id: FromPath[UUID],
    ticket_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    registrations: NamedDependency[Registrations],
) -> CancelAnswer:
    """May come twice."""
    return await registrations.cancel(caller, event_id, session_id, ticket_id)


@get(
    "/events/{event_id:uuid}/sessions/{session_id:uuid}/registrations",
    guards=[requires("sessions", "read")],
    summary="Who is registered for a session, waits, or gave the seat back",
    tags=TAGS,
)
async def list_registrations(
    event_id: FromPath[UUID],
    session_id: FromPath[UUID],
    registrations: NamedDependency[Registrations],
    turn: NamedDependency[Turn],
    status: FromQuery[Status] = None,
) -> Page[RegistrationLine]:
    """Oldest first."""
    rows = await registrations.page(
        event_id, session_id, status, turn.start, turn.limit
    )
    return turn.page(
        rows,
        lambda row: msgspec.convert(dict(row), RegistrationLine),
        by_time("registered_at"),
    )


@get(
    "/events/{event_id:uuid}/sessions/{session_id:uuid}/seats",
    guards=[requires("sessions", "read", devices=True)],
    summary="The seats of a session",
    tags=TAGS,
)
async def seats(
    event_id: FromPath[UUID],
    session_id: FromPath[UUID],
    registrations: NamedDependency[Registrations],
) -> SeatsView:
    """Taken, waited for, given away, and by how many a smaller room is too small."""
    return await registrations.seats(event_id, session_id)


@get(
    "/events/{event_id:uuid}/sessions/{session_id:uuid}/credits",
    guards=[requires("attendees", "read")],
    summary="Credit minutes of a session, by person",
    tags=TAGS,
)
async def list_credits(
    event_id: FromPath[UUID],
    session_id: FromPath[UUID],
    credits: NamedDependency[Credits],
    turn: NamedDependency[Turn],
    share: FromQuery[Share] = SHARE_DEFAULT,
) -> Page[CreditLine]:
    """By ticket; `assumed` marks minutes whose end nobody saw."""
    lines = await credits.page(
        event_id, session_id, share, _person(turn.cursor), turn.limit
    )
    last = lines[turn.limit - 1] if len(lines) > turn.limit else None
    return Page(
        lines[: turn.limit], _cursor(last.ticket_id, last.person_no) if last else None
    )


@get(
    "/events/{event_id:uuid}/credits.csv",
    guards=[requires("attendees", "read")],
    summary="Credit minutes of all sessions of an event as CSV",
    tags=TAGS,
    media_type="text/csv",
)
async def credits_csv(
    event_id: FromPath[UUID],
    credits: NamedDependency[Credits],
    session_id: FromQuery[UUID | None] = None,
    share: FromQuery[Share] = SHARE_DEFAULT,
) -> Stream:
    """Streamed; one line a person and session."""
    return Stream(
        credits.as_csv(event_id, session_id, share),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="credits.csv"'},
    )


def _cursor(ticket_id: UUID, person_no: int) -> str:
    packed = ticket_id.bytes + person_no.to_bytes(4, "big")
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _person(cursor: str | None) -> tuple[UUID | None, int]:
    if cursor is None:
        return None, 0
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", True)
        return UUID(bytes=packed[:16]), int.from_bytes(packed[16:], "big")
    except (ValueError, binascii.Error):
        raise MalformedBody(
            "This cursor was not made here.", code="bad_cursor"
        ) from None


ROUTES: tuple[Any, ...] = (
    register,
    cancel,
    list_registrations,
    seats,
    list_credits,
    credits_csv,
)
