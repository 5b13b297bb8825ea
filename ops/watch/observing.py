"""From what was read to observations, one function a reading. Pure.

Rows are mappings with the columns of `statements`; a function that is given nothing
observes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.watch.evaluate import Observation, Place
from ops.watch.pace import MINUTES, drop_percent, missed
from ops.watch.rules import Setting
from ops.watch.staffing import Staffing

Row = Mapping[str, Any]

OPEN = frozenset({"open", "last_entry"})
REFUSED_SHARE = 0.25
BURST_MINUTES = 5
SILENT_STEP_S = 30
BEHIND_STEP_S = 5


class Moment(msgspec.Struct, frozen=True):
    """When it is, and whether the doors let anybody in."""

    at: datetime
    doors_open: bool


def moment(event: Row, now: datetime) -> Moment:
    """The state of an event's doors at a time."""
    within = event["doors_at"] <= now <= event["ends_at"]
    return Moment(now, within and event["doors_state"] in OPEN)


def places(rows: Iterable[Row], event_capacity: int | None) -> list[Observation]:
    """How full areas and sessions are."""
    found = []
    for row in rows:
        capacity = row["capacity"]
        if capacity is None and row["kind"] == "venue":
            capacity = event_capacity
        if not capacity:
            continue
        inside = row["inside"]
        percent = 100.0 * inside / capacity
        args = {
            "inside": inside,
            "capacity": capacity,
            "may_enter": max(0, capacity - inside),
        }
        session = row["session_id"]
        place = Place(session_id=session) if session else Place(area_id=row["id"])
        found += [
            Observation(rule, str(row["id"]), percent, place, args)
            for rule in ("capacity_80", "capacity_95", "area_full")
        ]
    return found


class Gate(msgspec.Struct):
    """A gate's last minutes, the newest first."""

    id: UUID
    state: str
    entered: list[int]
    refused: int = 0
    tried: int = 0


def gates(rows: Iterable[Row]) -> list[Gate]:
    """The gates of a reading of the pace."""
    found: dict[UUID, Gate] = {}
    for row in rows:
        gate = found.get(row["id"])
        if gate is None:
            gate = found[row["id"]] = Gate(row["id"], row["state"], [0] * MINUTES)
        minute = row["minute"]
        if minute is None or not 0 <= minute < MINUTES:
            continue
        gate.entered[minute] += row["entered"]
        if minute < BURST_MINUTES:
            gate.refused += row["refused"]
            gate.tried += row["tried"]
    return list(found.values())


def paces(rows: Iterable[Row], when: Moment) -> list[Observation]:
    """Drops, silence and bursts of refusals at the gates."""
    found = []
    for gate in gates(rows):
        place, subject = Place(gate_id=gate.id), str(gate.id)
        if when.doors_open and gate.state in OPEN:
            recent = sum(gate.entered[:3])
            found.append(
                Observation(
                    "gate_drop",
                    subject,
                    round(drop_percent(gate.entered)),
                    place,
                    {"came": recent},
                )
            )
            found.append(
                Observation("gate_silent", subject, missed(gate.entered), place)
            )
        if gate.tried and gate.refused / gate.tried >= REFUSED_SHARE:
            args = {"tried": gate.tried}
            found.append(
                Observation("refusal_burst", subject, gate.refused, place, args)
            )
    return found


