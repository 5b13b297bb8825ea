"""What a topic shows, computed from counters and the plan. Pure.

The counters come from the cache (`:n`, written by the finish script) or from one SQL
statement (`sources.DatabaseSource`); the field names are the same, so the figures are
too. All figures are people, as the table of figures in door.md defines them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.days import EventDays
from ops.admission.figures import Counters as Counters
from ops.admission.figures import Figures, Sold, figures
from ops.admission.figures import parse_counters as parse_counters

CURVE_MINUTES_MAX = 24 * 60
RATE_MINUTES = 5
GATE_RATE_WINDOW_S = 120.0
GATE_RATE_SPAN_MIN_S = 15.0


class EventInfo(msgspec.Struct, frozen=True):
    id: UUID
    title: str
    timezone: str
    status: str
    doors_state: str
    stopped: str | None
    """Where admission is stopped now: event (everywhere) | part, or nowhere."""
    starts_at: datetime
    ends_at: datetime
    doors_open_at: datetime | None
    day_starts_at: time
    capacity: int | None


class ScopeInfo(msgspec.Struct, frozen=True):
    no: int
    kind: str
    area_id: UUID | None
    session_id: UUID | None
    capacity: int | None
    limit_kind: str | None
    tracks_exits: bool


class AreaInfo(msgspec.Struct, frozen=True):
    id: UUID
    no: int
    name: str
    kind: str
    capacity: int | None
    limit_kind: str | None


class GateInfo(msgspec.Struct, frozen=True):
    id: UUID
    no: int
    name: str
    area_id: UUID | None
    state: str
    devices: int


class TypeInfo(msgspec.Struct, frozen=True):
    """A ticket type; `sold` and `expected_guests` are people on valid tickets."""

    id: UUID
    no: int
    name: str
    category: str | None
    guest: bool
    sold: int
    expected: int


class SessionInfo(msgspec.Struct, frozen=True):
    id: UUID
    title: str
    type: str | None
    area_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    check_in_opens: datetime | None
    check_in_closes: datetime | None
    capacity: int | None
    mode: str
    status: str | None
    registered: int


class Plan(msgspec.Struct, frozen=True):
    """What PostgreSQL knows of an event and the counters do not."""

    event: EventInfo
    scopes: tuple[ScopeInfo, ...]
    areas: tuple[AreaInfo, ...]
    gates: tuple[GateInfo, ...]
    types: tuple[TypeInfo, ...]
    sessions: tuple[SessionInfo, ...]
    refused_people: int
    devices: dict[int, str] = {}
    operators: dict[int, str] = {}

    @property
    def venue(self) -> ScopeInfo | None:
        """The outermost scope."""
        return next((scope for scope in self.scopes if scope.kind == "venue"), None)


class Line(msgspec.Struct, array_like=True, frozen=True):
    """One scan, as the finish script puts it on the feed; ids are 16 bytes."""

    scan_id: bytes
    at_ms: int
    verdict: str
    reason: str
    direction: str
    people: int
    ticket_id: bytes | None
    type_no: int | None
    gate_no: int | None
    area_no: int | None
    device_no: int | None
    operator_no: int | None
    code_hint: str | None


_lines_decoder = msgspec.msgpack.Decoder(list[Line])


def parse_lines(packed: bytes) -> list[Line]:
    """The lines of a feed entry; an empty value has none, nor has one of another shape.

    (Offsets tell that lines are missing, so this ends in a snapshot, not in silence.)
    """
    try:
        return _lines_decoder.decode(packed) if packed else []
    except msgspec.DecodeError:
        return []


class GateRates:
    """People entered per minute by gate, from what this process saw pass.

    There is no counter per gate and minute; until the process has watched for 15 s it
    says that it does not know (None).
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, dict[int, int]]] = deque()

    def observe(self, entries: dict[int, int], now_s: float) -> None:
        """Remember the counters of entries at `now_s` (monotonic), once a second."""
        if self._seen and now_s - self._seen[-1][0] < 1.0:
            return
        self._seen.append((now_s, entries))
        while now_s - self._seen[0][0] > GATE_RATE_WINDOW_S:
            self._seen.popleft()

    def reset(self) -> None:
        """Forget: the counters start afresh."""
        self._seen.clear()

    def per_minute(self, gate_no: int, entered: int, now_s: float) -> float | None:
        """The gate's rate over at most the last two minutes."""
        if not self._seen:
            return None
        since_s, entries = self._seen[0]
        span_s = now_s - since_s
        if span_s < GATE_RATE_SPAN_MIN_S:
            return None
        return round(max(0, entered - entries.get(gate_no, 0)) * 60 / span_s, 1)


