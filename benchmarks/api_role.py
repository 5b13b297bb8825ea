"""The api role with some routes more: what figures are compared with.

The empty handler stands behind the same middleware and guard as a scan, takes the same
request and answers nothing. The handlers `by-hand` do with one statement of plain SQL
what the CRM's generic API does. Production has no such routes, so they are added here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from ops import api_server, app
from ops.auth.guards import device_required, requires
from ops.auth.subjects import DeviceIdentity
from ops.crm.routes import Crm
from ops.ids import uuid7
from ops.settings import load

_encode = msgspec.json.Encoder().encode


class HandPerson(msgspec.Struct, forbid_unknown_fields=True):
    """A new contact."""

    first_name: str
    last_name: str
    email: str


class HandCity(msgspec.Struct, forbid_unknown_fields=True):
    """A change."""

    city: str


def _answer(row: Any, status: int = 200) -> Response[bytes]:
    return Response(
        _encode(dict(row)), media_type="application/json", status_code=status
    )


@get(
    "/by-hand/{contact_id:uuid}",
    guards=[requires("contacts", "read", anywhere=True)],
)
async def hand_read(
    contact_id: FromPath[UUID], crm: NamedDependency[Crm]
) -> Response[bytes]:
    """Read one row."""
    async with crm.records.connection() as db:
        row = await db.fetchrow("SELECT * FROM contacts WHERE id = $1", contact_id)
    return _answer(row)


@post("/by-hand", guards=[requires("contacts", "write", anywhere=True)])
async def hand_create(
    data: JSONBody[HandPerson], crm: NamedDependency[Crm]
) -> Response[bytes]:
    """Insert one row."""
    async with crm.records.connection() as db:
        row = await db.fetchrow(
            "INSERT INTO contacts (id, first_name, last_name, email)"
            " VALUES ($1, $2, $3, $4) RETURNING *",
            uuid7(),
            data.first_name,
            data.last_name,
            data.email,
        )
    return _answer(row, 201)


@patch(
    "/by-hand/{contact_id:uuid}",
    guards=[requires("contacts", "write", anywhere=True)],
)
async def hand_change(
    contact_id: FromPath[UUID], data: JSONBody[HandCity], crm: NamedDependency[Crm]
) -> Response[bytes]:
    """Change one row."""
    async with crm.records.connection() as db:
        row = await db.fetchrow(
            "UPDATE contacts SET city = $2 WHERE id = $1 RETURNING *",
            contact_id,
            data.city,
        )
    return _answer(row)


@post("/events/{event_id:uuid}/empty", guards=[device_required], status_code=200)
async def empty(event_id: FromPath[UUID], device: DeviceIdentity) -> Response[bytes]:
    """Answer at once."""
    return Response(b"{}", media_type="application/json", status_code=200)


def main() -> None:
    """Serve until SIGTERM, as `ops serve api` does."""
    app.API_ROUTES = (
        *app.API_ROUTES,
        empty,
        hand_read,
        hand_create,
        hand_change,
    )
    api_server.run(load())


if __name__ == "__main__":
    main()
