"""A scan as a question: what was read where, and which scopes it may mean. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from ops.admission.plan import GatePlan, Plan, ScopePlan
from ops.admission.scan import Direction, ScanRequest

CodeKind = Literal["own", "foreign", "malformed", "ticket"]


class Ask(msgspec.Struct, frozen=True):
    """A scan with what the server knows of it before any store is asked.

    `at` is the time that windows are held against: now, or the door's time for an
    upload or a dry run. `forged` verifies the signature of one of our own codes; it is
    called only if no ticket has this code.
    """

    scan: ScanRequest
    device_id: UUID
    direction: Direction
    gate: GatePlan | None
    at: datetime
    code_kind: CodeKind
    forged: Callable[[], bool]
    profile: str = "scan"
    recalled: bool = False
    """The device that holds the ticket's lease was asked: this is the second try."""
    accepted: bool = False
    """A person accepted this upload, though its device was revoked."""


def candidates(plan: Plan, ask: Ask) -> list[ScopePlan]:
    """The scopes a scan may mean: one, or several when a person must choose.

    An explicit session wins, then an explicit area, then the gate's session, then the
    gate's area: a room used by sessions means the one whose window is open.
    """
    session_id = ask.scan.session_id
    area_id = ask.scan.area_id
    if session_id is None and area_id is None and ask.gate is not None:
        session_id, area_id = ask.gate.session_id, ask.gate.area_id
    if session_id is not None:
        scope = plan.scope_of_session.get(session_id)
        return [scope] if scope else []
    if area_id is None:
        return []
    sessions = plan.sessions_in(area_id)
    own = plan.own_scope(area_id)
    if ask.direction == "out":
        return ([own] if own else []) + sessions
    open_now = [scope for scope in sessions if _is_open(scope, ask.at)]
    if open_now:
        return open_now
    if own:
        return [own]
    return _nearest(sessions, ask.at)


def reads(plan: Plan, ask: Ask) -> tuple[ScopePlan, ...]:
    """The scopes whose visits the decision will look at, or end with an outer one."""
    wanted = candidates(plan, ask)
    if ask.direction == "out":
        inner = [below for scope in wanted for below in plan.below(scope)]
        return tuple({scope.no: scope for scope in [*wanted, *inner]}.values())
    if len(wanted) != 1:
        return tuple(wanted)
    return (wanted[0], *plan.above(wanted[0]))


def _is_open(scope: ScopePlan, at: datetime) -> bool:
    return (scope.opens_at is None or scope.opens_at <= at) and (
        scope.closes_at is None or at < scope.closes_at
    )


def _nearest(sessions: list[ScopePlan], at: datetime) -> list[ScopePlan]:
    """With no open session, the one that opens next, else the one that closed last."""
    coming = [scope for scope in sessions if scope.opens_at and scope.opens_at > at]
    if coming:
        return [min(coming, key=lambda scope: scope.opens_at or at)]
    gone = [scope for scope in sessions if scope.closes_at]
    return [max(gone, key=lambda scope: scope.closes_at or at)] if gone else []
