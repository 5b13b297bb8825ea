"""The plan of an event: areas, scopes, gates, types and rules, compiled for decisions.

A value, made from rows (`Plan(rows)`), kept by each process under its version and
replaced as a whole. Numbers (`no`) are what the cache packs; ids are what the
database and the API use.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Literal
from uuid import UUID

import msgspec

ReEntry = Literal["never", "after_exit", "always"]


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


class AreaPlan(msgspec.Struct, frozen=True):
    """A place with a limit."""

    id: UUID
    no: int
    name: str
    kind: str
    capacity: int | None
    limit_kind: str
    overflow_area_id: UUID | None = None


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


class AccessRule(msgspec.Struct, frozen=True):
    """Ticket type (or access class) x scope."""

    scope_id: UUID
    ticket_type_id: UUID | None
    access_class: str | None
    allowed: bool = True
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    passes_total: int | None = None
    re_entry: ReEntry | None = None


class PlanRows(msgspec.Struct, frozen=True):
    """What `ops.read_plan_v1` returns."""

    version: int
    event: EventPlan
    areas: list[AreaPlan]
    scopes: list[ScopePlan]
    gates: list[GatePlan]
    types: list[TypePlan]
    rules: list[AccessRule]


class Plan:
    """The compiled plan: look-ups by id and number, and the ways between scopes."""

    def __init__(self, rows: PlanRows) -> None:
        self.version = rows.version
        self.event = rows.event
        self.areas = {area.id: area for area in rows.areas}
        self.scopes = {scope.id: scope for scope in rows.scopes}
        self.gates = {gate.id: gate for gate in rows.gates}
        self.gates_by_no = {gate.no: gate for gate in rows.gates}
        self.scopes_by_no = {scope.no: scope for scope in rows.scopes}
        self.types_by_no = {kind.no: kind for kind in rows.types}
        self.scope_of_session = {
            scope.session_id: scope for scope in rows.scopes if scope.session_id
        }
        self._own_scope: dict[UUID, ScopePlan] = {}
        self._sessions_in: dict[UUID, list[ScopePlan]] = {}
        self._children: dict[UUID, list[ScopePlan]] = {}
        for scope in rows.scopes:
            if scope.session_id is None:
                self._own_scope[scope.area_id] = scope
            else:
                self._sessions_in.setdefault(scope.area_id, []).append(scope)
            if scope.parent_id:
                self._children.setdefault(scope.parent_id, []).append(scope)
        self._rules: dict[tuple[UUID, UUID | str | None], AccessRule] = {}
        self._ruled: set[UUID] = set()
        for rule in rows.rules:
            key = rule.ticket_type_id or rule.access_class
            self._rules[(rule.scope_id, key)] = rule
            self._ruled.add(rule.scope_id)
        self._below = {scope.id: self._descend(scope) for scope in rows.scopes}
        self._above = {scope.id: self._ascend(scope) for scope in rows.scopes}

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
            parent = self.scopes[parent_id]
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
        """Scopes whose presence ends when this one is entered (exclusive parents)."""
        if scope.parent_id is None or not self.scopes[scope.parent_id].exclusive:
            return ()
        return tuple(
            other
            for child in self._children[scope.parent_id]
            if child.id != scope.id
            for other in (child, *self.below(child))
        )

    def own_scope(self, area_id: UUID) -> ScopePlan | None:
        """The scope of the area itself (venue or zone), not of its sessions."""
        return self._own_scope.get(area_id)

    def sessions_in(self, area_id: UUID) -> list[ScopePlan]:
        """The scopes of the sessions that use this room."""
        return self._sessions_in.get(area_id, [])

    def rule(self, scope: ScopePlan, kind: TypePlan, access: str) -> AccessRule | None:
        """The access rule that applies: by type first, then by class.

        None means allowed by the scope's own settings; a scope for which any rule is
        written admits only what a rule allows.
        """
        found = self._rules.get((scope.id, kind.id)) or self._rules.get(
            (scope.id, access)
        )
        if found is None and scope.id in self._ruled:
            return AccessRule(scope.id, None, None, allowed=False)
        return found

    def gates_for(self, kind: TypePlan, access: str) -> list[GatePlan]:
        """Gates into scopes that this type may enter, to name the right one."""
        named = []
        for gate in self.gates.values():
            scope = self.own_scope(gate.area_id)
            if scope is None or gate.direction == "out" or gate.state == "closed":
                continue
            rule = self.rule(scope, kind, access)
            if rule is None or rule.allowed:
                named.append(gate)
        return named
