"""The settler: uploads that explain a conflict fall into place.

A commit that brought a door's word notes the tickets that have an open conflict
(`ops.settling`). The settler reads the whole history of each, `ops.admission.settling`
says what it explains, and one transaction under the event's lock writes it, if nothing
came in between. Bounded: so many tickets a turn, one at a time, so a door waits for one
of them at most. Not in mode D: lines that are to be merged know the passes by their
numbers. Twice is once: what was settled is no open conflict any more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops import log, metrics
from ops.admission import finish
from ops.admission.plan import Plan, ScopePlan
from ops.admission.settling import (
    EXPLAINED,
    Disputed,
    Exit,
    Rules,
    Settlement,
    Written,
    settle,
)
from ops.admission.terms import of_ticket
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.entry import TicketEntry
from ops.cache.scripts import FINISH
from ops.clock import Clock
from ops.crm_sync import rows as packed
from ops.crm_sync import statements
from ops.crm_sync.merging import read_mode
from ops.crm_sync.plans import read_plan
from ops.db.engine import Database
from ops.errors import StoreUnavailable

TICKETS_PER_TURN = 64
CALL_TIMEOUT_S = 5.0

_ticket = msgspec.json.Decoder(TicketEntry)
_logger = log.get(__name__)


class _Entry(msgspec.Struct):
    conflict_id: UUID
    scan_id: UUID
    at: datetime
    reason: str


class History(msgspec.Struct):
    """`ops.upload_history_v1`."""

    rows: list[Written]
    disputed: list[_Entry]
    exits: list[Exit]
    inside: list[int]


_history = msgspec.json.Decoder(History)


class Settler:
    """Looks at what commits have noted; not for two tasks at once."""

    def __init__(self, database: Database, cache: Cache, clock: Clock) -> None:
        self._database, self._cache, self._clock = database, cache, clock

    async def turn(self) -> int:
        """Look at the next tickets; how many entries fell into place.

        Raises:
            asyncpg.PostgresError: the database is away; what was noted stays noted.
        """
        pool, plans = self._database.pool, dict[UUID, Plan]()
        noted = await pool.fetch(statements.SETTLING_EVENTS, timeout=CALL_TIMEOUT_S)
        for row in noted:
            if (plan := await self._plan(row["event_id"])) is not None:
                plans[plan.event.id] = plan
        if not plans:
            return 0
        found = await pool.fetch(
            statements.SETTLING,
            list(plans),
            TICKETS_PER_TURN,
            timeout=CALL_TIMEOUT_S,
        )
        placed = 0
        for row in found:
            placed += await self._look(plans[row["event_id"]], row)
        if placed:
            metrics.settled_conflicts_total.inc(placed)
            _logger.info("uploads_fell_into_place", entries=placed)
        return placed

    async def _plan(self, event_id: UUID) -> Plan | None:
        """The plan of an event that is not in mode D."""
        try:
            mode = await read_mode(self._cache, event_id)
        except StoreUnavailable:
            mode = None  # without the cache there is no mode D
        if mode is not None and mode[0] == "D":
            return None
        return await read_plan(self._database.pool, event_id)

    async def _look(self, plan: Plan, row: Any) -> int:
        ticket_id, scope = row["ticket_id"], plan.scopes.get(row["scope_id"])
        history = _history.decode(row["history"])
        entry = row["entry"] and _ticket.decode(row["entry"])
        found = None
        if scope is not None and entry is not None:
            found = explained(plan, scope, entry, history)
        if scope is not None and found is not None:
            counters = await self._write(plan, scope, row, found)
            if counters is None:
                return 0  # something came in: the next turn looks again
            await self._tell(plan, ticket_id, counters)
        await self._database.pool.execute(
            statements.SETTLED,
            ticket_id,
            row["scope_id"],
            row["asked_at"],
            timeout=CALL_TIMEOUT_S,
        )
        return len(found.placed) if found else 0

    async def _write(
        self, plan: Plan, scope: ScopePlan, row: Any, found: Settlement
    ) -> dict[str, int] | None:
        """Write it; the counters that no visit tells. None: the history has moved."""
        reply = await self._database.pool.fetchval(
            statements.SETTLE,
            plan.event.id,
            plan.event.no,
            row["ticket_id"],
            scope.id,
            row["seen"],
            *arguments(plan, found),
            self._clock.now(),
            timeout=CALL_TIMEOUT_S,
        )
        said = msgspec.json.decode(reply)
        counters: dict[str, int] | None = said.get("counters")
        return counters

    async def _tell(self, plan: Plan, ticket: UUID, counters: dict[str, int]) -> None:
        """Bring the visits to the cache; if it is away, drain and reconciler do."""
        event_id = plan.event.id
        found = await self._database.pool.fetch(
            statements.PASSES_BY_TICKET, event_id, [ticket], timeout=CALL_TIMEOUT_S
        )
        visits = [
            finish.cache_visit(
                plan, row["k"], row["sc"], row["n"], packed.visit(row), row["type_no"]
            )
            for row in found
        ]
        pairs: list[bytes | str | int] = [
            part for pair in counters.items() for part in pair
        ]
        try:
            await self._cache.call(
                FINISH,
                keys.finish(event_id),
                finish.arguments(b"settler", None, visits, [], pairs),
            )
        except StoreUnavailable as error:
            _logger.warning("settled_not_told", error=log.scrubbed(error))


def explained(
    plan: Plan, scope: ScopePlan, ticket: TicketEntry, history: History
) -> Settlement | None:
    """What a history explains by the rules of its ticket. Pure."""
    disputed = [
        Disputed(one.conflict_id, one.scan_id, one.at, plan.days.number(one.at))
        for one in history.disputed
        if one.reason in EXPLAINED
    ]
    kind = plan.types_by_no.get(ticket.type_no)
    if not disputed or kind is None or ticket.admits != 1:
        return None
    latest = max(one.at for one in disputed)
    terms = of_ticket(
        plan.terms(scope, kind, ticket.access_class, latest), ticket, scope.no
    )
    total = 1 if terms.re_entry == "never" else terms.passes_total
    rules = Rules(total, terms.passes_per_day, terms.gap)
    found = settle(history.rows, disputed, history.exits, rules)
    if found is not None and found.enters and not _may_be(plan, scope, history.inside):
        return None
    return found


def _may_be(plan: Plan, scope: ScopePlan, inside: list[int]) -> bool:
    """Whether somebody with these presences may be in that place as well."""
    inner = scope
    for outer in plan.above(scope):
        if outer.no in inside or inner.enter_outer == "ignore":
            break
        return False
    return not any(other.no in inside for other in plan.siblings(scope))


def arguments(plan: Plan, found: Settlement) -> tuple[str, str]:
    """`p_placed` and `p_moved` of `ops.settle_visits_v1`. Pure."""
    placed = [
        {
            "c": one.entry.conflict_id,
            "s": one.entry.scan_id,
            "p": one.pass_no,
            "dt": one.entry.at,
            "ed": plan.days.date(one.entry.day),
            "by": one.by.scan_id if one.by else None,
            **_ended(one.exit),
        }
        for one in found.placed
    ]
    moved = [
        {"id": one.row.id, "p": one.pass_no, **_ended(_new_exit(one.row, one.exit))}
        for one in found.moved
    ]
    return msgspec.json.encode(placed).decode(), msgspec.json.encode(moved).decode()


def _new_exit(row: Written, exit_: Exit | None) -> Exit | None:
    return None if exit_ is None or exit_.scan_id == row.exit_id else exit_


def _ended(exit_: Exit | None) -> dict[str, Any]:
    if exit_ is None:
        return {"x": None, "xt": None, "xa": False}
    return {"x": exit_.scan_id, "xt": exit_.at, "xa": exit_.assumed}
