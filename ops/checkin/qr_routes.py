"""GET /tickets/{id}/qr.svg and qr.png: the code of a ticket as a picture."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.checkin import qr
from ops.checkin.printable import PrintableCodes
from ops.settings import Settings

TAGS = ["tickets"]
# Whoever sees the picture gets in: no proxy and no disk keeps it.
_HEADERS = {"Cache-Control": "no-store"}

Form = Annotated[
    Literal["code", "address"],
    QueryParameter(description="The bare code, or an address that opens the page."),
]
BoxSize = Annotated[int, QueryParameter(ge=1, le=qr.BOX_PX_MAX, description="Pixels.")]


async def _text(
    ticket_id: UUID, form: str, me: Staff, printable: PrintableCodes, base_url: str
) -> str:
    me.demand("tickets", "read", await printable.event_of(ticket_id))
    code = await printable.of(ticket_id)
    # Codes sold elsewhere are exact strings: an address would be another code.
    if form == "address" and code.own:
        return qr.address(base_url, code.text)
    return code.text


@get(
    "/tickets/{ticket_id:uuid}/qr.svg",
    guards=[requires("tickets", "read", anywhere=True)],
    summary="The ticket's code as an SVG picture",
    tags=TAGS,
)
async def qr_svg(
    ticket_id: FromPath[UUID],
    me: NamedDependency[Staff],
    printable: NamedDependency[PrintableCodes],
    settings: NamedDependency[Settings],
    form: FromQuery[Form] = "code",
) -> Response[bytes]:
    """Answer with the picture, or 404 `code_not_kept`."""
    text = await _text(ticket_id, form, me, printable, settings.base_url)
    return Response(qr.svg(text), media_type="image/svg+xml", headers=_HEADERS)


@get(
    "/tickets/{ticket_id:uuid}/qr.png",
    guards=[requires("tickets", "read", anywhere=True)],
    summary="The ticket's code as a PNG picture",
    tags=TAGS,
)
async def qr_png(
    ticket_id: FromPath[UUID],
    me: NamedDependency[Staff],
    printable: NamedDependency[PrintableCodes],
    settings: NamedDependency[Settings],
    form: FromQuery[Form] = "code",
    box: FromQuery[BoxSize] = qr.BOX_PX,
) -> Response[bytes]:
    """Answer with the picture, or 404 `code_not_kept`."""
    text = await _text(ticket_id, form, me, printable, settings.base_url)
    return Response(qr.png(text, box), media_type="image/png", headers=_HEADERS)


class QrBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a page wants to show as a QR code: a link that pairs a device."""

    text: Annotated[str, Meta(min_length=1, max_length=400)]


class QrView(msgspec.Struct):
    """The code as a path in a square of `size` units."""

    size: int
    path: str


@post(
    "/qr",
    guards=[requires("devices", "write", anywhere=True)],
    status_code=200,
    summary="Draw a text as a QR code, for printing",
    tags=["devices"],
    sync_to_thread=False,
)
def draw_qr(data: JSONBody[QrBody]) -> QrView:
    """Nothing is kept; a body, because addresses stand in logs."""
    size, path = qr.outline(data.text)
    return QrView(size, path)


ROUTES: tuple[Any, ...] = (draw_qr, qr_svg, qr_png)
