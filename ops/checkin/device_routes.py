"""Routes for devices: making, pairing, heartbeats, setting, revoking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET

from ops.auth.guards import any_device, device_required, public, requires
from ops.auth.permissions import Action
from ops.auth.subjects import DeviceIdentity, Staff
from ops.checkin.device_views import (
    ConfigView,
    CreatedView,
    DeviceBody,
    DevicePatch,
    DeviceView,
    EnrolmentBody,
    EnrolmentCreatedView,
    EnrolmentView,
    HeartbeatBody,
    HeartbeatView,
    PairBody,
    PairedView,
    ServiceBody,
    ServiceView,
    SettingBody,
    config_view,
    paired_view,
)
from ops.checkin.devices import Devices, Heartbeat
from ops.checkin.enrolments import Enrolments
from ops.clock import Clock
from ops.errors import Forbidden, NotFound
from ops.listing import Page, Turn, by_id
from ops.settings import Settings

TAGS = ["devices"]


def pairing_url(settings: Settings, code: str) -> str:
    """The scanner page with the code behind `#`, which browsers do not send."""
    return f"{settings.base_url}/scan/#pair={quote(code)}"


@post(
    "/events/{event_id:uuid}/devices",
    guards=[requires("devices", "write")],
    opt={"idempotent": True},
    summary="Make a device and a code that pairs it once, for ten minutes",
    tags=TAGS,
)
async def create_device(
    event_id: FromPath[UUID],
    data: JSONBody[DeviceBody],
    devices: NamedDependency[Devices],
    settings: NamedDependency[Settings],
) -> CreatedView:
    """Answer 201 with the code, shown once."""
    made = await devices.create(
        event_id,
        data.name,
        data.profile,
        data.gate_id,
        data.direction,
        data.sponsor_id,
    )
    return CreatedView(
        id=made.id,
        pairing_code=made.pairing_code,
        pairing_url=pairing_url(settings, made.pairing_code),
        expires_at=made.expires_at,
    )


@get(
    "/events/{event_id:uuid}/devices",
    guards=[requires("devices", "read")],
    summary="The devices of an event",
    tags=TAGS,
)
async def list_devices(
    event_id: FromPath[UUID],
    devices: NamedDependency[Devices],
    turn: NamedDependency[Turn],
) -> Page[DeviceView]:
    """Oldest first."""
    rows = await devices.page(event_id, turn.after_id, turn.limit)
    return turn.page(rows, _device, by_id)


@post(
    "/devices/pair",
    guards=[public],
    status_code=200,
    summary="Exchange a pairing or enrolment code for a token",
    tags=TAGS,
)
async def pair(
    data: JSONBody[PairBody],
    request: Request[Any, Any, Any],
    devices: NamedDependency[Devices],
    settings: NamedDependency[Settings],
    clock: NamedDependency[Clock],
) -> PairedView:
    """Repeatable with the same code and hardware: a new token, the old one dies."""
    paired = await devices.pair(
        data.pairing_code,
        data.hardware,
        data.software,
        request.scope["client_address"],  # type: ignore[typeddict-item]
        data.name,
    )
    return paired_view(paired, settings.live_url, clock.now())


@post(
    "/devices/heartbeat",
    guards=[any_device],
    status_code=200,
    summary="Report battery and queue, get the time and the configuration",
    tags=TAGS,
)
async def heartbeat(
    data: JSONBody[HeartbeatBody],
    device: NamedDependency[DeviceIdentity],
    devices: NamedDependency[Devices],
    clock: NamedDependency[Clock],
) -> HeartbeatView:
    """Unknown fields are ignored, so that newer devices work with this server."""
    report = Heartbeat(
        data.battery, data.pending, data.software, data.shown, data.clock
    )
    row = await devices.heartbeat(device, report)
    return HeartbeatView(server_time=clock.now(), config=config_view(row))


@patch(
    "/devices/{device_id:uuid}",
    guards=[requires("devices", "write", anywhere=True)],
    summary="Set a device's name, gate, direction or session",
    tags=TAGS,
)
async def configure(
    device_id: FromPath[UUID],
    data: JSONBody[DevicePatch],
    me: NamedDependency[Staff],
    devices: NamedDependency[Devices],
) -> DeviceView:
    """Holds at the device's next scan; a field left out stays."""
    event_id = await _may(me, "write", device_id, devices)
    before = await devices.one(device_id)
    moved = data.gate_id is not UNSET
    if isinstance(data.gate_id, UUID):
        # Of several events that it serves, the one where the gate stands.
        event_id = await devices.event_of_gate(device_id, data.gate_id) or event_id
        me.demand("devices", "write", event_id)
    await devices.configure(
        device_id,
        event_id,
        None if data.name is UNSET else data.name,
        before["gate_id"] if data.gate_id is UNSET else data.gate_id,
        # A device that is moved takes the new gate's direction and session.
        (None if moved else before["direction"])
        if data.direction is UNSET
        else data.direction,
        (None if moved else before["session_id"])
        if data.session_id is UNSET
        else data.session_id,
    )
    return _device(await devices.one(device_id))


