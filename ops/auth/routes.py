"""POST /auth/login, POST /auth/logout, GET /auth/me."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from ops.auth.guards import public, staff_required
from ops.auth.login import Logins
from ops.auth.permissions import Permissions
from ops.auth.sessions import LIFETIME, Opened, StaffSessions
from ops.auth.subjects import Nobody, Staff
from ops.auth.tokens import CSRF_COOKIE, SESSION_COOKIE, token_hash
from ops.errors import Forbidden, Unauthenticated
from ops.settings import Settings


class LoginBody(msgspec.Struct, forbid_unknown_fields=True):
    """Credentials; `cookie` true is for pages: the token is not shown to script."""

    email: Annotated[str, Meta(min_length=1, max_length=320)]
    password: Annotated[str, Meta(min_length=1, max_length=1_000)]
    cookie: bool = False


class MemberView(msgspec.Struct):
    """A role in one event."""

    event_id: UUID
    area_id: UUID | None
    role: str
    permissions: Permissions
    valid_from: datetime | None
    valid_to: datetime | None


class UserView(msgspec.Struct):
    """The person who is signed in, and what the role allows."""

    id: UUID
    email: str
    name: str
    first_name: str
    last_name: str
    language: str
    role: str
    permissions: Permissions
    memberships: list[MemberView]


class LoginView(msgspec.Struct):
    """`access_token` is null for pages; `expires_in` is seconds.

    A request that shows the cookie and changes something carries `csrf_token` in
    the header X-CSRF-Token; pages read it from the cookie `ops_csrf`.
    """

    access_token: str | None
    token_type: str
    expires_in: int
    csrf_token: str
    user: UserView


class MeView(msgspec.Struct):
    """Who this session belongs to, and until when; `csrf_token` for pages."""

    user: UserView
    expires_at: datetime
    csrf_token: str | None


@post(
    "/auth/login",
    guards=[public],
    status_code=200,
    summary="Sign in with e-mail and password",
    tags=["people"],
)
async def login(
    data: JSONBody[LoginBody],
    request: Request[Any, Any, Any],
    logins: NamedDependency[Logins],
    sessions: NamedDependency[StaffSessions],
    settings: NamedDependency[Settings],
) -> Response[LoginView]:
    """Answer with a bearer token for programs and a pair of cookies for pages."""
    if from_elsewhere(request.headers, settings):
        raise Forbidden("Sign in from a page of this server.", code="foreign_origin")
    opened = await logins.sign_in(
        data.email,
        data.password,
        "cookie" if data.cookie else "bearer",
        request.scope["client_address"],  # type: ignore[typeddict-item]
        request.headers.get("user-agent", ""),
    )
    staff = await sessions.subject(opened.token, by_cookie=False)
    if isinstance(staff, Nobody):
        # Somebody suspended the account between the password and this line.
        raise Unauthenticated(staff.detail, code=staff.code)
    view = LoginView(
        access_token=None if data.cookie else opened.token,
        token_type="cookie" if data.cookie else "bearer",
        expires_in=int(LIFETIME.total_seconds()),
        csrf_token=opened.csrf_token,
        user=_user(staff),
    )
    secure = settings.base_url.startswith("https://")
    return Response(view, cookies=_cookies(opened, secure))


@post(
    "/auth/logout",
    guards=[staff_required],
    status_code=204,
    summary="End this session",
    tags=["people"],
)
async def logout(
    me: NamedDependency[Staff], sessions: NamedDependency[StaffSessions]
) -> Response[None]:
    """End the session everywhere within a second, and take the cookies back."""
    await sessions.end(me)
    gone = [
        Cookie(key=name, value="", path="/", max_age=0, samesite="strict")
        for name in (SESSION_COOKIE, CSRF_COOKIE)
    ]
    return Response(None, status_code=204, cookies=gone)


@get(
    "/auth/me",
    guards=[staff_required],
    summary="Who is signed in",
    tags=["people"],
    sync_to_thread=False,
)
def who(me: NamedDependency[Staff], request: Request[Any, Any, Any]) -> MeView:
    """Answer with the person, the role's permissions and the memberships."""
    csrf: str | None = request.cookies.get(CSRF_COOKIE)
    if not me.by_cookie or csrf is None or token_hash(csrf) != me.csrf_hash:
        csrf = None
    return MeView(user=_user(me), expires_at=me.expires_at, csrf_token=csrf)


def from_elsewhere(headers: Mapping[str, str], settings: Settings) -> bool:
    """Whether a page of another site sends this request.

    Otherwise such a page could sign a visitor in as somebody else: its form needs no
    cookie. Programs send no Origin.
    """
    origin = headers.get("origin")
    if origin is None or origin in settings.allowed_origins:
        return False
    return urlsplit(origin).netloc != headers.get("host")


def _cookies(opened: Opened, secure: bool) -> list[Cookie]:
    """The session for the browser alone, and the token that script must copy."""
    age_s = int(LIFETIME.total_seconds())

    def cookie(key: str, value: str, httponly: bool) -> Cookie:
        return Cookie(
            key=key,
            value=value,
            path="/",
            max_age=age_s,
            httponly=httponly,
            secure=secure,
            samesite="strict",
        )

    return [
        cookie(SESSION_COOKIE, opened.token, True),
        cookie(CSRF_COOKIE, opened.csrf_token, False),
    ]


def _user(staff: Staff) -> UserView:
    return UserView(
        id=staff.user_id,
        email=staff.email,
        name=f"{staff.first_name} {staff.last_name}".strip(),
        first_name=staff.first_name,
        last_name=staff.last_name,
        language=staff.language,
        role=staff.role,
        permissions=staff.permissions,
        memberships=[
            MemberView(
                membership.event_id,
                membership.area_id,
                membership.role,
                membership.permissions,
                membership.valid_from,
                membership.valid_to,
            )
            for membership in staff.memberships
        ],
    )


ROUTES = (login, logout, who)
