"""The plan of an event from PostgreSQL: read once for all sockets, kept a while.

A plan is read again at once when its version moved (`:m plan`), and after a while in
any case, because sales, registrations and devices change without moving it. The while
grows with what the reading costs: at most one part in twenty of the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from ops.clock import Clock
from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.state import (
    AreaInfo,
    EventInfo,
    GateInfo,
    Plan,
    ScopeInfo,
    SessionInfo,
    TypeInfo,
)
from ops.patience import safely

REFRESH_S_MIN = 5.0
REFRESH_PER_COST = 20.0
CALL_TIMEOUT_S = 10.0

_EVENT = """
SELECT id, title, timezone, status, doors_state, starts_at, ends_at, doors_open_at,
       day_starts_at, capacity,
       (SELECT CASE WHEN bool_or(s.area_id IS NULL AND s.gate_id IS NULL) THEN 'event'
                    WHEN count(*) > 0 THEN 'part' END
        FROM ops.admission_stops s
        WHERE s.event_id = events.id AND s.lifted_at IS NULL) AS stopped
FROM public.events WHERE id = $1
"""
_SCOPES = """
SELECT no, kind, area_id, session_id, capacity, limit_kind, tracks_exits
FROM ops.scopes WHERE event_id = $1 ORDER BY no
"""
_AREAS = """
SELECT id, no, name, kind, capacity, limit_kind
FROM ops.areas WHERE event_id = $1 ORDER BY position, no
"""
_GATES = """
SELECT g.id, g.no, g.name, g.area_id, g.state,
       (SELECT count(*) FROM ops.devices d
        WHERE d.gate_id = g.id AND d.state = 'active')::int AS devices
FROM ops.gates g WHERE g.event_id = $1 ORDER BY g.position, g.no
"""
# Sold are the guests' tickets that are paid for; expected are those that may come in.
_TYPES = """
SELECT y.id, y.no, y.name, y.ticket_category AS category,
       y.access_class = 'guest' AS guest,
       coalesce(sum(t.admits) FILTER (
         WHERE t.state IN ('valid', 'blocked', 'expired')), 0)::int AS sold,
       round(coalesce(sum(t.admits) FILTER (
         WHERE t.state = 'valid'), 0) * e.show_rate)::int AS expected
FROM public.ticket_types y
JOIN public.events e ON e.id = y.event_id
LEFT JOIN public.tickets t ON t.ticket_type_id = y.id AND t.access_class = 'guest'
WHERE y.event_id = $1
GROUP BY y.id, e.show_rate ORDER BY y.no
"""
_SESSIONS = """
SELECT s.id, s.title, s.session_type AS type, s.area_id, s.start_time AS starts_at,
       s.end_time AS ends_at, s.check_in_opens, s.check_in_closes,
       s.max_attendees AS capacity, s.door_mode AS mode, s.status,
       (SELECT count(*) FROM ops.session_registrations r
        WHERE r.session_id = s.id AND r.status = 'registered')::int AS registered
