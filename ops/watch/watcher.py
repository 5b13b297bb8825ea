"""The watcher: looks at every event of about now and writes alerts. A duty of sync.

One look is one transaction: the event's row in `ops.watches` is claimed (a second
process passes on), read, evaluated, and written with what was raised and cleared. So a
killed process leaves nothing half done, and an alert is raised once.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from ops import log, metrics
from ops.db.engine import Database
from ops.ids import uuid7
from ops.patience import Rests
from ops.texts import Texts
from ops.watch import hosts, observing, statements
from ops.watch.evaluate import Held, Memory, Observation, Step, step
from ops.watch.roster import read_staffing
from ops.watch.rules import PATTERNS, STATES, Setting, settings_of

LOOK_S: Final = 2.0
PATTERNS_S: Final = 10.0
SHARE: Final = 0.05
"""At most this part of the time is spent looking: large events are looked at less."""
SOON_S: Final = 2.0
REST_MAX_S: Final = 60.0
"""But once a minute in any case, and after a first slow look soon again: a store that
hung for ten seconds is no reason to see nothing for a minute after it."""
CALL_TIMEOUT_S: Final = 10.0

ReadMode = Callable[[UUID], Awaitable[str | None]]
"""The mode of an event in the cache; None: cold, or away."""

_logger = log.get(__name__)


class Watcher:
    """Looks at all events; `turn` may be called by any number of processes.

    Args:
        texts: what hosts are told with.
        look_s: how long a look holds at least; patterns of the log hold five times it.
    """

    def __init__(
        self,
        database: Database,
        mode: ReadMode,
        texts: Texts,
        look_s: float = LOOK_S,
    ) -> None:
        self._database, self._mode, self._texts = database, mode, texts
        self._look = timedelta(seconds=look_s)
        self._patterns = timedelta(seconds=look_s * PATTERNS_S / LOOK_S)
        self._rest_until_s = 0.0
        self._rests = Rests(SHARE, SOON_S, REST_MAX_S)

    async def turn(self) -> int:
        """Look at the events that are due; how many alerts were raised or cleared."""
        began_s = time.monotonic()
        if began_s < self._rest_until_s:
            return 0
        try:
            return await each_event(self._database, self.look)
        finally:
            # A look that failed has cost as much as one that did not.
            ended_s = time.monotonic()
            self._rest_until_s = ended_s + self._rests.after(ended_s - began_s)

    async def look(self, event_id: UUID) -> int:
        """One look at one event; 0 if another process has it or it is not due."""
        mode = await self._mode(event_id)
        async with self._database.pool.acquire() as db:
            await db.execute(statements.OPEN_ROW, event_id, timeout=CALL_TIMEOUT_S)
            async with db.transaction():
                claim = await db.fetchrow(
                    statements.CLAIM,
                    event_id,
                    self._look,
                    self._patterns,
                    timeout=CALL_TIMEOUT_S,
                )
                if claim is None:
                    return 0
                return await self._within(db, event_id, claim, mode)

    async def _within(
        self, db: Any, event_id: UUID, claim: Any, mode: str | None
    ) -> int:
        now: datetime = claim["at"]
        chosen = await db.fetch(statements.CHOSEN, event_id, timeout=CALL_TIMEOUT_S)
        settings = settings_of(
            (row["rule"], Setting(*(row[name] for name in Setting.__struct_fields__)))
            for row in chosen
        )
        rules = STATES | PATTERNS if claim["patterns"] else STATES
        observed = await _states(db, event_id, now, mode)
        if claim["patterns"]:
            observed += await _patterns(db, event_id, now, settings)
        memory: Memory = msgspec.convert(claim["state"], dict[str, dict[str, Held]])
        done = step(memory, observed, settings, rules, now.timestamp())
        await _write(db, event_id, done, now)
        await hosts.tell(db, self._texts, event_id, done.raised, now)
        await db.execute(
            statements.KEEP,
            event_id,
            msgspec.to_builtins(done.memory),
            now,
            claim["patterns"],
            timeout=CALL_TIMEOUT_S,
        )
        return len(done.raised) + len(done.cleared)


async def each_event(database: Database, do: Callable[[UUID], Awaitable[int]]) -> int:
    """Do it for every event of about now; what it answered, in all.

    One event at which it fails hides no other: they have their turn, then the first
    failure is raised.
    """
    events = await database.pool.fetch(statements.EVENTS, timeout=CALL_TIMEOUT_S)
    done, failure = 0, None
    for row in events:
        try:
            done += await do(row["id"])
        except Exception as error:
            _logger.warning(
                "event_failed", event_id=str(row["id"]), error=log.scrubbed(error)
            )
            failure = failure or error
    if failure is not None:
        raise failure
    return done


async def _states(
    db: Any, event_id: UUID, now: datetime, mode: str | None
) -> list[Observation]:
    """What is looked at each time."""

    async def rows(sql: str) -> list[Any]:
        found: list[Any] = await db.fetch(sql, event_id, now, timeout=CALL_TIMEOUT_S)
        return found

    event = (await rows(statements.EVENT))[0]
    when = observing.moment(event, now)
    return [
        *observing.places(await rows(statements.PLACES), event["capacity"]),
        *observing.paces(await rows(statements.PACE), when),
        *observing.devices(await rows(statements.DEVICES), when),
        *observing.speakers(await rows(statements.SPEAKERS)),
        *observing.seats(await rows(statements.OVERBOOKED)),
        *observing.shifts(await read_staffing(db, event_id, now), now),
        *observing.arrivals(await rows(statements.ARRIVED)),
        *observing.ejections(await rows(statements.EJECTED)),
        *observing.sync(event, mode),
        *observing.journals(
            await rows(statements.JOURNALS) if mode == "D" else (), mode
        ),
        *observing.waits(await rows(statements.FORECAST_NEWEST)),
    ]


async def _patterns(
    db: Any, event_id: UUID, now: datetime, settings: dict[str, Setting]
) -> list[Observation]:
    """What is looked for in the log, less often."""

    async def rows(sql: str) -> list[Any]:
        found: list[Any] = await db.fetch(sql, event_id, now, timeout=CALL_TIMEOUT_S)
        return found

    return [
        *observing.fast(await rows(statements.FAST), settings["two_gates_fast"]),
        *observing.at_gates(await rows(statements.AT_GATES)),
        *observing.guesses(await rows(statements.GUESSES)),
        *observing.duplicates(await rows(statements.DUPLICATES)),
        *observing.overrides(await rows(statements.OVERRIDES)),
        *observing.voided(await rows(statements.VOIDED)),
    ]


async def _write(db: Any, event_id: UUID, done: Step, now: datetime) -> None:
    """The alerts that a step changed, cleared and raised."""
    if done.changed:
        await db.executemany(
            statements.CHANGE,
            [
                (event_id, one.rule, one.subject, one.value, one.args)
                for one in done.changed
            ],
            timeout=CALL_TIMEOUT_S,
        )
    if done.cleared:
        await db.executemany(
            statements.CLEAR,
            [(event_id, rule, subject, now) for rule, subject in done.cleared],
            timeout=CALL_TIMEOUT_S,
        )
    if done.raised:
        await db.executemany(
            statements.RAISE,
            [_row(event_id, one, now) for one in done.raised],
            timeout=CALL_TIMEOUT_S,
        )
    for one in done.raised:
        metrics.alerts_total.labels(one.rule).inc()
        _logger.info(
            "alert_raised", event_id=str(event_id), rule=one.rule, value=one.value
        )


def _row(event_id: UUID, one: Observation, now: datetime) -> tuple[Any, ...]:
    place = one.place
    return (
        uuid7(),
        event_id,
        one.rule,
        one.subject,
        one.value,
        one.args,
        place.gate_id,
        place.area_id,
        place.device_id,
        place.operator_id,
        place.ticket_id,
        place.session_id,
        now,
    )