def devices(rows: Iterable[Row], when: Moment) -> list[Observation]:
    """Devices that are gone, run out of power, or hold what nobody has heard of."""
    found = []
    for row in rows:
        subject = str(row["id"])
        place = Place(
            device_id=row["id"], gate_id=row["gate_id"], operator_id=row["operator_id"]
        )
        if when.doors_open and row["silent_s"] is not None:
            # In steps, so that an open alert is not written at each look.
            silent = int(row["silent_s"] // SILENT_STEP_S) * SILENT_STEP_S
            found.append(Observation("device_gone", subject, silent, place))
        if row["battery"] is not None:
            found.append(Observation("low_battery", subject, row["battery"], place))
        if row["pending"]:
            found.append(Observation("unsent_scans", subject, row["pending"], place))
    return found


def speakers(rows: Iterable[Row]) -> list[Observation]:
    """Who speaks soon and has not come."""
    return [
        Observation(
            "speaker_missing",
            f"{row['session_id']}:{row['speaker_id']}",
            int(row["minutes"]),
            Place(session_id=row["session_id"]),
            {"speaker_id": str(row["speaker_id"])},
        )
        for row in rows
    ]


def seats(rows: Iterable[Row]) -> list[Observation]:
    """Sessions with more people registered than there are seats."""
    return [
        Observation(
            "too_many_registered",
            str(row["session_id"]),
            row["n"],
            Place(session_id=row["session_id"]),
        )
        for row in rows
    ]


def shifts(found: Staffing, now: datetime) -> list[Observation]:
    """Who should be at a gate by now and is not, where nobody stands in."""
    short = {gate.gate_id for gate in found.gates if gate.short}
    return [
        Observation(
            "shift_missing",
            str(one.shift_id),
            int((now - one.starts_at).total_seconds() // 60),
            Place(gate_id=one.gate_id, operator_id=one.operator_id),
            {"state": one.state, "device": one.device},
        )
        for one in found.shifts
        if one.state in ("missing", "elsewhere")
        and (one.gate_id is None or one.gate_id in short)
    ]


def arrivals(rows: Iterable[Row]) -> list[Observation]:
    """VIPs, and the first of a party: of a guest list's entry, of a table."""
    found: list[Observation] = []
    tables: dict[str, int] = {}
    hosts: dict[str, UUID | None] = {}
    for row in rows:
        place = Place(ticket_id=row["ticket_id"], gate_id=row["gate_id"])
        if row["vip"]:
            args = _host(row["host_user_id"] or row["owner_id"])
            found.append(
                Observation("vip_arrived", str(row["ticket_id"]), 1, place, args)
            )
        if row["list_id"]:
            args = {
                "list_id": str(row["list_id"]),
                "of": row["admits"],
                **_host(row["host_user_id"] or row["owner_id"]),
            }
            found.append(
                Observation(
                    "party_arrived", str(row["ticket_id"]), row["people"], place, args
                )
            )
        elif row["seat_map_id"] and row["row_number"] is not None:
            subject = f"table:{row['seat_map_id']}:{row['row_number']}"
            tables[subject] = tables.get(subject, 0) + row["people"]
            hosts[subject] = hosts.get(subject) or row["owner_id"]
            args = {
                "table": row["row_number"],
                "section": row["section_name"],
                **_host(hosts[subject]),
            }
            found = [one for one in found if one.subject != subject]
            found.append(
                Observation("party_arrived", subject, tables[subject], place, args)
            )
    return found


def ejections(rows: Iterable[Row]) -> list[Observation]:
    """Who was put out, and where; until somebody closes the incident."""
    return [
        Observation(
            "ejected",
            str(row["ticket_id"]),
            1,
            Place(
                gate_id=row["gate_id"],
                device_id=row["device_id"],
                operator_id=row["operator_id"],
                ticket_id=row["ticket_id"],
            ),
        )
        for row in rows
    ]


def _host(user_id: UUID | None) -> dict[str, Any]:
    return {"host_id": str(user_id)} if user_id else {}


def sync(event: Row, mode: str | None) -> list[Observation]:
    """Whether the doors hear of changes, and whether PostgreSQL takes writes.

    Args:
        mode: of the event in the cache (N, D); None: the cache is cold or away.
    """
    waiting = event["waiting_s"] or 0.0
    found = [Observation("sync_behind", "relay", round(max(0.0, waiting)))]
    if mode == "D":
        found.append(Observation("journal_mode", "event", 1))
    return found


def journals(rows: Iterable[Row], mode: str | None) -> list[Observation]:
    """How long the machine that is furthest behind has not had its journals merged.

    In mode D alone, for nobody goes back to N before all have; `rows` are the machines,
    the furthest behind first, each with the seconds since it last had all of them in.
    """
    if mode != "D":
        return []
    found = list(rows)
    if not found:
        return []
    # In steps, so that an open alert is not written at each look.
    seconds = max(0, int(found[0]["behind_s"]) // BEHIND_STEP_S * BEHIND_STEP_S)
    args = {"machine": found[0]["name"]}
    return [Observation("journal_behind", "journals", seconds, args=args)]


def fast(rows: Iterable[Row], setting: Setting) -> list[Observation]:
    """One code at two gates sooner than anybody walks; the fastest pair of each."""
    found: dict[str, Observation] = {}
    for row in rows:
        walk = setting.threshold if row["walk_s"] is None else float(row["walk_s"])
        apart = max(0.0, row["apart_s"])
        if apart > walk or (row["who"] in found and found[row["who"]].value <= apart):
            continue
        found[row["who"]] = Observation(
            "two_gates_fast",
            row["who"],
            round(apart, 1),
            Place(ticket_id=row["ticket_id"], gate_id=row["gate_id"]),
            {
                "first_scan": str(row["first_scan"]),
                "second_scan": str(row["scan_id"]),
                "first_gate": str(row["first_gate"]),
                "walk_s": walk,
            },
            walk,
        )
    return list(found.values())


def at_gates(rows: Iterable[Row]) -> list[Observation]:
    """Who was turned away at one gate after another."""
    return [
        Observation(
            "refused_at_gates",
            row["who"],
            len(row["gates"]),
            Place(ticket_id=row["ticket_id"], gate_id=row["gate_id"]),
            {"attempts": row["attempts"]},
        )
        for row in rows
    ]


def guesses(rows: Iterable[Row]) -> list[Observation]:
    """Devices at which code after code is not known."""
    return [
        Observation(
            "code_guessing",
            str(row["device_id"]),
            row["codes"],
            Place(device_id=row["device_id"], gate_id=row["gate_id"]),
        )
        for row in rows
    ]


def duplicates(rows: Iterable[Row]) -> list[Observation]:
    """Orders whose tickets are shown again and again."""
    return [
        Observation(
            "order_duplicates",
            str(row["order_id"]),
            row["duplicates"],
            Place(ticket_id=row["ticket_id"], gate_id=row["gate_id"]),
            {"order_id": str(row["order_id"]), "tickets": row["tickets"]},
        )
        for row in rows
    ]


def overrides(rows: Iterable[Row]) -> list[Observation]:
    """Operators who override much."""
    return [
        Observation(
            "override_rate",
            str(row["operator_id"]),
            row["overrides"],
            Place(operator_id=row["operator_id"], gate_id=row["gate_id"]),
            {"tickets": row["tickets"]},
        )
        for row in rows
    ]


def voided(rows: Iterable[Row]) -> list[Observation]:
    """Refunded or cancelled tickets whose people are inside, or come all the same."""
    found = []
    for row in rows:
        ticket, subject = row["ticket_id"], str(row["ticket_id"])
        if row["inside"]:
            place = Place(ticket_id=ticket, gate_id=row["came_by"])
            args = {"people": row["inside"], "state": row["state"]}
            found.append(Observation("voided_inside", subject, 1, place, args))
        if row["tried"]:
            place = Place(ticket_id=ticket, gate_id=row["tried_at"])
            found.append(Observation("refund_then_scan", subject, row["tried"], place))
    return found


def waits(rows: Iterable[Row]) -> list[Observation]:
    """How long people wait at the gates, by the newest forecast; what is not known is
    not observed."""
    return [
        Observation(
            "queue_wait",
            gate["id"],
            round(gate["wait_s"] / 60, 1),
            Place(gate_id=UUID(gate["id"])),
            {"basis": gate["basis"], "lanes_needed": gate["lanes_needed"]},
        )
        for row in rows
        for gate in row["data"].get("gates", ())
        if gate["wait_s"] is not None
    ]
