"""POST /tickets/{id}/reissue, transfer, upgrade, block, unblock, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from ops.attendance.acting import Caller
from ops.attendance.ticket_life import Act
from ops.attendance.tickets import TicketAct, TicketAnswer, TicketLife
from ops.auth.guards import requires

TAGS = ["tickets"]

_SUMMARIES: dict[Act, str] = {
    "reissue": "Give a ticket a new code; all its old codes and bands die",
    "transfer": "Give a ticket to somebody else, with a new code",
    "upgrade": "Change the type of a ticket, with a new code",
    "block": "Block a ticket until somebody unblocks it",
    "unblock": "Lift the block of a ticket",
    "cancel": "Cancel a ticket and give its seats in sessions free",
}


def _route(act: Act) -> HTTPRouteHandler:
    @post(
        f"/tickets/{{ticket_id:uuid}}/{act}",
        guards=[requires("tickets", "write", anywhere=True)],
        opt={"idempotent": True},
        operation_id=f"{act}_ticket",
        summary=_SUMMARIES[act],
        tags=TAGS,
        status_code=200,
    )
    async def handler(
        ticket_id: FromPath[UUID],
        data: JSONBody[TicketAct],
        caller: NamedDependency[Caller],
        ticket_life: NamedDependency[TicketLife],
    ) -> TicketAnswer:
        """Passes, presence, registrations and entitlements stay as they are."""
        return await ticket_life.act(caller, ticket_id, act, data)

    return handler


ROUTES: tuple[Any, ...] = tuple(_route(act) for act in _SUMMARIES)
