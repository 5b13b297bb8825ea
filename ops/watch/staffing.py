"""Who should be at the gates now, and who is. Pure.

A person is at a gate if a device that stands there has them signed on. A shift without
a gate is fulfilled by being signed on anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

State = Literal["signed_on", "elsewhere", "missing", "late_soon"]

SOON = timedelta(minutes=15)
"""A shift that begins within this is shown, but nobody is missing yet."""


class Planned(msgspec.Struct, frozen=True):
    """A shift of about now."""

    shift_id: UUID
    operator_id: UUID
    operator: str
    gate_id: UUID | None
    starts_at: datetime
    ends_at: datetime


class SignedOn(msgspec.Struct, frozen=True):
    """An operator at a device; `gate_id` is where the device stands."""

    operator_id: UUID
    operator: str
    device: str
    gate_id: UUID | None


class OnShift(msgspec.Struct, frozen=True):
    """A shift and what came of it; `at_gate_id`, `device`: where the person is."""

    shift_id: UUID
    operator_id: UUID
    operator: str
    gate_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    state: State
    at_gate_id: UUID | None
    device: str | None


class GateStaff(msgspec.Struct, frozen=True):
    """A gate's people: wanted by shifts, there, and how many are short.

    `unplanned` are there without a shift at this gate; they fill what is short.
    """

    gate_id: UUID
    gate: str
    wanted: int
    there: int
    unplanned: int
    short: int


class Staffing(msgspec.Struct, frozen=True):
    """Everybody of now, gates in the event's order, who is missing first."""

    gates: list[GateStaff]
    shifts: list[OnShift]
    unplanned: list[SignedOn]


_ORDER: dict[State, int] = {
    "missing": 0,
    "elsewhere": 1,
    "late_soon": 2,
    "signed_on": 3,
}


def staffing(
    gates: Sequence[tuple[UUID, str]],
    planned: Iterable[Planned],
    signed_on: Iterable[SignedOn],
    now: datetime,
) -> Staffing:
    """Hold shifts and sign-ons against each other."""
    on: dict[UUID, list[SignedOn]] = {}
    for one in signed_on:
        on.setdefault(one.operator_id, []).append(one)
    shifts = sorted(
        (
            _judged(one, on.get(one.operator_id, []), now)
            for one in planned
            if one.starts_at <= now + SOON and now < one.ends_at
        ),
        key=lambda one: (_ORDER[one.state], one.starts_at, one.operator),
    )
    begun = [one for one in shifts if one.starts_at <= now]
    keen = {(one.operator_id, one.gate_id) for one in begun}
    anywhere = {one.operator_id for one in begun if one.gate_id is None}
    unplanned = [
        one
        for places in on.values()
        for one in places
        if (one.operator_id, one.gate_id) not in keen
        and one.operator_id not in anywhere
    ]
    return Staffing(
        [_gate(gate, begun, unplanned) for gate in gates], shifts, unplanned
    )


def _judged(shift: Planned, places: Sequence[SignedOn], now: datetime) -> OnShift:
    here = next(
        (
            one
            for one in places
            if shift.gate_id is None or one.gate_id == shift.gate_id
        ),
        None,
    )
    state: State
    if here is not None:
        state, found = "signed_on", here
    elif places:
        state, found = "elsewhere", places[0]
    else:
        state = "late_soon" if now < shift.starts_at else "missing"
        found = None
    return OnShift(
        shift.shift_id,
        shift.operator_id,
        shift.operator,
        shift.gate_id,
        shift.starts_at,
        shift.ends_at,
        state,
        found.gate_id if found else None,
        found.device if found else None,
    )


def _gate(
    gate: tuple[UUID, str], begun: Sequence[OnShift], unplanned: Sequence[SignedOn]
) -> GateStaff:
    gate_id, name = gate
    wanted = [one for one in begun if one.gate_id == gate_id]
    there = sum(one.state == "signed_on" for one in wanted)
    more = len({one.operator_id for one in unplanned if one.gate_id == gate_id})
    short = max(0, len(wanted) - there - more)
    return GateStaff(gate_id, name, len(wanted), there + more, more, short)
