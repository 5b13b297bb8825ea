"""The drain: what a desk committed and could not tell the cache, it is told here.

Reads ops.facts in the order of their transactions, never past one that is still
open. The cache is asked first what it knows: nearly always the desk has told it, and
nothing more is done. For the rest all passes of their tickets are written, in order,
with the desk's own script (the greater header wins, counters follow transitions). So a
desk killed between commit and finish, and mode D2, leave no trace: not in the counters
either, which would miss the exit of a guest who is back already.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import asyncpg

from ops import metrics
from ops.admission import finish
from ops.admission.finish import CacheVisit
from ops.admission.plan import Plan
from ops.cache import keys
from ops.cache.client import CACHE_ERRORS, Cache
from ops.cache.entry import Phase, unpack_visit, visit_key
from ops.cache.scripts import FINISH
from ops.crm_sync import rows, statements
from ops.crm_sync.plans import read_plan
from ops.db.engine import Database
from ops.errors import StoreUnavailable

FACTS_PER_TURN = 1_000
TICKETS_PER_CALL = 250


class Drain:
    """Follows the facts."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def start(self) -> None:
        """Set the cursor of a new installation."""
        await self._database.pool.execute(statements.CURSOR_START)

    async def turn(self, without: Collection[UUID] = ()) -> int:
        """Replay the next facts; how many they were.

        Args:
            without: events that are being rebuilt; the rebuilder brings their facts.

        Raises:
            StoreUnavailable: the cache is away; the cursor stays.
        """
        pool = self._database.pool
        cursor = await pool.fetchrow(statements.CURSOR)
        assert cursor is not None, "Drain.start() has not been called"
        found = await pool.fetch(
            statements.FACTS_TOLD, cursor["xid"], cursor["fact_id"], FACTS_PER_TURN
        )
        if not found:
            return 0
        facts: dict[UUID, list[asyncpg.Record]] = {}
        for row in found:
            if row["event_id"] not in without and row["ticket_id"]:
                facts.setdefault(row["event_id"], []).append(row)
        for event_id, rows_ in facts.items():
            tickets = await self._untold(event_id, rows_)
            if tickets:
                await self._tell(event_id, tickets)
        last = found[-1]
        await pool.execute(statements.CURSOR_MOVE, last["xid"], last["id"])
        metrics.drained_facts_total.inc(len(found))
        return len(found)

    async def _untold(self, event_id: UUID, facts: list[asyncpg.Record]) -> list[UUID]:
        """The tickets of facts that the cache does not show as they were told."""
        fields = [
            visit_key(fact["ticket_id"], fact["scope_no"] or 0, fact["person_no"] or 0)
            for fact in facts
        ]
        redis: Any = self._cache.redis
        try:
            visits = await redis.hmget(keys.visits(event_id), fields)
        except CACHE_ERRORS as error:
            raise StoreUnavailable("cache") from error
        return list(
            {
                fact["ticket_id"]: None
                for fact, visit in zip(facts, visits, strict=True)
                if not _told(fact, visit)
            }
        )

    async def catch_up(self, event_id: UUID, since: str) -> None:
        """Replay the facts of one event since a transaction (for the rebuilder)."""
        found = await self._database.pool.fetch(statements.FACTS_SINCE, event_id, since)
        await self._tell(event_id, [row["ticket_id"] for row in found])

    async def _tell(self, event_id: UUID, tickets: list[UUID]) -> None:
        plan = await read_plan(self._database.pool, event_id)
        if plan is None:
            return
        for at in range(0, len(tickets), TICKETS_PER_CALL):
            found = await self._database.pool.fetch(
                statements.PASSES_BY_TICKET,
                event_id,
                tickets[at : at + TICKETS_PER_CALL],
            )
            visits = [_cache_visit(plan, row) for row in found]
            if not visits:
                continue
            await self._cache.call(
                FINISH,
                keys.finish(event_id),
                finish.arguments(b"drain", None, visits, [], []),
            )


def _told(fact: asyncpg.Record, packed: bytes | None) -> bool:
    """Whether the cache holds the visit of a fact as the desk would have left it.

    Whatever came before it was counted then: no desk writes over a gap. A green that
    the cache does not know to be shown is told once more, for PostgreSQL may know.
    An undo or a row that was taken over is always told.
    """
    if packed is None or fact["kind"] not in ("admitted", "exited"):
        return False
    visit = unpack_visit(packed)
    if visit.provisional or not visit.confirmed:
        return False
    if visit.pass_no != fact["pass_no"]:
        return bool(visit.pass_no > (fact["pass_no"] or 0))
    if fact["kind"] == "admitted":
        return fact["scan_id"] is not None and visit.scan_id == fact["scan_id"].bytes
    return visit.phase is not Phase.OPEN


def _cache_visit(plan: Plan, row: rows.Row) -> CacheVisit:
    return finish.cache_visit(
        plan, row["k"], row["sc"], row["n"], rows.visit(row), row["type_no"]
    )
