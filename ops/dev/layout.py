"""The sample event without its guests: places, programme, doors, staff. Pure.

Each function gives the rows of one table; ids come from the evening by key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from ops.auth.tokens import pairing_hash, pin_hash
from ops.dev import programme
from ops.dev.programme import Timetable
from ops.dev.tables import Row, Table

VENUE_ID = UUID("0192a000-0000-7000-8000-000000000001")
ENROLMENT_DEVICES_MAX = 20
# The crowd pairs again after a restart: its codes live longer than the evening.
_CODES_LIVE_ON = timedelta(hours=1)


class SampleDevice(msgspec.Struct, frozen=True):
    """A device that waits to be paired at a gate."""

    id: UUID
    name: str
    gate: str
    pairing_code: str
    hardware: str
    pin: str


class Ids(msgspec.Struct, frozen=True):
    """The ids of an evening that others refer to, by the keys of the programme."""

    event: UUID
    areas: dict[str, UUID]
    gates: dict[str, UUID]
    sessions: dict[str, UUID]
    types: dict[str, UUID]


def venue() -> Table:
    """The building, the same for all evenings."""
    row = {
        "id": VENUE_ID,
        "name": "Lakeshore Hall",
        "address_line1": "1 Made-up Quay West",
        "city": "Toronto",
        "state_province": "Ontario",
        "postal_code": "M5J 0A0",
        "total_capacity": programme.VENUE_CAPACITY,
        "accessibility_info": "Step-free at all doors; hearing loop at the main stage.",
    }
    return Table("venues", [row])


def event(
    ids: Ids, title: str, seed: int, number: int, times: Timetable, kind: str
) -> Table:
    """The event, live from the start: its windows are real times.

    Its settings hold what `ops.dev.evenings` needs to build it again.
    """
    mark = {
        "seed": seed,
        "number": number,
        "opens_at": times.opens_at.isoformat(),
        "length_s": times.length_s,
        "kind": kind,
    }
    row = {
        "id": ids.event,
        "venue_id": VENUE_ID,
        "title": title,
        "slug": f"lakeshore-{number}-{ids.event.hex[-6:]}",
        "event_type": "conference",
        "starts_at": times.at(programme.SESSIONS[0].begin),
        "ends_at": times.at(1.0),
        "doors_open_at": times.at(0.0),
        "admission_opens_at": times.at(programme.FIRST_ENTRY),
        "admission_closes_at": times.at(programme.LAST_ENTRY),
        "capacity": programme.VENUE_CAPACITY,
        "status": "live",
        "doors_state": "open",
        "show_rate": Decimal("0.88"),
        "settings": json.dumps({"preset": "conference", "sample": mark}),
    }
    return Table("events", [row])


def areas(ids: Ids) -> Table:
    """The venue, the lounge and the rooms."""
    rows = [
        {
            "id": ids.areas[spec.key],
            "event_id": ids.event,
            "venue_id": VENUE_ID,
            "parent_id": None if spec.kind == "venue" else ids.areas["venue"],
            "name": spec.name,
            "kind": spec.kind,
            "capacity": spec.capacity,
            "limit_kind": "hard",
            "position": position,
            "overflow_area_id": ids.areas[spec.overflow] if spec.overflow else None,
        }
        for position, spec in enumerate(programme.AREAS)
    ]
    # A room's overflow must exist before it: COPY checks references row by row.
    return Table(
        "ops.areas", sorted(rows, key=lambda row: bool(row["overflow_area_id"]))
    )


def sessions(ids: Ids, times: Timetable) -> Table:
    """Eight sessions; two of them are for registered people only."""
    rows = [
        {
            "id": ids.sessions[spec.key],
            "event_id": ids.event,
            "venue_id": VENUE_ID,
            "title": spec.title,
            "session_type": spec.kind,
            "start_time": times.at(spec.begin),
            "end_time": times.at(spec.end),
            "max_attendees": spec.seats,
            "registration_required": spec.mode == "registered",
            "waitlist_enabled": spec.mode == "registered",
            "area_id": ids.areas[spec.room],
            "door_mode": spec.mode,
            "check_in_opens": times.at(spec.begin - programme.OPENS_BEFORE),
            "check_in_closes": times.at(spec.end - programme.CLOSES_BEFORE),
        }
        for spec in programme.SESSIONS
    ]
    return Table("sessions", rows)


def scopes(ids: Ids, make_id: Callable[[], UUID], times: Timetable) -> list[Table]:
    """What one is admitted to: the venue, the lounge, each session; and the rules."""
    names = {spec.key: spec.name for spec in programme.AREAS}
    outer, lounge = make_id(), make_id()

    def scope(id_: UUID, kind: str, area: str, **more: object) -> Row:
        row: Row = {
            "id": id_,
            "event_id": ids.event,
            "kind": kind,
            "area_id": ids.areas[area],
            "parent_id": outer,
            "session_id": None,
            "name": names[area],
            "capacity": None,
            "limit_kind": "hard",
            "tracks_exits": False,
            "re_entry": "always",
            "exclusive": False,
            "opens_at": None,
            "closes_at": None,
        }
        return {**row, **more}

    rows = [
        # Exclusive: going to a session ends being in another one.
        scope(
            outer,
            "venue",
            "venue",
            parent_id=None,
            tracks_exits=True,
            re_entry="after_exit",
            exclusive=True,
        ),
        scope(lounge, "zone", "lounge"),
    ]
    rows += [
        scope(
            make_id(),
            "session",
            spec.room,
            session_id=ids.sessions[spec.key],
            name=spec.title,
            capacity=spec.seats,
            limit_kind="hard" if spec.mode == "registered" else "soft",
            opens_at=times.at(spec.begin - programme.OPENS_BEFORE),
            closes_at=times.at(spec.end - programme.CLOSES_BEFORE),
        )
        for spec in programme.SESSIONS
    ]
    rules = [
        {
            "id": make_id(),
            "event_id": ids.event,
            "scope_id": lounge,
            "ticket_type_id": ids.types[key],
            "allowed": True,
        }
        for key in programme.LOUNGE_TYPES
    ]
    return [Table("ops.scopes", rows), Table("ops.access_rules", rules)]


def gates(ids: Ids) -> Table:
    """Six gates, all of which let people out as well."""
    rows = [
        {
            "id": ids.gates[spec.key],
            "event_id": ids.event,
            "area_id": ids.areas[spec.area],
            "name": spec.name,
            "direction": "both",
            "position": position,
        }
        for position, spec in enumerate(programme.GATES)
    ]
    return Table("ops.gates", rows)


def types(ids: Ids, times: Timetable) -> Table:
    """Six ticket types."""
    rows = [
        {
            "id": ids.types[spec.key],
            "event_id": ids.event,
            "name": spec.name,
            "ticket_category": spec.category,
            "price": Decimal(spec.price),
            "total_capacity": round(spec.share * programme.ATTENDEES * 1.1),
            "access_class": spec.access_class,
            "sale_end_date": times.at(1.0),
        }
        for spec in programme.TYPES
    ]
    return Table("ticket_types", rows)


def devices(
    ids: Ids, found: list[SampleDevice], times: Timetable, secret_key: str
) -> list[Table]:
    """Twelve devices that wait to be paired."""
    rows = [
        {
            "id": device.id,
            "name": device.name,
            "profile": "scan",
            "state": "pairing",
            "pairing_code_hash": pairing_hash(secret_key, device.pairing_code),
            "pairing_expires_at": times.at(1.0) + _CODES_LIVE_ON,
            "gate_id": ids.gates[device.gate],
            "direction": "in",
        }
        for device in found
    ]
    links = [
        {
            "device_id": device.id,
            "event_id": ids.event,
            "gate_id": ids.gates[device.gate],
        }
        for device in found
    ]
    return [Table("ops.devices", rows), Table("ops.device_events", links)]


def operators(ids: Ids, make_id: Callable[[], UUID], secret_key: str) -> Table:
    """The people who work the devices, with PINs that a demonstration can show."""
    rows = [
        {
            "id": make_id(),
            "event_id": ids.event,
            "name": name,
            "agency": "Lakeshore Stewards",
            "pin_hash": pin_hash(secret_key, ids.event, programme.pin(position)),
            "role": role,
            "language": language,
        }
        for position, (name, role, language) in enumerate(programme.OPERATORS)
    ]
    return Table("ops.operators", rows)


def enrolment(
    ids: Ids, id_: UUID, code: str, times: Timetable, secret_key: str
) -> Table:
    """A code with which visitors of the demo pair their own phones."""
    row = {
        "id": id_,
        "event_id": ids.event,
        "gate_id": ids.gates["north"],
        "profile": "scan",
        "code_hash": pairing_hash(secret_key, code),
        "max_devices": ENROLMENT_DEVICES_MAX,
        "valid_until": times.at(1.0) + _CODES_LIVE_ON,
    }
    return Table("ops.enrolments", [row])