@patch(
    "/devices/me",
    guards=[device_required],
    summary="Set this device's gate, direction or session, by who is signed on",
    tags=TAGS,
)
async def set_up(
    data: JSONBody[SettingBody],
    device: NamedDependency[DeviceIdentity],
    devices: NamedDependency[Devices],
) -> ConfigView:
    """Holds at the next scan; without an operator on it 403 `operator_needed`."""
    before = await devices.one(device.id)
    if before is None or before["operator_id"] is None:
        raise Forbidden("Sign on with your PIN first.", code="operator_needed")
    gate_id = before["gate_id"] if data.gate_id is UNSET else data.gate_id
    moved = data.gate_id is not UNSET and gate_id != before["gate_id"]
    event_id = await devices.event_of_gate(device.id, gate_id) if gate_id else None
    await devices.configure(
        device.id,
        event_id or next(iter(await devices.events_of(device.id))),
        None,
        gate_id,
        (None if moved else before["direction"])
        if data.direction is UNSET
        else data.direction,
        (None if moved else before["session_id"])
        if data.session_id is UNSET
        else data.session_id,
    )
    return config_view(await devices.config(device.id))


def _act(what: str, summary: str) -> post:
    """A POST of a device that may come twice and answers 200."""
    return post(
        f"/devices/{{device_id:uuid}}/{what}",
        guards=[requires("devices", "write", anywhere=True)],
        status_code=200,
        summary=summary,
        tags=TAGS,
    )


async def _acted(
    me: Staff,
    device_id: UUID,
    devices: Devices,
    act: Callable[[UUID], Awaitable[object]],
) -> DeviceView:
    await _may(me, "write", device_id, devices)
    await act(device_id)
    return _device(await devices.one(device_id))


@_act("revoke", "End a device for good, from its next scan on")
async def revoke(
    device_id: FromPath[UUID],
    me: NamedDependency[Staff],
    devices: NamedDependency[Devices],
) -> DeviceView:
    """May come twice."""
    return await _acted(me, device_id, devices, devices.revoke)


@_act("lock", "Let a device show only the PIN, from its next scan on")
async def lock(
    device_id: FromPath[UUID],
    me: NamedDependency[Staff],
    devices: NamedDependency[Devices],
) -> DeviceView:
    """May come twice; an operator's PIN at the device unlocks it as well."""
    return await _acted(me, device_id, devices, devices.lock)


@_act("unlock", "Let a locked device work again")
async def unlock(
    device_id: FromPath[UUID],
    me: NamedDependency[Staff],
    devices: NamedDependency[Devices],
) -> DeviceView:
    """May come twice."""
    return await _acted(me, device_id, devices, devices.unlock)


@get(
    "/devices/{device_id:uuid}/events",
    guards=[requires("devices", "read", anywhere=True)],
    summary="The events that a device serves",
    tags=TAGS,
)
async def list_services(
    device_id: FromPath[UUID],
    me: NamedDependency[Staff],
    devices: NamedDependency[Devices],
) -> list[ServiceView]:
    """Earliest first, at most 100."""
    await _may(me, "read", device_id, devices)
    rows = await devices.serves(device_id)
    return [msgspec.convert(dict(row), ServiceView) for row in rows]


