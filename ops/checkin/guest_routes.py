"""GET /ticket/{code} and its qr.svg: what the page of a ticket asks for, no login."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from ops.auth.guards import public
from ops.checkin.guest_tickets import GuestTickets, GuestView

TAGS = ["guests"]
# Whoever sees the picture gets in: no proxy and no disk keeps it.
_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@get(
    "/ticket/{code:str}",
    guards=[public],
    summary="The ticket of a code, its event and the agenda; nothing about a person",
    tags=TAGS,
)
async def view_ticket(
    code: FromPath[str],
    request: Request[Any, Any, Any],
    guest_tickets: NamedDependency[GuestTickets],
) -> Response[GuestView]:
    """Answer with the ticket, or 404 `ticket_not_found` for whatever opens none."""
    view = await guest_tickets.view(code, _address(request))
    return Response(view, headers=_HEADERS)


@get(
    "/ticket/{code:str}/qr.svg",
    guards=[public],
    summary="The code of an existing ticket as an SVG picture",
    tags=TAGS,
)
async def view_ticket_qr(
    code: FromPath[str],
    request: Request[Any, Any, Any],
    guest_tickets: NamedDependency[GuestTickets],
) -> Response[bytes]:
    """Answer with the picture, or 404 `ticket_not_found`."""
    picture = await guest_tickets.picture(code, _address(request))
    return Response(picture, media_type="image/svg+xml", headers=_HEADERS)


def _address(request: Request[Any, Any, Any]) -> str:
    address: str = request.scope["client_address"]  # type: ignore[typeddict-item]
    return address


ROUTES: tuple[Any, ...] = (view_ticket, view_ticket_qr)
