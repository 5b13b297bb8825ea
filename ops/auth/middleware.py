"""Finds the subject of each request; whether that is enough, the guard says.

Sets `scope["user"]` (a `Subject`) and `scope["client_address"]`. A device whose
token the process knows costs a dict look-up and no await (the scan path).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from ops.auth.address import Networks, client_address
from ops.auth.subjects import Attendee, DeviceIdentity, Nobody, Staff, Subject
from ops.auth.tokens import SESSION_COOKIE, TOKEN_LENGTH_MAX

_NOBODY = Nobody()
_FORGED = Nobody("invalid_token", "The token is not valid.")


class DeviceTokens(Protocol):
    """Who a device's token belongs to."""

    def known(self, token: str) -> DeviceIdentity | None:
        """From memory, without waiting."""

    async def look_up(self, token: str) -> DeviceIdentity | Nobody:
        """From memory or PostgreSQL."""

    async def again(self, known: DeviceIdentity) -> DeviceIdentity | Nobody:
        """From PostgreSQL; what memory says, where it does not answer."""


class StaffTokens(Protocol):
    """Who a staff token belongs to."""

    def subject(self, token: str, by_cookie: bool) -> Awaitable[Staff | Nobody]:
        """From memory (at most a second old) or PostgreSQL."""


class PersonTokens(Protocol):
    """Who an attendee's token belongs to."""

    def subject(self, token: str) -> Awaitable[Attendee | Nobody]:
        """From PostgreSQL."""


class Authentication(ASGIMiddleware):
    """One per application; wired in `ops.runtime`."""

    def __init__(
        self,
        devices: DeviceTokens,
        staff: StaffTokens,
        attendees: PersonTokens,
        trusted: Networks,
    ) -> None:
        self._devices, self._staff, self._trusted = devices, staff, trusted
        self._attendees = attendees

    async def handle(
        self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp
    ) -> None:
        """Find the subject, then go on; an unreachable store is raised here."""
        authorization = cookie = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"cookie":
                cookie = value
        subject: Subject = _NOBODY
        if authorization is not None:
            subject = await self._by_header(authorization.decode("latin-1"))
            if isinstance(subject, DeviceIdentity) and not at_home(subject, scope):
                subject = await self._devices.again(subject)
        elif cookie is not None:
            token = cookie_value(cookie.decode("latin-1"), SESSION_COOKIE)
            if token:
                subject = await self._staff_by(token, by_cookie=True)
        scope["user"] = subject
        client = scope["client"]
        peer = client[0] if client else ""
        scope["client_address"] = (  # type: ignore[typeddict-unknown-key]
            client_address(peer, scope["headers"], self._trusted)
            if self._trusted
            else peer
        )
        await next_app(scope, receive, send)

    async def _by_header(self, header: str) -> Subject:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if len(token) > TOKEN_LENGTH_MAX:
            return _FORGED
        match scheme.lower():
            case "device":
                known = self._devices.known(token)
                if known is not None:
                    return known
                return await self._devices.look_up(token)
            case "bearer":
                return await self._staff_by(token, by_cookie=False)
            case "attendee":
                return await self._attendees.subject(token)
        return _FORGED

    async def _staff_by(self, token: str, *, by_cookie: bool) -> Staff | Nobody:
        if len(token) > TOKEN_LENGTH_MAX:
            return _FORGED
        return await self._staff.subject(token, by_cookie)


def at_home(device: DeviceIdentity, scope: Scope) -> bool:
    """Whether what is remembered of a device lets it do what it asks.

    If not, it is asked for again: memory is half a second old, and who was unlocked or
    given an event is not turned away for that.
    """
    event_id = scope.get("path_params", {}).get("event_id")
    return not device.locked and (event_id is None or event_id in device.event_ids)


def cookie_value(header: str, name: str) -> str | None:
    """The value of one cookie; quotes are not part of our values."""
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None