@post(
    "/devices/{device_id:uuid}/events",
    guards=[requires("devices", "write", anywhere=True)],
    status_code=200,
    summary="Let a device serve one event more",
    tags=TAGS,
)
async def link_event(
    device_id: FromPath[UUID],
    data: JSONBody[ServiceBody],
    me: NamedDependency[Staff],
    devices: NamedDependency[Devices],
) -> list[ServiceView]:
    """May come twice; the second gate replaces the first."""
    await _may(me, "write", device_id, devices)
    me.demand("devices", "write", data.event_id)
    await devices.link(device_id, data.event_id, data.gate_id)
    rows = await devices.serves(device_id)
    return [msgspec.convert(dict(row), ServiceView) for row in rows]


@delete(
    "/devices/{device_id:uuid}/events/{event_id:uuid}",
    guards=[requires("devices", "write")],
    summary="End a device's service at an event",
    tags=TAGS,
)
async def unlink_event(
    device_id: FromPath[UUID],
    event_id: FromPath[UUID],
    devices: NamedDependency[Devices],
) -> None:
    """Refused for the last one: such a device is revoked."""
    await devices.unlink(device_id, event_id)


@post(
    "/events/{event_id:uuid}/enrolments",
    guards=[requires("devices", "write")],
    opt={"idempotent": True},
    summary="Make one code that pairs many devices",
    tags=TAGS,
)
async def create_enrolment(
    event_id: FromPath[UUID],
    data: JSONBody[EnrolmentBody],
    me: NamedDependency[Staff],
    enrolments: NamedDependency[Enrolments],
    settings: NamedDependency[Settings],
) -> EnrolmentCreatedView:
    """Answer 201 with the code, shown once."""
    made = await enrolments.create(
        event_id,
        data.gate_id,
        data.profile,
        data.max_devices,
        data.valid_until,
        me.user_id,
        data.sponsor_id,
    )
    return EnrolmentCreatedView(
        id=made.id,
        pairing_code=made.code,
        pairing_url=pairing_url(settings, made.code),
        max_devices=data.max_devices,
        valid_until=data.valid_until,
    )


@get(
    "/events/{event_id:uuid}/enrolments",
    guards=[requires("devices", "read")],
    summary="The enrolment codes of an event, without the codes",
    tags=TAGS,
)
async def list_enrolments(
    event_id: FromPath[UUID],
    enrolments: NamedDependency[Enrolments],
    turn: NamedDependency[Turn],
) -> Page[EnrolmentView]:
    """Oldest first."""
    rows = await enrolments.page(event_id, turn.after_id, turn.limit)
    return turn.page(rows, _enrolment, by_id)


@post(
    "/events/{event_id:uuid}/enrolments/{enrolment_id:uuid}/revoke",
    guards=[requires("devices", "write")],
    status_code=204,
    summary="Withdraw an enrolment code; its devices stay",
    tags=TAGS,
)
async def revoke_enrolment(
    event_id: FromPath[UUID],
    enrolment_id: FromPath[UUID],
    enrolments: NamedDependency[Enrolments],
) -> None:
    """May come twice."""
    await enrolments.revoke(enrolment_id, event_id)


async def _may(me: Staff, action: Action, device_id: UUID, devices: Devices) -> UUID:
    """The first event of the device for which the person has the permission.

    Raises:
        NotFound: no such device.
        Forbidden: it serves only events that are none of theirs.
    """
    for event_id in await devices.events_of(device_id):
        if me.may("devices", action, event_id):
            return event_id
    raise Forbidden()


def _device(row: Any) -> DeviceView:
    if row is None:
        raise NotFound()
    fields = DeviceView.__struct_fields__
    return DeviceView(**{name: row[name] for name in fields})


def _enrolment(row: Any) -> EnrolmentView:
    return msgspec.convert(dict(row), EnrolmentView)


ROUTES = (
    create_device,
    list_devices,
    pair,
    heartbeat,
    configure,
    set_up,
    revoke,
    lock,
    unlock,
    list_services,
    link_event,
    unlink_event,
    create_enrolment,
    list_enrolments,
    revoke_enrolment,
)
