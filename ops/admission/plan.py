"""The plan of an event: areas, scopes, gates, types and rules, compiled for decisions.

A value, made from rows (`Plan(rows)`), kept by each process under its version and
replaced as a whole. Numbers (`no`) are what the cache packs; ids are what the
database and the API use. Compiled once a version: relative windows become instants,
and what a ticket type may at a scope on a day becomes one value (`Plan.terms`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from ops.admission.days import EventDays
from ops.admission.questions import Question
from ops.admission.terms import Terms, latest

ReEntry = Literal["never", "after_exit", "always"]
Anchor = Literal["doors", "event_start", "event_end", "session_start", "session_end"]
"""What a relative window counts from; a delay of the doors moves only `doors`."""


class EventPlan(msgspec.Struct, frozen=True):
    """The event itself: windows, doors and language."""

    id: UUID
    no: int
    title: str
    timezone: str
    languages: tuple[str, ...]
    status: str
    doors_state: str
    starts_at: datetime
    ends_at: datetime
    admission_opens_at: datetime | None
    admission_closes_at: datetime | None
    day_starts_at: time
    doors_open_at: datetime | None = None
    doors_delay_minutes: int = 0

    @property
    def doors_at(self) -> datetime:
        """When the doors open, a delay included."""
        opens = self.doors_open_at or self.starts_at
        return opens + timedelta(minutes=self.doors_delay_minutes)


class AreaPlan(msgspec.Struct, frozen=True):
    """A place with a limit."""

    id: UUID
    no: int
    name: str
    kind: str
    capacity: int | None
    limit_kind: str
    overflow_area_id: UUID | None = None
    parent_id: UUID | None = None
    min_age: int | None = None


class ScopePlan(msgspec.Struct, frozen=True):
    """What an admission is for: the venue, a zone or a session."""

    id: UUID
    no: int
    kind: str
    area_id: UUID
    name: str
    parent_id: UUID | None = None
    session_id: UUID | None = None
    capacity: int | None = None
    limit_kind: str = "hard"
    tracks_exits: bool = True
    re_entry: ReEntry = "after_exit"
    passes_total: int | None = None
    enter_outer: str = "enter"
    exclusive: bool = False
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    door_mode: str = "open"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    opens_anchor: Anchor | None = None
    opens_offset_minutes: int = 0
    closes_anchor: Anchor | None = None
    closes_offset_minutes: int = 0
    passes_per_day: int | None = None
    pass_gap_minutes: int | None = None
    anti_passback_minutes: int | None = None
    exits_assumed_at: time | None = None


class GatePlan(msgspec.Struct, frozen=True):
    """A place where scans happen; leads into one area."""

    id: UUID
    no: int
    name: str
    area_id: UUID
    session_id: UUID | None = None
    direction: str = "both"
    state: str = "open"
    use_instead_id: UUID | None = None


class TypePlan(msgspec.Struct, frozen=True):
    """A ticket type."""

    id: UUID
    no: int
    name: str
    category: str | None
    access_class: str = "guest"
    min_age: int | None = None


class AccessRule(msgspec.Struct, frozen=True):
    """Ticket type (or access class) x scope, on all event days or on one."""

    scope_id: UUID
    ticket_type_id: UUID | None
    access_class: str | None
    allowed: bool = True
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    passes_total: int | None = None
    re_entry: ReEntry | None = None
    day: date | None = None
    opens_anchor: Anchor | None = None
    opens_offset_minutes: int = 0
    closes_anchor: Anchor | None = None
    closes_offset_minutes: int = 0
    passes_per_day: int | None = None
    pass_gap_minutes: int | None = None
    anti_passback_minutes: int | None = None
    min_age: int | None = None


class StopPlan(msgspec.Struct, frozen=True):
    """Admission is stopped: at a gate, in an area with all in it, or everywhere."""

    id: UUID
    area_id: UUID | None = None
    gate_id: UUID | None = None


class HeldPlaces(msgspec.Struct, frozen=True):
    """Places of a limit kept for a class or a type until a time (None: always)."""

    id: UUID
    places: int
    scope_id: UUID | None = None
    area_id: UUID | None = None
    access_class: str | None = None
    ticket_type_id: UUID | None = None
    until: datetime | None = None


class PlanRows(msgspec.Struct, frozen=True):
    """What `ops.read_plan_v1` returns."""

    version: int
    event: EventPlan
    areas: list[AreaPlan]
    scopes: list[ScopePlan]
    gates: list[GatePlan]
    types: list[TypePlan]
    rules: list[AccessRule]
    questions: list[Question] = []
    stops: list[StopPlan] = []
    held: list[HeldPlaces] = []


class Plan:
    """The compiled plan: look-ups by id and number, and the ways between scopes."""

    def __init__(self, rows: PlanRows) -> None:
        self.rows = rows
        self.version = rows.version
        self.event = rows.event
        self.days = EventDays(rows.event.timezone, rows.event.day_starts_at)
        scopes = [_with_window(scope, scope, rows.event) for scope in rows.scopes]
        self.areas = {area.id: area for area in rows.areas}
        self.scopes = {scope.id: scope for scope in scopes}
        self.gates = {gate.id: gate for gate in rows.gates}
        self.gates_by_no = {gate.no: gate for gate in rows.gates}
        self.scopes_by_no = {scope.no: scope for scope in scopes}
        self.types_by_no = {kind.no: kind for kind in rows.types}
        self.scope_of_session = {
            scope.session_id: scope for scope in scopes if scope.session_id
        }
        self.questions = tuple(rows.questions)
        self._own_scope: dict[UUID, ScopePlan] = {}
        self._sessions_in: dict[UUID, list[ScopePlan]] = {}
        self._children: dict[UUID, list[ScopePlan]] = {}
        for scope in scopes:
            if scope.session_id is None:
                self._own_scope[scope.area_id] = scope
            else:
                self._sessions_in.setdefault(scope.area_id, []).append(scope)
            if scope.parent_id:
                self._children.setdefault(scope.parent_id, []).append(scope)
        self._rules: dict[tuple[UUID, UUID | str | None, date | None], AccessRule] = {}
        self._ruled: set[UUID] = set()
        self._by_day: set[UUID] = set()
        for rule in rows.rules:
            self._add_rule(rule)
        self._terms: dict[tuple[int, int, str, int], Terms] = {}
        self._asked: dict[tuple[int, int, str], tuple[Question, ...]] = {}
        self._held = _by_place(rows.held)
        self._below = {scope.id: self._descend(scope) for scope in scopes}
        self._above = {scope.id: self._ascend(scope) for scope in scopes}
        self._siblings = {scope.id: tuple(self._beside(scope)) for scope in scopes}
        self._stopped_gates = {stop.gate_id for stop in rows.stops if stop.gate_id}
        self._stopped_areas = _areas_below(
            rows.areas, {stop.area_id for stop in rows.stops if stop.area_id}
        )
        self._stopped = any(
            stop.gate_id is None and stop.area_id is None for stop in rows.stops
        )

    def _add_rule(self, rule: AccessRule) -> None:
        scope = self.scopes.get(rule.scope_id)
        if scope is None:
            return  # of a scope that is cancelled or has no place
        key = rule.ticket_type_id or rule.access_class
        placed = _with_window(rule, scope, self.event)
        self._rules[(rule.scope_id, key, rule.day)] = placed
        self._ruled.add(rule.scope_id)
        if rule.day is not None:
            self._by_day.add(rule.scope_id)

    def _descend(self, scope: ScopePlan) -> tuple[ScopePlan, ...]:
        found: list[ScopePlan] = []
        waiting = list(self._children.get(scope.id, ()))
        while waiting and len(found) < len(self.scopes):
            child = waiting.pop()
            found.append(child)
            waiting.extend(self._children.get(child.id, ()))
        return tuple(found)

    def _ascend(self, scope: ScopePlan) -> tuple[ScopePlan, ...]:
        found: list[ScopePlan] = []
        parent_id = scope.parent_id
        while parent_id and len(found) < len(self.scopes):
            parent = self.scopes.get(parent_id)
            if parent is None:
                break  # without a place, or of a session that was cancelled
            found.append(parent)
            parent_id = parent.parent_id
        return tuple(found)

    def below(self, scope: ScopePlan) -> tuple[ScopePlan, ...]:
        """Scopes inside this one: leaving it leaves them."""
        return self._below[scope.id]

    def above(self, scope: ScopePlan) -> tuple[ScopePlan, ...]:
        """Scopes around this one, the nearest first."""
        return self._above[scope.id]

    def siblings(self, scope: ScopePlan) -> tuple[ScopePlan, ...]:
        """Scopes whose presence ends when this one is entered (exclusive parents).

        Whoever enters a zone is in those around it as well, and so no more in theirs.
        """
        return self._siblings[scope.id]

    def _beside(self, scope: ScopePlan) -> Iterator[ScopePlan]:
        way = (scope, *self.above(scope))
        entered = {one.id for one in way}
        for inner in way:
            parent = self.scopes.get(inner.parent_id) if inner.parent_id else None
            if parent is not None and parent.exclusive:
                for child in self._children[parent.id]:
                    if child.id not in entered:
                        yield from (child, *self.below(child))
            if inner.enter_outer == "ignore":
                return

    def own_scope(self, area_id: UUID) -> ScopePlan | None:
        """The scope of the area itself (venue or zone), not of its sessions."""
        return self._own_scope.get(area_id)

    def sessions_in(self, area_id: UUID) -> list[ScopePlan]:
        """The scopes of the sessions that use this room."""
        return self._sessions_in.get(area_id, [])

    def rule(
        self, scope: ScopePlan, kind: TypePlan, access: str, day: date | None = None
    ) -> AccessRule | None:
        """The access rule that applies: by type before class, of the day before all.

        None means allowed by the scope's own settings; a scope for which any rule is
        written admits only what a rule allows.
        """
        for key in (kind.id, access):
            for of_day in (day, None):
                found = self._rules.get((scope.id, key, of_day))
                if found is not None:
                    return found
        if scope.id in self._ruled:
            return AccessRule(scope.id, None, None, allowed=False)
        return None

    def terms(
        self, scope: ScopePlan, kind: TypePlan, access: str, at: datetime
    ) -> Terms:
        """What a type of this class may at a scope at that time, all rules merged."""
        day = self.days.number(at) if scope.id in self._by_day else 0
        key = (scope.no, kind.no, access, day)
        found = self._terms.get(key)
        if found is None:
            date_of = self.days.date(day) if day else None
            rule = self.rule(scope, kind, access, date_of)
            found = self._terms[key] = self._merge(scope, kind, rule)
        return found

    def _merge(
        self, scope: ScopePlan, kind: TypePlan, rule: AccessRule | None
    ) -> Terms:
        event, area = self.event, self.areas[scope.area_id]
        venue = scope.kind == "venue"
        first = rule or AccessRule(scope.id, None, None)
        ages = (kind.min_age, area.min_age, first.min_age)
        return Terms(
            allowed=first.allowed,
            opens=latest(
                scope.opens_at,
                first.opens_at,
                event.admission_opens_at if venue else None,
            ),
            closes=min(
                (
                    at
                    for at in (
                        scope.closes_at,
                        first.closes_at,
                        event.admission_closes_at if venue else None,
                    )
                    if at
                ),
                default=None,
            ),
            re_entry=first.re_entry or scope.re_entry,
            passes_total=first.passes_total or scope.passes_total,
            passes_per_day=first.passes_per_day or scope.passes_per_day,
            gap=_minutes(first.pass_gap_minutes, scope.pass_gap_minutes),
            anti_passback=_minutes(
                first.anti_passback_minutes, scope.anti_passback_minutes
            ),
            min_age=max((age for age in ages if age), default=0),
        )

    def asks(
        self, scope: ScopePlan, kind: TypePlan, access: str
    ) -> tuple[Question, ...]:
        """The questions to people of this type and class at this scope, in order."""
        if not self.questions:
            return ()
        key = (scope.no, kind.no, access)
        found = self._asked.get(key)
        if found is None:
            found = self._asked[key] = tuple(
                question
                for question in self.questions
                if question.scope_id in (None, scope.id)
                and question.ticket_type_id in (None, kind.id)
                and question.access_class in (None, access)
            )
        return found

    def stopped(self, gate: GatePlan | None, scope: ScopePlan | None) -> str:
        """Where admission is stopped for this scan: event | area | gate, or ""."""
        if self._stopped:
            return "event"
        if self._stopped_areas:
            places = {gate.area_id if gate else None, scope.area_id if scope else None}
            if places & self._stopped_areas:
                return "area"
        return "gate" if gate and gate.id in self._stopped_gates else ""

    def kept_from(
        self, place: UUID, kind: TypePlan | None, access: str, at: datetime
    ) -> list[UUID]:
        """The held places of a scope or area that are not for this type or class."""
        return [one.id for one in self._kept(place, kind, access, at)]

    def kept_places(
        self, place: UUID, kind: TypePlan | None, access: str, at: datetime
    ) -> int:
        """How many places these are in all, taken by those they are for or not."""
        return sum(one.places for one in self._kept(place, kind, access, at))

    def _kept(
        self, place: UUID, kind: TypePlan | None, access: str, at: datetime
    ) -> list[HeldPlaces]:
        held = self._held.get(place)
        if held is None:
            return []
        return [
            one
            for one in held
            if (one.until is None or at < one.until)
            and one.access_class != access
            and (
                one.ticket_type_id is None
                or kind is None
                or one.ticket_type_id != kind.id
            )
        ]

    def limits(self, scope: ScopePlan) -> list[tuple[UUID, int]]:
        """The hard limits on the way into a scope: its own, its area's."""
        area = self.areas[scope.area_id]
        found = []
        if scope.capacity is not None and scope.limit_kind == "hard":
            found.append((scope.id, scope.capacity))
        if area.capacity is not None and area.limit_kind == "hard":
            found.append((area.id, area.capacity))
        return found

    def gates_for(self, kind: TypePlan, access: str, at: datetime) -> list[GatePlan]:
        """Gates into scopes that this type may enter, to name the right one."""
        named = []
        for gate in self.gates.values():
            scope = self.own_scope(gate.area_id)
            if scope is None or gate.direction == "out" or gate.state == "closed":
                continue
            if self.terms(scope, kind, access, at).allowed:
                named.append(gate)
        return named


