"""The closer: ends presences at the end of sessions and at a set local time.

`ops.admission.assumed` says what is due, one function of PostgreSQL does it in small
transactions, so that no door waits for a full hall. Facts are written with the rows,
and the drain tells the cache and its counters. Doing it twice changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ops import log, metrics
from ops.admission.assumed import AssumedExit, due
from ops.admission.plan import Plan, PlanRows
from ops.clock import Clock
from ops.crm_sync import statements
from ops.db.engine import Database

PEOPLE_PER_TURN = 200
TURNS_MAX = 1_000
"""Of one scope at once: 200,000 people; the rest waits for the next look."""
CALL_TIMEOUT_S = 10.0

_ASSUME = "SELECT ops.assume_exits_v1($1, $2, $3, $4, $5, $6, $7, $8)"
_PLAN = "SELECT ops.read_plan_v1($1)::text"
_decoder = msgspec.json.Decoder(PlanRows)
_logger = log.get(__name__)


class Closer:
    """Ends what nobody scans."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._plans: dict[UUID, Plan] = {}
        self._done: set[tuple[UUID, datetime]] = set()

    async def turn(self) -> int:
        """Look at all active events; how many presences ended."""
        pool, ended = self._database.pool, 0
        events = await pool.fetch(statements.ACTIVE_EVENTS, timeout=CALL_TIMEOUT_S)
        now = self._clock.now()
        for row in events:
            plan = await self._plan(row["id"])
            if plan is not None:
                for exits in due(plan, now):
                    ended += await self._end(plan, exits, now)
        self._plans = {
            row["id"]: self._plans[row["id"]]
            for row in events
            if row["id"] in self._plans
        }
        return ended

    async def _end(self, plan: Plan, exits: AssumedExit, now: datetime) -> int:
        ended = 0
        if (exits.scope_id, exits.at) in self._done:
            return 0
        for _ in range(TURNS_MAX):
            found = await self._database.pool.fetchval(
                _ASSUME,
                plan.event.id,
                plan.event.no,
                exits.scope_id,
                list(exits.inner),
                exits.at,
                exits.late,
                now,
                PEOPLE_PER_TURN,
                timeout=CALL_TIMEOUT_S,
            )
            if not found:
                if not exits.late:
                    # Nobody comes in before that time any more.
                    self._done.add((exits.scope_id, exits.at))
                break
            ended += found
        if ended:
            metrics.assumed_exits_total.inc(ended)
            _logger.info(
                "exits_assumed",
                event_id=str(plan.event.id),
                scope_id=str(exits.scope_id),
                people=ended,
            )
        return ended

    async def _plan(self, event_id: UUID) -> Plan | None:
        """The plan, read again when its version moved."""
        pool = self._database.pool
        version = await pool.fetchval(
            statements.PLAN_VERSION, event_id, timeout=CALL_TIMEOUT_S
        )
        known = self._plans.get(event_id)
        if known is not None and known.version == version:
            return known
        text = await pool.fetchval(_PLAN, event_id, timeout=CALL_TIMEOUT_S)
        if text is None:
            return None
        plan = self._plans[event_id] = Plan(_decoder.decode(text))
        return plan