def attendance(
    plan: Plan, counters: Counters, gate_rates: GateRates, now: datetime, now_s: float
) -> dict[str, Any]:
    """The data of the topic attendance (docs/subsystems/live.md)."""
    areas = [_area(area, plan, counters) for area in plan.areas]
    return {
        "event": _event(plan.event),
        "figures": msgspec.structs.asdict(_figures(plan, counters, now)),
        "capacity": _venue_capacity(plan),
        "rate_per_min": _rate(counters["m"], now),
        "areas": areas,
        "gates": [
            _gate(gate, plan, counters, gate_rates, now_s) for gate in plan.gates
        ],
        "types": [
            {
                "id": kind.id,
                "name": kind.name,
                "category": kind.category,
                "expected": kind.expected,
                "entered": counters["t"].get(kind.no, 0),
            }
            for kind in plan.types
        ],
        "curve": _curve(plan.event, counters["m"], now),
    }


def sessions(plan: Plan, counters: Counters) -> dict[str, Any]:
    """The data of the topic sessions."""
    rooms = {area.id: area.name for area in plan.areas}
    scopes = {scope.session_id: scope for scope in plan.scopes if scope.session_id}
    return {
        "sessions": [
            _session(session, scopes.get(session.id), rooms, counters)
            for session in plan.sessions
        ]
    }


def scan_line(line: Line, plan: Plan, holder: str | None) -> dict[str, Any]:
    """One line of the ticker, numbers replaced by names."""
    areas = {area.no: area.name for area in plan.areas}
    gates = {gate.no: gate.name for gate in plan.gates}
    types = {kind.no: kind.name for kind in plan.types}
    return {
        "id": UUID(bytes=line.scan_id),
        "at": datetime.fromtimestamp(line.at_ms / 1000, UTC),
        "verdict": line.verdict,
        "reason": line.reason,
        "direction": line.direction,
        "people": line.people,
        "holder": holder,
        "type": _named(types, line.type_no),
        "gate": _named(gates, line.gate_no),
        "area": _named(areas, line.area_no),
        "device": _named(plan.devices, line.device_no),
        "operator": _named(plan.operators, line.operator_no),
        "code_hint": line.code_hint or None,
    }


def _named(names: Mapping[int, str], number: int | None) -> str | None:
    return None if number is None else names.get(number)


def _event(event: EventInfo) -> dict[str, Any]:
    return {
        "id": event.id,
        "title": event.title,
        "timezone": event.timezone,
        "status": event.status,
        "doors_state": event.doors_state,
        "stopped": event.stopped,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        "doors_open_at": event.doors_open_at,
    }


def _figures(plan: Plan, counters: Counters, now: datetime) -> Figures:
    venue = plan.venue
    area_id = venue.area_id if venue else None
    event = plan.event
    return figures(
        counters,
        [Sold(kind.no, kind.guest, kind.sold, kind.expected) for kind in plan.types],
        venue_no=venue.no if venue else None,
        venue_areas=[area.no for area in plan.areas if venue and area.id == area_id],
        venue_gates=[
            gate.no for gate in plan.gates if venue and gate.area_id == area_id
        ],
        today=_days(event.timezone, event.day_starts_at).number(now),
        over=now >= event.ends_at,
        refused_people=plan.refused_people,
    )


