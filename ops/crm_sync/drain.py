"""The drain: what a desk committed and could not tell the cache, it is told here.

Reads ops.facts in the order of their transactions, never past one that is still
open, and writes all passes of their tickets, in order, with the desk's own script. What
the desk has told already changes nothing (the greater header wins, counters follow
transitions). So a desk killed between commit and finish, and mode D2, leave no trace:
not in the counters either, which would miss the exit of a guest who is back already.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from ops import metrics
from ops.admission import finish
from ops.admission.finish import CacheVisit
from ops.admission.plan import Plan
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.scripts import FINISH
from ops.crm_sync import rows, statements
from ops.crm_sync.plans import read_plan
from ops.db.engine import Database

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
            statements.FACTS, cursor["xid"], cursor["fact_id"], FACTS_PER_TURN
        )
        if not found:
            return 0
        tickets: dict[UUID, set[UUID]] = {}
        for row in found:
            if row["event_id"] not in without and row["ticket_id"]:
                tickets.setdefault(row["event_id"], set()).add(row["ticket_id"])
        for event_id, ids in tickets.items():
            await self._tell(event_id, list(ids))
        last = found[-1]
        await pool.execute(statements.CURSOR_MOVE, last["xid"], last["id"])
        metrics.drained_facts_total.inc(len(found))
        return len(found)

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
                [
                    keys.meta(event_id),
                    keys.visits(event_id),
                    keys.counters(event_id),
                    keys.feed(event_id),
                ],
                finish.arguments(b"drain", None, visits, [], []),
            )


def _cache_visit(plan: Plan, row: rows.Row) -> CacheVisit:
    return finish.cache_visit(
        plan, row["k"], row["sc"], row["n"], rows.visit(row), row["type_no"]
    )
