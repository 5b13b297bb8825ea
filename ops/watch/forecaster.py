"""The forecaster: fits each evening anew, several times a minute. A duty of sync.

As the watcher it claims an event's row (`ops.forecasts`), so that any number of
processes makes one forecast. The curve of past evenings is read once an event and kept;
the fit itself takes a thread, because a fifth of a second is long for a loop.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ops.db.engine import Database
from ops.watch import statements
from ops.watch.outlook import Evening, Minutes, outlook
from ops.watch.rules import Setting, settings_of
from ops.watch.watcher import CALL_TIMEOUT_S, each_event

FIT_S: Final = 15.0
PAST_KEPT: Final = 200


class Forecaster:
    """Makes forecasts; `turn` may be called by any number of processes.

    Args:
        fit_s: how long a forecast holds.
    """

    def __init__(self, database: Database, fit_s: float = FIT_S) -> None:
        self._database = database
        self._holds = timedelta(seconds=fit_s)
        self._past: dict[UUID, list[Minutes]] = {}

    async def turn(self) -> int:
        """Fit the events that are due; how many were."""
        return await each_event(self._database, self.fit)

    async def fit(self, event_id: UUID) -> bool:
        """Fit one event; False if it is not due or another process has it."""
        async with self._database.pool.acquire() as db:
            await db.execute(statements.FORECAST_ROW, event_id, timeout=CALL_TIMEOUT_S)
            async with db.transaction():
                now = await db.fetchval(
                    statements.FORECAST_CLAIM,
                    event_id,
                    self._holds,
                    timeout=CALL_TIMEOUT_S,
                )
                if now is None:
                    return False
                data = await self._made(db, event_id, now)
                await db.execute(
                    statements.FORECAST_KEEP,
                    event_id,
                    now,
                    data,
                    timeout=CALL_TIMEOUT_S,
                )
        return True

    async def _made(self, db: Any, event_id: UUID, now: datetime) -> dict[str, Any]:
        row = await db.fetchrow(
            statements.EVENING, event_id, now, timeout=CALL_TIMEOUT_S
        )
        evening = Evening(
            row["doors_at"],
            row["starts_at"],
            row["ends_at"],
            row["inside"] or 0,
            row["capacity"],
            row["expected"],
            row["leaving"],
            row["tickets"],
        )
        came = await _came(db, event_id, evening.doors_at)
        gates = await db.fetch(statements.LOADS, event_id, now, timeout=CALL_TIMEOUT_S)
        chosen = await db.fetch(statements.CHOSEN, event_id, timeout=CALL_TIMEOUT_S)
        settings = settings_of(
            (one["rule"], Setting(*(one[n] for n in Setting.__struct_fields__)))
            for one in chosen
        )
        limit_s = settings["queue_wait"].threshold * 60
        past = await self._evenings(db, event_id, now)
        return await asyncio.to_thread(
            outlook, evening, came, past, gates, limit_s, now
        )

    async def _evenings(self, db: Any, event_id: UUID, now: datetime) -> list[Minutes]:
        known = self._past.get(event_id)
        if known is not None:
            return known
        rows = await db.fetch(statements.PAST, event_id, now, timeout=CALL_TIMEOUT_S)
        found = [await _came(db, row["id"], row["doors_at"]) for row in rows]
        if len(self._past) >= PAST_KEPT:
            self._past.clear()
        self._past[event_id] = found
        return found


async def _came(db: Any, event_id: UUID, doors_at: datetime) -> Minutes:
    rows = await db.fetch(statements.CAME, event_id, doors_at, timeout=CALL_TIMEOUT_S)
    return [(float(row["minute"]), row["people"]) for row in rows]
