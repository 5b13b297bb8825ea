"""Effects: what happened at the door happens to the CRM, from ops.facts alone.

The facts say whose visits moved; `ops.apply_effects_v1` looks at the visits as they are
and makes the CRM say so. So a batch may be applied twice, and an undo takes back what
it made. The cursor follows (xid, id) below the oldest open transaction; facts above it
are applied at once as well and once more when the cursor comes to them, or a long
import would keep a VIP's host waiting.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec

from ops import log, metrics
from ops.crm_sync import statements
from ops.db.engine import Database

FACTS_PER_TURN = 500
EARLY_KEPT_MAX = 50_000
"""Ids of facts that were applied before the cursor came to them."""

_logger = log.get(__name__)


class Applied(msgspec.Struct):
    """What `ops.apply_effects_v1` says."""

    vips: list[msgspec.Raw]
    promoters: list[UUID]


_applied = msgspec.json.Decoder(Applied)


class Effects:
    """Follows the facts into the CRM."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._early: dict[int, None] = {}
        self._promoters: dict[UUID, set[UUID]] = {}

    async def start(self) -> None:
        """Set the cursor of a new installation: all facts there are."""
        await self._database.pool.execute(statements.EFFECTS_START)

    async def turn(self) -> int:
        """Apply the next facts; how many they were."""
        moved = await self._follow()
        early = await self._run_ahead() if not moved else 0
        await self._figures()
        return moved + early

    async def _follow(self) -> int:
        pool = self._database.pool
        cursor = await pool.fetchrow(statements.EFFECTS_CURSOR)
        assert cursor is not None, "Effects.start() has not been called"
        found = await pool.fetch(
            statements.FACTS, cursor["xid"], cursor["fact_id"], FACTS_PER_TURN
        )
        if not found:
            return 0
        fresh = [row for row in found if row["id"] not in self._early]
        await self._apply_all(fresh)
        last = found[-1]
        await pool.execute(statements.EFFECTS_MOVE, last["xid"], last["id"])
        for row in found:
            self._early.pop(row["id"], None)
        return len(found)

    async def _run_ahead(self) -> int:
        """Apply what is committed beyond a transaction that is still open."""
        pool = self._database.pool
        cursor = await pool.fetchrow(statements.EFFECTS_CURSOR)
        assert cursor is not None
        found = await pool.fetch(
            statements.FACTS_AHEAD,
            cursor["xid"],
            cursor["fact_id"],
            list(self._early),
            FACTS_PER_TURN,
        )
        await self._apply_all(found)
        for row in found:
            self._early[row["id"]] = None
        while len(self._early) > EARLY_KEPT_MAX:
            del self._early[next(iter(self._early))]
        return len(found)

    async def _apply_all(self, found: list[asyncpg.Record]) -> None:
        tickets: dict[UUID, set[UUID]] = {}
        for row in found:
            if row["ticket_id"]:
                tickets.setdefault(row["event_id"], set()).add(row["ticket_id"])
        for event_id, ids in tickets.items():
            await self._apply(event_id, sorted(ids))
        now = datetime.now(UTC)
        for row in found:
            metrics.effects_lag_seconds.observe(
                max(0.0, (now - row["at"]).total_seconds())
            )

    async def _apply(self, event_id: UUID, tickets: list[UUID]) -> None:
        """One transaction; a ticket that PostgreSQL refuses is bisected out."""
        try:
            text = await self._database.pool.fetchval(
                statements.APPLY_EFFECTS, event_id, tickets
            )
        except (
            asyncpg.DataError,
            asyncpg.IntegrityConstraintViolationError,
            asyncpg.RaiseError,
        ) as error:
            if len(tickets) == 1:
                metrics.effects_failed_total.inc()
                _logger.error(
                    "effect_refused",
                    ticket_id=str(tickets[0]),
                    error=log.scrubbed(error),
                )
                return
            middle = len(tickets) // 2
            await self._apply(event_id, tickets[:middle])
            await self._apply(event_id, tickets[middle:])
            return
        applied = _applied.decode(text)
        if applied.vips:
            await self._database.pool.execute(statements.RING_ALERTS, str(event_id))
        if applied.promoters:
            self._promoters.setdefault(event_id, set()).update(applied.promoters)

    async def _figures(self) -> None:
        """The promoters whose guests moved; looked at once however many did."""
        waiting, self._promoters = self._promoters, {}
        for event_id, promoters in waiting.items():
            await self._database.pool.execute(
                statements.PROMOTERS, event_id, sorted(promoters)
            )
