"""Guards: every route carries one, and a test refuses a route without.

    @get("/events/{event_id:uuid}", guards=[requires("events", "read")])
    @post("/devices/heartbeat", guards=[device_required])
    @get("/healthz", guards=[public])

`requires` looks for `event_id` in the path: a membership of that event is enough. On
a path without one it asks for the permission anywhere (`anywhere=True`), and the
handler must narrow it with `Staff.demand` or `Staff.event_ids`.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from ops.audit.entry import SYSTEM, Actor
from ops.auth.permissions import RESOURCES, Action
from ops.auth.subjects import Attendee, DeviceIdentity, Nobody, Staff, Subject
from ops.auth.tokens import CSRF_HEADER, token_hash
from ops.errors import Forbidden, Locked, Unauthenticated

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Connection = ASGIConnection[Any, Any, Any, Any]


class Guard:
    """A check before the body is read; subclasses say what they ask for.

    Asynchronous only because the framework would send a plain function to a thread.
    """

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Pass, or raise the refusal."""
        raise NotImplementedError


class Public(Guard):
    """Open to everybody, on purpose."""

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Pass."""


class AnyDevice(Guard):
    """A paired device, also one that is locked or belongs to a sponsor."""

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Pass a device of the event."""
        subject: Subject = connection.scope["user"]
        if not isinstance(subject, DeviceIdentity):
            raise _no_subject(subject, "This address is for paired devices.")
        serves(subject, connection.path_params.get("event_id"))
        self.check(subject)

    def check(self, device: DeviceIdentity) -> None:
        """What more is asked of it."""


class DeviceRequired(AnyDevice):
    """A device at work; on a path with `event_id`, one that serves this event."""

    def check(self, device: DeviceIdentity) -> None:
        """Neither locked nor a sponsor's."""
        at_work(device)


class LeadRequired(AnyDevice):
    """A phone of a sponsor's staff, which is not locked."""

    def check(self, device: DeviceIdentity) -> None:
        """A sponsor's."""
        if device.profile != "lead" or device.sponsor_id is None:
            raise Forbidden("This address is for sponsors' phones.")
        if device.locked:
            raise Locked()


class AttendeeRequired(Guard):
    """Who opened a private link; what they see is their own."""

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Pass an attendee."""
        subject: Subject = connection.scope["user"]
        if not isinstance(subject, Attendee):
            raise _no_subject(subject, "This address is for attendees.")


class DeviceOrRevoked(DeviceRequired):
    """A device, also one that was revoked: what it brings is kept, not believed."""

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Pass; the handler looks who it is."""
        subject: Subject = connection.scope["user"]
        if isinstance(subject, Nobody) and subject.code == "device_revoked":
            return
        await super().__call__(connection, handler)


class StaffRequired(Guard):
    """Any signed-in person."""

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Pass staff; a cookie needs its CSRF header for anything that changes."""
        self.staff(connection)

    @staticmethod
    def staff(connection: Connection) -> Staff:
        """The person of the request.

        Raises:
            Unauthenticated: nobody is signed in.
            Forbidden: a device; or a cookie without its CSRF header.
        """
        subject: Subject = connection.scope["user"]
        if not isinstance(subject, Staff):
            raise _no_subject(subject, "This address is for people who sign in.")
        if subject.by_cookie and connection.scope.get("method") not in _SAFE_METHODS:
            sent = connection.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(token_hash(sent), subject.csrf_hash):
                raise Forbidden(
                    "The request lacks the X-CSRF-Token of this session.",
                    code="csrf_failed",
                )
        return subject


class Requires(StaffRequired):
    """Staff with a permission; `devices` lets devices of the event in as well, `own`
    those who may touch rows of their own alone, which the handler then narrows to."""

    def __init__(
        self,
        resource: str,
        action: Action,
        *,
        anywhere: bool,
        devices: bool,
        own: bool = False,
    ) -> None:
        if resource not in RESOURCES:
            raise ValueError(f"unknown resource {resource}")
        self.resource, self.action = resource, action
        self.anywhere, self.devices, self.own = anywhere, devices, own

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Pass who may."""
        event_id: UUID | None = connection.path_params.get("event_id")
        if self.devices and isinstance(connection.scope["user"], DeviceIdentity):
            serves(connection.scope["user"], event_id)
            at_work(connection.scope["user"])
            return
        staff = self.staff(connection)
        if self.anywhere:
            if not staff.may_somewhere(self.resource, self.action, own=self.own):
                raise Forbidden()
        else:
            staff.demand(self.resource, self.action, event_id)


def serves(device: DeviceIdentity, event_id: UUID | None) -> None:
    """Refuse a device at the door of an event that it does not serve.

    Raises:
        Forbidden: `wrong_event`.
    """
    if event_id is not None and event_id not in device.event_ids:
        raise Forbidden("This device does not serve that event.", code="wrong_event")


def at_work(device: DeviceIdentity) -> None:
    """Refuse a device that may not act at a door now.

    Raises:
        Locked: it waits for a PIN.
        Forbidden: `lead_device`: it belongs to a sponsor.
    """
    if device.locked:
        raise Locked()
    if device.profile == "lead":
        raise Forbidden("A sponsor's phone is no scanner.", code="lead_device")


def requires(
    resource: str,
    action: Action,
    *,
    anywhere: bool = False,
    devices: bool = False,
    own: bool = False,
) -> Requires:
    """A guard for staff with a permission (see the module's text)."""
    return Requires(resource, action, anywhere=anywhere, devices=devices, own=own)


public = Public()
any_device = AnyDevice()
device_required = DeviceRequired()
device_or_revoked = DeviceOrRevoked()
lead_required = LeadRequired()
staff_required = StaffRequired()
attendee_required = AttendeeRequired()


def _no_subject(subject: Subject, wrong_kind: str) -> Unauthenticated | Forbidden:
    if isinstance(subject, Nobody):
        return Unauthenticated(
            subject.detail,
            code=subject.code,
            headers={"WWW-Authenticate": "Bearer, Device"},
        )
    return Forbidden(wrong_kind)


def provide_staff(request: Request[Any, Any, Any]) -> Staff:
    """Dependency `me` of routes behind a staff guard."""
    staff: Staff = request.scope["user"]
    return staff


def provide_attendee(request: Request[Any, Any, Any]) -> Attendee:
    """Dependency `attendee` of routes behind `attendee_required`."""
    attendee: Attendee = request.scope["user"]
    return attendee


def provide_device(request: Request[Any, Any, Any]) -> DeviceIdentity:
    """Dependency `device` of routes behind a guard for devices."""
    device: DeviceIdentity = request.scope["user"]
    return device


def provide_actor(request: Request[Any, Any, Any]) -> Actor:
    """Dependency `actor`: who acts and from where, for the audit log."""
    address: str = request.scope["client_address"]  # type: ignore[typeddict-item]
    ip = network_address(address)
    match request.scope["user"]:
        case Staff() as staff:
            return Actor("user", staff.user_id, ip)
        case DeviceIdentity() as device:
            return Actor("device", device.id, ip)
    return SYSTEM._replace(kind="public", ip=ip)


def network_address(text: str) -> str | None:
    """An IP address as it can be stored; None for a unix socket or a joke."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None
