"""Alerts for people: read, acknowledged, and their rules set for an event."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import FieldProblem, NotFound, Unprocessable
from ops.listing import Start
from ops.watch.rules import RULES, Setting, problem_of, settings_of
from ops.watch.statements import CHOSEN, VIEW

ONE: Final = VIEW + " WHERE a.id = $1 AND a.event_id = $2"

LIST: Final = (
    VIEW
    + """
 WHERE a.event_id = $1 AND (NOT $2 OR a.cleared_at IS NULL)
   AND ($3::text IS NULL OR a.rule = $3)
   AND ($4::timestamptz IS NULL OR (a.raised_at, a.id) < ($4, $5))
 ORDER BY a.raised_at DESC, a.id DESC LIMIT $6
"""
)

ACKNOWLEDGE: Final = """
UPDATE ops.alerts
   SET acknowledged_at = coalesce(acknowledged_at, $3),
       acknowledged_by = coalesce(acknowledged_by, $4), note = coalesce($5, note)
 WHERE id = $1 AND event_id = $2 RETURNING id
"""

# $2 the rule, $3 until when they were raised: what came after it nobody has seen
ACKNOWLEDGE_ALL: Final = """
UPDATE ops.alerts SET acknowledged_at = $4, acknowledged_by = $5, note = $6
 WHERE event_id = $1 AND rule = $2 AND raised_at <= $3 AND cleared_at IS NULL
   AND acknowledged_at IS NULL
"""

CHOOSE: Final = """
INSERT INTO ops.alert_rules (event_id, rule, enabled, threshold, clear_at, for_s,
                             clear_s, changed_by, changed_at)
SELECT id, $2, $3, $4, $5, $6, $7, $8, $9 FROM events WHERE id = $1
    ON CONFLICT (event_id, rule) DO UPDATE
   SET enabled = excluded.enabled, threshold = excluded.threshold,
       clear_at = excluded.clear_at, for_s = excluded.for_s,
       clear_s = excluded.clear_s, changed_by = excluded.changed_by,
       changed_at = excluded.changed_at
RETURNING rule
"""
FORGET: Final = "DELETE FROM ops.alert_rules WHERE event_id = $1 AND rule = $2"
EVENT_IS: Final = "SELECT EXISTS (SELECT FROM events WHERE id = $1)"

WALKS: Final = """
SELECT w.low_gate_id AS gate_id, a.name AS gate, w.high_gate_id AS other_gate_id,
       b.name AS other_gate, w.walk_s
  FROM ops.gate_walks w
  JOIN ops.gates a ON a.id = w.low_gate_id JOIN ops.gates b ON b.id = w.high_gate_id
 WHERE w.event_id = $1 ORDER BY a.position, a.no, b.position, b.no LIMIT 2000
"""
WALK: Final = """
INSERT INTO ops.gate_walks (event_id, low_gate_id, high_gate_id, walk_s)
SELECT $1, least($2::uuid, $3::uuid), greatest($2::uuid, $3::uuid), $4
 WHERE (SELECT count(*) FROM ops.gates
         WHERE event_id = $1 AND id IN ($2, $3)) = 2
    ON CONFLICT (event_id, low_gate_id, high_gate_id) DO UPDATE
   SET walk_s = excluded.walk_s
