"""The forecaster: fits each evening anew, several times a minute. A duty of sync.

An event of several days is several evenings: the one of today is fitted, with the days
before it as the curve to begin with.

As the watcher it claims an event's row (`ops.forecasts`), so that any number of
processes makes one forecast. The curve of past evenings is read once an event and kept;
the fit itself takes a thread, because a fifth of a second is long for a loop.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ops.admission.days import EventDays
from ops.db.engine import Database
from ops.watch import statements
from ops.watch.event_day import EventDay, current, days_of, expected_of
from ops.watch.outlook import Evening, Minutes, outlook
from ops.watch.rules import Setting, settings_of
from ops.watch.watcher import CALL_TIMEOUT_S, each_event

FIT_S: Final = 15.0
PAST_KEPT: Final = 200
DAY_PEOPLE_MIN: Final = 20
"""A day on which fewer came tells nothing about the next."""
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""A single evening has all of its event's entries, whenever they were."""


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
        days = await _days(db, event_id, row)
        place = current(days, now)
        came = [await _came(db, event_id, day) for day in days[: place + 1]]
        valid = await _valid(db, event_id, days[: place + 1])
        before = [
            (sum(people for _, people in minutes), might)
            for minutes, might in zip(came[:-1], valid[:-1], strict=True)
        ]
        evening = Evening(
            days[place].doors_at,
            days[place].starts_at,
            days[place].ends_at,
            row["inside"] or 0,
            row["capacity"],
            expected_of(valid[-1], row["show_rate"], before),
            row["leaving"],
            valid[-1],
            days[place],
        )
        gates = await db.fetch(statements.LOADS, event_id, now, timeout=CALL_TIMEOUT_S)
        chosen = await db.fetch(statements.CHOSEN, event_id, timeout=CALL_TIMEOUT_S)
        settings = settings_of(
            (one["rule"], Setting(*(one[n] for n in Setting.__struct_fields__)))
            for one in chosen
        )
        limit_s = settings["queue_wait"].threshold * 60
        # Nothing is so much like a day of an event as the day before it.
        past = [one for one in came[:-1] if sum(n for _, n in one) >= DAY_PEOPLE_MIN]
        if not past:
            past = await self._evenings(db, event_id, now)
        return await asyncio.to_thread(
            outlook, evening, came[-1], past, gates, limit_s, now
        )

    async def _evenings(self, db: Any, event_id: UUID, now: datetime) -> list[Minutes]:
        known = self._past.get(event_id)
        if known is not None:
            return known
        rows = await db.fetch(statements.PAST, event_id, now, timeout=CALL_TIMEOUT_S)
        found = []
        for row in rows:
            first = (await _days(db, row["id"], row))[0]
            found.append(await _came(db, row["id"], first))
        if len(self._past) >= PAST_KEPT:
            self._past.clear()
        self._past[event_id] = found
        return found


async def _days(db: Any, event_id: UUID, row: Any) -> list[EventDay]:
    """The days of an event; its programme is read only if it has several."""
    clock = EventDays(row["timezone"], row["day_starts_at"])
    frame = row["doors_at"], row["starts_at"], row["ends_at"]
    found = days_of(clock, *frame, {})
    if len(found) == 1:
        return found
    openings: dict[int, datetime] = {}
    rows = await db.fetch(statements.OPENINGS, event_id, timeout=CALL_TIMEOUT_S)
    for one in rows:
        openings.setdefault(clock.number(one["start_time"]), one["start_time"])
    return days_of(clock, *frame, openings)


async def _valid(db: Any, event_id: UUID, days: list[EventDay]) -> list[int]:
    """How many people may come on each of these days; of a single day's event all."""
    dates = [day.date for day in days] if days[0].of > 1 else None
    rows = await db.fetch(statements.VALID, event_id, dates, timeout=CALL_TIMEOUT_S)
    return [row["people"] for row in rows]


async def _came(db: Any, event_id: UUID, day: EventDay) -> Minutes:
    window = EVER if day.of == 1 else (day.begins_at, day.ends_at)
    rows = await db.fetch(
        statements.CAME, event_id, day.doors_at, *window, timeout=CALL_TIMEOUT_S
    )
    return [(float(row["minute"]), row["people"]) for row in rows]