def _venue_capacity(plan: Plan) -> int | None:
    venue = plan.venue
    if venue is not None and venue.capacity is not None:
        return venue.capacity
    for area in plan.areas:
        if venue is not None and area.id == venue.area_id and area.capacity is not None:
            return area.capacity
    return plan.event.capacity


def _area(area: AreaInfo, plan: Plan, counters: Counters) -> dict[str, Any]:
    """People in a place: of its own scope, else of the sessions that use the room."""
    here = [scope for scope in plan.scopes if scope.area_id == area.id]
    own = [scope for scope in here if scope.kind != "session"] or here
    counted = counters["c"].get(area.no, 0)
    return {
        "id": area.id,
        "name": area.name,
        "kind": area.kind,
        "inside": sum(counters["i"].get(scope.no, 0) for scope in own) + counted,
        "counted": counted,
        "capacity": area.capacity,
        "limit": area.limit_kind,
    }


def _gate(
    gate: GateInfo, plan: Plan, counters: Counters, rates: GateRates, now_s: float
) -> dict[str, Any]:
    entered = counters["g"].get(gate.no, 0)
    area = next((area.name for area in plan.areas if area.id == gate.area_id), None)
    return {
        "id": gate.id,
        "name": gate.name,
        "area_id": gate.area_id,
        "area": area,
        "entered": entered,
        "exited": counters["x"].get(gate.no, 0),
        "refused": counters["r"].get(gate.no, 0),
        "rate_per_min": rates.per_minute(gate.no, entered, now_s),
        "devices": gate.devices,
        "state": gate.state,
    }


def _session(
    session: SessionInfo,
    scope: ScopeInfo | None,
    rooms: Mapping[UUID, str],
    counters: Counters,
) -> dict[str, Any]:
    no = scope.no if scope else 0
    capacity = session.capacity
    if scope is not None and scope.capacity is not None:
        capacity = scope.capacity
    return {
        "id": session.id,
        "title": session.title,
        "type": session.type,
        "room": rooms.get(session.area_id) if session.area_id else None,
        "area_id": session.area_id,
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "check_in_opens": session.check_in_opens,
        "check_in_closes": session.check_in_closes,
        "capacity": capacity,
        "limit": scope.limit_kind if scope else None,
        "registered": session.registered,
        "inside": counters["i"].get(no, 0),
        "entered": counters["e"].get(no, 0),
        "mode": session.mode,
        "status": session.status,
    }


def _rate(minutes: Mapping[int, int], now: datetime) -> float:
    """People entered per minute over the last five minutes, the current one begun."""
    seconds = now.timestamp()
    minute = int(seconds // 60)
    first = minute - RATE_MINUTES + 1
    people = sum(minutes.get(m, 0) for m in range(first, minute + 1))
    return round(max(0, people) * 60 / (seconds - first * 60 or 60.0), 1)


@lru_cache(maxsize=256)
def _days(timezone: str, starts_at: time) -> EventDays:
    return EventDays(timezone, starts_at)


def _day_start_minute(event: EventInfo, now: datetime) -> int:
    """The epoch minute at which the event day of `now` began (door.md)."""
    days = _days(event.timezone, event.day_starts_at)
    return int(days.begins(days.number(now)).timestamp() // 60)


def _curve(
    event: EventInfo, minutes: Mapping[int, int], now: datetime
) -> dict[str, Any]:
    """People entered per minute of this event day, from the first arrival until now."""
    last = int(now.timestamp() // 60)
    begin = max(_day_start_minute(event, now), last - CURVE_MINUTES_MAX + 1)
    of_day = [m for m, n in minutes.items() if m >= begin and n]
    first = min(of_day, default=last)
    last = max(last, *of_day) if of_day else last
    last = min(last, first + CURVE_MINUTES_MAX - 1)
    return {
        "start_minute": first,
        "entered": [minutes.get(m, 0) for m in range(first, last + 1)],
    }