RETURNING walk_s
"""


class Alerts:
    """What the control room does with alerts; changes of rules are in the audit log."""

    def __init__(self, database: Database, auditor: Auditor, clock: Clock) -> None:
        self._database, self._auditor, self._clock = database, auditor, clock

    async def page(
        self,
        event_id: UUID,
        only_open: bool,
        rule: str | None,
        before: Start,
        limit: int,
    ) -> list[Any]:
        """At most `limit + 1` alerts, newest first."""
        return list(
            await self._database.pool.fetch(
                LIST, event_id, only_open, rule, *before, limit + 1
            )
        )

    async def acknowledge(
        self, event_id: UUID, alert_id: UUID, user_id: UUID, note: str | None
    ) -> Any:
        """Somebody looks after it; the first one counts, the last note stays.

        Raises:
            NotFound: no such alert in this event.
        """
        async with self._database.pool.acquire() as db:
            found = await db.fetchval(
                ACKNOWLEDGE, alert_id, event_id, self._clock.now(), user_id, note
            )
            if found is None:
                raise NotFound()
            return await db.fetchrow(ONE, alert_id, event_id)

    async def acknowledge_all(
        self,
        event_id: UUID,
        rule: str,
        until: datetime,
        user_id: UUID,
        note: str | None,
    ) -> int:
        """Somebody looks after all of a rule that stand and were raised by then; how
        many they are. Who looks after one already goes on doing so.

        Raises:
            NotFound: no such event or rule.
        """
        if rule not in RULES:
            raise NotFound()
        async with self._database.pool.acquire() as db:
            if not await db.fetchval(EVENT_IS, event_id):
                raise NotFound()
            done: str = await db.execute(
                ACKNOWLEDGE_ALL,
                *(event_id, rule, until, self._clock.now(), user_id, note),
            )
        return int(done.rpartition(" ")[2])

    async def settings(self, event_id: UUID) -> tuple[dict[str, Setting], set[str]]:
        """The numbers of all rules at an event, and which ones somebody set.

        Raises:
            NotFound: no such event.
        """
        async with self._database.pool.acquire() as db:
            if not await db.fetchval(EVENT_IS, event_id):
                raise NotFound()
            rows = await db.fetch(CHOSEN, event_id)
        chosen = [
            (row["rule"], Setting(*(row[n] for n in Setting.__struct_fields__)))
            for row in rows
        ]
        return settings_of(chosen), {name for name, _ in chosen if name in RULES}

    async def choose(
        self, event_id: UUID, name: str, setting: Setting, actor: Actor, user_id: UUID
    ) -> None:
        """Set a rule's numbers for an event; they hold at the watcher's next look.

        Raises:
            NotFound: no such event or rule.
            Unprocessable: a number that cannot be.
        """
        rule = RULES.get(name)
        if rule is None:
            raise NotFound()
        wrong = problem_of(rule, setting)
        if wrong is not None:
            problem = FieldProblem(
                wrong, "out_of_range", f"{rule.low:g} to {rule.high:g}; end before it."
            )
            raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
        async with self._database.pool.acquire() as db, db.transaction():
            values = [getattr(setting, n) for n in Setting.__struct_fields__]
            done = await db.fetchval(
                CHOOSE, event_id, name, *values, user_id, self._clock.now()
            )
            if done is None:
                raise NotFound()
            detail = {"rule": name, "threshold": setting.threshold}
            entry = Entry(actor, "alerts.rule", "events", event_id, event_id)
            await self._auditor.record(db, entry._replace(detail=detail))

    async def forget(self, event_id: UUID, name: str, actor: Actor) -> None:
        """Let the catalogue's numbers hold again; may come twice.

        Raises:
            NotFound: no such rule.
        """
        if name not in RULES:
            raise NotFound()
        async with self._database.pool.acquire() as db, db.transaction():
            await db.execute(FORGET, event_id, name)
            entry = Entry(actor, "alerts.rule", "events", event_id, event_id)
            await self._auditor.record(db, entry._replace(detail={"rule": name}))

    async def walks(self, event_id: UUID) -> list[Any]:
        """The walks between gates that somebody set."""
        return list(await self._database.pool.fetch(WALKS, event_id))

    async def set_walk(
        self, event_id: UUID, gate_id: UUID, other_id: UUID, walk_s: int
    ) -> None:
        """How long one walks between two gates, either way.

        Raises:
            Unprocessable: they are not two gates of this event.
        """
        done = await self._database.pool.fetchval(
            WALK, event_id, gate_id, other_id, walk_s
        )
        if done is None:
            problem = FieldProblem(
                "gate_id", "unknown_gate", "Name two gates of the event."
            )
            raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
