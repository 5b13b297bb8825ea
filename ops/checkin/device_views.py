"""Bodies and answers of the routes for devices, enrolments and operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ops.checkin.devices import CONFIRMATIONS_MAX, Direction, Paired, Profile
from ops.checkin.operators import OperatorRole
from ops.watch.doors import stricter_doors

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Label = Annotated[str, Meta(max_length=200)]
CodeText = Annotated[str, Meta(min_length=4, max_length=64)]
PinText = Annotated[str, Meta(pattern=r"^[0-9]{4,12}$")]
BadgeText = Annotated[str, Meta(min_length=4, max_length=512)]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """A body in which an unknown field is an error."""


class DeviceBody(Body):
    """A new device; without a gate it must be given one before it can scan."""

    name: Name
    profile: Profile = "scan"
    gate_id: UUID | None = None
    direction: Direction | None = None
    sponsor_id: UUID | None = None


class DevicePatch(Body):
    """What the control room changes; a field left out stays as it is."""

    name: Name | UnsetType = UNSET
    gate_id: UUID | UnsetType | None = UNSET
    direction: Direction | UnsetType | None = UNSET
    session_id: UUID | UnsetType | None = UNSET


class SettingBody(Body):
    """What a person at the device sets behind a PIN; a field left out stays."""

    gate_id: UUID | UnsetType | None = UNSET
    direction: Direction | UnsetType | None = UNSET
    session_id: UUID | UnsetType | None = UNSET


class PairBody(Body):
    """The code, and what tells this device from others (for repeating)."""

    pairing_code: CodeText
    hardware: Label | None = None
    software: Label | None = None
    name: Name | None = None


class ServiceBody(Body):
    """One event more that a device serves, and at which of its gates."""

    event_id: UUID
    gate_id: UUID | None = None


class EnrolmentBody(Body, kw_only=True):
    """One code for many devices."""

    gate_id: UUID | None = None
    sponsor_id: UUID | None = None
    profile: Profile = "scan"
    max_devices: Annotated[int, Meta(ge=1, le=1_000)]
    valid_until: Annotated[datetime, Meta(tz=True)]


class OperatorBody(Body):
    """A person at the doors; without `pin` one is made."""

    name: Name
    role: OperatorRole = "steward"
    pin: PinText | None = None
    badge_code: BadgeText | None = None
    agency: Label | None = None
    gate_id: UUID | None = None
    valid_from: Annotated[datetime, Meta(tz=True)] | None = None
    valid_to: Annotated[datetime, Meta(tz=True)] | None = None
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}$")] = "en"


class SignOnBody(Body):
    """Either `pin` (with the operator chosen) or `badge_code`, or `sign_off`.

    `once`: for one action (a supervisor's); `resume` then puts the one before on again.
    """

    pin: PinText | None = None
    badge_code: BadgeText | None = None
    operator_id: UUID | None = None
    sign_off: bool = False
    once: bool = False
    resume: bool = False


class HeartbeatBody(msgspec.Struct, kw_only=True):
    """What a device reports; fields of a newer device are ignored."""

    battery: Annotated[int, Meta(ge=0, le=100)] | None = None
    pending: Annotated[int, Meta(ge=0, le=2_147_483_647)] | None = None
    software: Label | None = None
    clock: Annotated[datetime, Meta(tz=True)] | None = None
    shown: Annotated[list[UUID], Meta(max_length=CONFIRMATIONS_MAX)] = []


class CreatedView(msgspec.Struct):
    """The code is shown once; the URL opens the scanner page and pairs it."""

    id: UUID
    pairing_code: str
    pairing_url: str
    expires_at: datetime


class EnrolmentCreatedView(msgspec.Struct):
    """The code is shown once; print the URL as a QR code."""

    id: UUID
    pairing_code: str
    pairing_url: str
    max_devices: int
    valid_until: datetime


class DeviceView(msgspec.Struct):
    """A device in lists."""

    id: UUID
    name: str
    profile: str
    state: str
    gate_id: UUID | None
    gate: str | None
    direction: str | None
    session_id: UUID | None
    operator_id: UUID | None
    operator: str | None
    battery: int | None
    pending: int
    software: str | None
    hardware: str | None
    last_seen_at: datetime | None
    paired_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    locked_at: datetime | None
    clock_skew_ms: int | None
    sponsor_id: UUID | None


class ServiceView(msgspec.Struct):
    """An event that a device serves."""

    id: UUID
    title: str
    starts_at: datetime
    timezone: str
    gate_id: UUID | None


class EnrolmentView(msgspec.Struct):
    """An enrolment in lists; its code is known only to who made it."""

    id: UUID
    gate_id: UUID | None
    gate: str | None
    sponsor_id: UUID | None
    profile: str
    max_devices: int
    used: int
    valid_until: datetime
    revoked_at: datetime | None
    created_at: datetime


class OperatorView(msgspec.Struct):
    """An operator in lists."""

    id: UUID
    no: int
    name: str
    agency: str | None
    role: str
    gate_id: UUID | None
    gate: str | None
    valid_from: datetime | None
    valid_to: datetime | None
    language: str
    locked_until: datetime | None
    created_at: datetime


class OperatorCreatedView(msgspec.Struct):
    """The PIN is shown once."""

    id: UUID
    pin: str


class OperatorName(msgspec.Struct):
    """A name to choose from at a device."""

    id: UUID
    name: str
    role: str


class SignedOnView(msgspec.Struct):
    """Who is signed on at this device; null for nobody."""

    id: UUID
    name: str
    role: str
    language: str
    gate_id: UUID | None = None


class OperatorAnswer(msgspec.Struct):
    """The answer to a sign-on or sign-off."""

    operator: SignedOnView | None


class GateView(msgspec.Struct):
    """The gate of a device."""

    id: UUID
    name: str
    direction: str
    state: str
    area_id: UUID | None = None
    use_instead: str | None = None


class EventView(msgspec.Struct):
    """What a device must know of its event."""

    id: UUID
    title: str
    timezone: str
    languages: list[str]
    status: str
    doors_state: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    doors_open_at: datetime | None = None


class AreaView(msgspec.Struct):
    """A place of the event."""

    id: UUID
    name: str
    kind: str
    parent_id: UUID | None
    capacity: int | None
    limit_kind: str


class PairedView(msgspec.Struct):
    """What a device learns at its pairing; the token is shown once."""

    device_id: UUID
    token: str
    name: str
    event: EventView
    gate: GateView | None
    areas: list[AreaView]
    profile: str
    direction: str | None
    session_id: UUID | None
    live_url: str
    server_time: datetime
    serves: list[ServiceView]


class ConfigView(msgspec.Struct):
    """How the control room has set this device."""

    name: str
    profile: str
    state: str
    locked: bool
    direction: str | None
    session_id: UUID | None
    gate: GateView | None
    doors: str
    event: EventView | None
    operator: SignedOnView | None


class HeartbeatView(msgspec.Struct):
    """The server's time and the device's configuration."""

    server_time: datetime
    config: ConfigView


def paired_view(paired: Paired, live_url: str, now: datetime) -> PairedView:
    """The answer to a pairing."""
    row = paired.row
    return PairedView(
        device_id=paired.device_id,
        token=paired.token,
        name=row["name"],
        event=EventView(
            id=row["event_id"],
            title=row["title"],
            timezone=row["timezone"],
            languages=row["languages"],
            status=row["status"],
            doors_state=row["doors_state"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            doors_open_at=row["doors_open_at"],
        ),
        gate=GateView(
            id=row["gate_id"],
            name=row["gate_name"],
            direction=row["gate_direction"],
            state=row["gate_state"],
            area_id=row["gate_area_id"],
        )
        if row["gate_id"]
        else None,
        areas=[msgspec.convert(dict(area), AreaView) for area in paired.areas],
        profile=row["profile"],
        direction=row["direction"],
        session_id=row["session_id"],
        live_url=live_url,
        server_time=now,
        serves=[msgspec.convert(dict(event), ServiceView) for event in paired.serves],
    )


def config_view(row: Any) -> ConfigView:
    """The configuration of a row of `device_queries.CONFIG`."""
    gate_state, event_doors = row["gate_state"], row["doors_state"]
    return ConfigView(
        name=row["name"],
        profile=row["profile"],
        state=row["state"],
        locked=row["locked_at"] is not None,
        direction=row["direction"],
        session_id=row["session_id"],
        gate=GateView(
            id=row["gate_id"],
            name=row["gate_name"],
            direction=row["gate_direction"],
            state=gate_state,
            use_instead=row["use_instead"],
        )
        if row["gate_id"]
        else None,
        doors=stricter_doors(event_doors, gate_state),
        event=EventView(
            id=row["event_id"],
            title=row["title"],
            timezone=row["timezone"],
            languages=row["languages"],
            status=row["event_status"],
            doors_state=event_doors,
        )
        if row["event_id"]
        else None,
        operator=SignedOnView(
            id=row["operator_id"],
            name=row["operator_name"],
            role=row["operator_role"],
            language=row["operator_language"],
        )
        if row["operator_id"]
        else None,
    )