FROM public.sessions s WHERE s.event_id = $1 ORDER BY s.start_time, s.title, s.id
"""
_REFUSED_PEOPLE = """
SELECT count(DISTINCT coalesce(ticket_id::text, encode(code_hash, 'hex')))
FROM ops.scan_log WHERE event_id = $1 AND verdict = 'refused' AND NOT args ? 'just_now'
"""
_DEVICES = """
SELECT d.no, d.name FROM ops.devices d
JOIN ops.device_events e ON e.device_id = d.id WHERE e.event_id = $1
"""
_OPERATORS = "SELECT no, name FROM ops.operators WHERE event_id = $1"


ReadPlan = Callable[[UUID], Awaitable[Plan | None]]

_T = TypeVar("_T", bound=msgspec.Struct)


class _Kept(msgspec.Struct):
    plan: Plan | None
    version: str
    until_s: float


async def read_plan(pool: asyncpg.Pool, event_id: UUID) -> Plan | None:
    """The plan as PostgreSQL has it now; None if there is no such event.

    Raises:
        StoreUnavailable: PostgreSQL did not answer.
    """
    try:
        async with (
            pool.acquire(timeout=CALL_TIMEOUT_S) as db,
            db.transaction(isolation="repeatable_read", readonly=True),
        ):
            event = await db.fetchrow(_EVENT, event_id)
            if event is None:
                return None

            async def rows(sql: str) -> list[dict[str, Any]]:
                return [dict(row) for row in await db.fetch(sql, event_id)]

            return Plan(
                event=_struct(event, EventInfo),
                scopes=tuple(_struct(row, ScopeInfo) for row in await rows(_SCOPES)),
                areas=tuple(_struct(row, AreaInfo) for row in await rows(_AREAS)),
                gates=tuple(_struct(row, GateInfo) for row in await rows(_GATES)),
                types=tuple(_struct(row, TypeInfo) for row in await rows(_TYPES)),
                sessions=tuple(
                    _struct(row, SessionInfo) for row in await rows(_SESSIONS)
                ),
                refused_people=await db.fetchval(_REFUSED_PEOPLE, event_id),
                devices={row["no"]: row["name"] for row in await rows(_DEVICES)},
                operators={row["no"]: row["name"] for row in await rows(_OPERATORS)},
            )
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"plan: {type(error).__name__}") from error


def _struct(row: Any, kind: type[_T]) -> _T:
    return kind(**{name: row[name] for name in kind.__struct_fields__})


class Plans:
    """The plans of the events that somebody watches.

    Only the first reading of an event is waited for. Later ones run beside, so that a
    PostgreSQL that hangs never stops figures that come from the cache; `on_new` is
    called when one brought something new.
    """

    def __init__(self, read: ReadPlan, clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._kept: dict[UUID, _Kept] = {}
        self._tasks: dict[UUID, asyncio.Task[bool]] = {}
        self.on_new: Callable[[UUID], None] = lambda event_id: None

    async def get(self, event_id: UUID, version: str) -> Plan | None:
        """The newest plan that is known; None: no such event.

        Args:
            version: of the plan, as the cache tells it; another one than that of the
                last reading starts a new one.

        Raises:
            StoreUnavailable: nothing is known and PostgreSQL did not answer.
        """
        kept = self._kept.get(event_id)
        if kept is None:
            kept = await self._load(event_id, version)
        elif kept.version != version or self._clock.monotonic_s() >= kept.until_s:
            self._begin(event_id, version)
        return kept.plan

    def forget(self, event_id: UUID) -> None:
        """Nobody watches the event any more."""
        self._kept.pop(event_id, None)
        task = self._tasks.pop(event_id, None)
        if task is not None:
            task.cancel()

    def _begin(self, event_id: UUID, version: str) -> None:
        if event_id not in self._tasks:
            refresh = partial(self._refresh, event_id, version)
            task = asyncio.create_task(
                safely(refresh, "live_plan", (StoreUnavailable,))
            )
            self._tasks[event_id] = task
            task.add_done_callback(lambda done: self._ended(event_id, done))

    def _ended(self, event_id: UUID, task: asyncio.Task[bool]) -> None:
        if self._tasks.get(event_id) is task:  # not of one that was begun since
            del self._tasks[event_id]

    async def _refresh(self, event_id: UUID, version: str) -> None:
        before = self._kept[event_id]
        try:
            kept = await self._load(event_id, version)
        except BaseException:
            before.until_s = self._clock.monotonic_s() + REFRESH_S_MIN
            raise
        if kept.plan is not before.plan:
            self.on_new(event_id)

    async def _load(self, event_id: UUID, version: str) -> _Kept:
        before_s = self._clock.monotonic_s()
        plan = await self._read(event_id)
        now_s = self._clock.monotonic_s()
        wait_s = max(REFRESH_S_MIN, (now_s - before_s) * REFRESH_PER_COST)
        kept = self._kept.get(event_id)
        if kept is not None and kept.plan == plan:
            plan = kept.plan  # the same object: nothing is new
        kept = self._kept[event_id] = _Kept(plan, version, now_s + wait_s)
        return kept
