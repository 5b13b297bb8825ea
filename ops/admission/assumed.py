"""Exits that nobody scanned: which presences end, and at which instant. Pure.

A session's end ends its presences, the event's end, an hour later, all others. A scope
with `exits_assumed_at` empties at that local time each day (a time that comes twice:
the first; one that is missing: the next that exists). What is assumed is marked, and
never later than what it follows from.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from ops.admission.plan import Plan

AFTER_EVENT = timedelta(hours=1)
"""So long after the event's end whoever was not scanned out has left."""


class AssumedExit(msgspec.Struct, frozen=True):
    """Presences in a scope, and in those inside it, that began before `at` end then.

    `late`: those that began after it end as well, at once (an override into a session
    that is over).
    """

    scope_id: UUID
    inner: tuple[UUID, ...]
    at: datetime
    late: bool


def due(plan: Plan, now: datetime) -> list[AssumedExit]:
    """The ends of presence that are due at `now`; doing them again changes nothing."""
    found = []
    over = plan.event.ends_at + AFTER_EVENT <= now
    for scope in plan.scopes.values():
        inner = tuple(other.id for other in plan.below(scope))
        if scope.session_id is not None and scope.ends_at and scope.ends_at <= now:
            found.append(AssumedExit(scope.id, inner, scope.ends_at, late=True))
        elif over and scope.parent_id is None:
            at = plan.event.ends_at
            found.append(AssumedExit(scope.id, inner, at, late=True))
        elif scope.exits_assumed_at is not None:
            at = plan.days.last(scope.exits_assumed_at, now)
            found.append(AssumedExit(scope.id, inner, at, late=False))
    return found
