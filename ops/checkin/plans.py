"""The plans of the events that this process serves, loaded when they are needed."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec

from ops.admission.plan import Plan, PlanRows
from ops.db.engine import Database

LOAD_TIMEOUT_S = 0.25
_READ = "SELECT ops.read_plan_v1($1)::text"
_VERSIONS = """
SELECT event_id, version FROM ops.plan_versions WHERE event_id = ANY($1::uuid[])
"""
_decoder = msgspec.json.Decoder(PlanRows)


class Plans:
    """Plan by event. A scan whose facts name another version loads it anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._plans: dict[UUID, Plan] = {}
        self._loading = asyncio.Lock()

    async def get(self, event_id: UUID) -> Plan | None:
        """The plan in hand, else the database's; None for an unknown event.

        Raises:
            TimeoutError, OSError, asyncpg.PostgresError: the database is away.
        """
        return self._plans.get(event_id) or await self.load(event_id)

    async def newer(self, versions: dict[UUID, int]) -> list[Plan]:
        """Of the events whose plans are in hand with these versions, the newer plans;
        one statement where nothing has changed.

        Raises:
            TimeoutError, OSError, asyncpg.PostgresError: the database is away.
        """
        rows = await self._database.pool.fetch(
            _VERSIONS, list(versions), timeout=LOAD_TIMEOUT_S
        )
        found = []
        for row in rows:
            if row["version"] > versions[row["event_id"]]:
                plan = await self.load(row["event_id"], row["version"])
                if plan is not None:
                    found.append(plan)
        return found

    async def load(self, event_id: UUID, version: int | None = None) -> Plan | None:
        """Read the plan, unless somebody just brought this version."""
        async with self._loading:
            known = self._plans.get(event_id)
            if known is not None and version is not None and known.version >= version:
                return known
            text = await self._database.pool.fetchval(
                _READ, event_id, timeout=LOAD_TIMEOUT_S
            )
            if text is None:
                return None
            plan = Plan(_decoder.decode(text))
            self._plans[event_id] = plan
            return plan