_Windowed = TypeVar("_Windowed", ScopePlan, AccessRule)


def _with_window(row: _Windowed, scope: ScopePlan, event: EventPlan) -> _Windowed:
    """The same row with its relative window as instants."""
    if row.opens_anchor is None and row.closes_anchor is None:
        return row
    anchors: dict[str, datetime | None] = {
        "doors": event.doors_at,
        "event_start": event.starts_at,
        "event_end": event.ends_at,
        "session_start": scope.starts_at or event.starts_at,
        "session_end": scope.ends_at or event.ends_at,
    }

    def placed(
        anchor: str | None, minutes: int, fixed: datetime | None
    ) -> datetime | None:
        begin = anchors[anchor] if anchor else None
        return begin + timedelta(minutes=minutes) if begin else fixed

    return msgspec.structs.replace(
        row,
        opens_at=placed(row.opens_anchor, row.opens_offset_minutes, row.opens_at),
        closes_at=placed(row.closes_anchor, row.closes_offset_minutes, row.closes_at),
    )


def _minutes(*given: int | None) -> timedelta | None:
    """The first that is given."""
    found = next((one for one in given if one is not None), None)
    return timedelta(minutes=found) if found else None


def _by_place(held: list[HeldPlaces]) -> dict[UUID, list[HeldPlaces]]:
    places: dict[UUID, list[HeldPlaces]] = {}
    for one in held:
        place = one.scope_id or one.area_id
        if place is not None:
            places.setdefault(place, []).append(one)
    return places


def _areas_below(areas: list[AreaPlan], stopped: set[UUID]) -> set[UUID | None]:
    """These areas and all that lies in them."""
    found: set[UUID | None] = set(stopped)
    for _ in areas:
        more = {area.id for area in areas if area.parent_id in found} - found
        if not more or not found:
            break
        found |= more
    return found
