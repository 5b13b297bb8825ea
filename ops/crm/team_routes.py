"""POST /users/{id}/invitation, POST /auth/invitation: how users get a password."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from ops.auth.guards import public, requires
from ops.crm.invitations import Invitations
from ops.crm.resources import BY_NAME
from ops.crm.routes import actor_of, row_id_of

TAGS = ["users"]


class InvitationView(msgspec.Struct):
    """The secret part of the link, shown once: the page is /crm.html#invitation=.."""

    token: str
    link: str
    expires_at: datetime


class AcceptBody(msgspec.Struct, forbid_unknown_fields=True):
    """The link's secret and the password that the person chose."""

    token: Annotated[str, Meta(min_length=1, max_length=128)]
    password: Annotated[str, Meta(min_length=1, max_length=1_000)]


class AcceptedView(msgspec.Struct):
    """Sign in with this address now."""

    email: str


@post(
    "/users/{user_id:uuid}/invitation",
    guards=[requires("users", "write", anywhere=True)],
    status_code=201,
    summary="Make a link by which a user sets a password",
    tags=TAGS,
)
async def invite(
    request: Request[Any, Any, Any], invitations: NamedDependency[Invitations]
) -> InvitationView:
    """Works once, for three days; a new one ends the one before."""
    made = await invitations.invite(
        actor_of(request), row_id_of(request, BY_NAME["users"])
    )
    link = f"/crm.html#invitation={made.token}"
    return InvitationView(made.token, link, made.expires_at)


@post(
    "/auth/invitation",
    guards=[public],
    status_code=200,
    summary="Set a password with the link of an invitation",
    tags=TAGS,
)
async def accept(
    data: JSONBody[AcceptBody],
    request: Request[Any, Any, Any],
    invitations: NamedDependency[Invitations],
) -> AcceptedView:
    """404 `bad_invitation` if the link is unknown, used or too old."""
    address: str = request.scope["client_address"]  # type: ignore[typeddict-item]
    return AcceptedView(await invitations.accept(data.token, data.password, address))


ROUTES = (invite, accept)
