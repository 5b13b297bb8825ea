"""How long things are kept: rules with a default, which an installation may change.

`run` is a duty of the sync role, once a day; each turn of a rule is bounded, what is
left over waits for the next. Times are counted from the day the data was last needed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from ops.audit.auditor import Auditor
from ops.audit.entry import SYSTEM, Actor, Entry
from ops.db.engine import Pooled
from ops.errors import NotFound
from ops.privacy.erasure import Eraser

CALL_TIMEOUT_S: Final = 30.0
ROWS_MAX: Final = 10_000
"""Rows that one turn of a rule touches."""
ERASED_MAX: Final = 20
"""Contacts that one turn erases: each walks over all texts."""


class Rule(NamedTuple):
    """What is forgotten after how many days; `$1` the cutoff, `$2` the most rows."""

    keep_days: int
    enabled: bool
    what: str
    statement: str


INACTIVE: Final = """
SELECT c.id FROM contacts c
 WHERE c.status IS DISTINCT FROM 'deleted' AND c.created_at < $1
   AND coalesce(c.last_contacted_at, c.created_at) < $1
   AND coalesce(c.last_event_attended_at, c.created_at) < $1
   AND NOT EXISTS (SELECT FROM orders o WHERE o.contact_id = c.id
                    AND o.created_at >= $1)
   AND NOT EXISTS (SELECT FROM attendees a JOIN events e ON e.id = a.event_id
                    WHERE a.contact_id = c.id AND e.ends_at >= $1)
   AND NOT EXISTS (SELECT FROM opportunities o WHERE o.contact_id = c.id
                    AND o.stage NOT IN ('closed_won', 'closed_lost'))
 ORDER BY c.created_at LIMIT $2
"""

RULES: Final = {
    "staff_sessions": Rule(
        30,
        True,
        "Sessions of staff after their end",
        """DELETE FROM ops.staff_sessions WHERE id IN (
               SELECT id FROM ops.staff_sessions WHERE expires_at < $1 LIMIT $2)""",
    ),
    "idempotency_keys": Rule(
        1,
        True,
        "Answers kept for repeated requests",
        """DELETE FROM ops.idempotency_keys WHERE ctid = ANY(ARRAY(
               SELECT ctid FROM ops.idempotency_keys WHERE created_at < $1
                LIMIT $2))""",
    ),
    "import_problems": Rule(
        90,
        True,
        "Lines of files that could not be imported, and the names of the files",
        """UPDATE ops.import_runs SET problems = '[]', file_name = '(erased)'
            WHERE id IN (SELECT id FROM ops.import_runs
                          WHERE created_at < $1 AND file_name <> '(erased)'
                          LIMIT $2)""",
    ),
    "special_needs": Rule(
        90,
        True,
        "Accessibility needs, dietary restrictions and notes, after the event's end",
        """UPDATE attendees a SET accessibility_needs = NULL, notes = '{}'
            WHERE a.id IN (SELECT x.id FROM attendees x JOIN events e
                               ON e.id = x.event_id
                            WHERE e.ends_at < $1 AND (x.accessibility_needs IS NOT NULL
                                  OR x.notes <> '{}') LIMIT $2)""",
    ),
    "interaction_texts": Rule(
        1_095,
        False,
        "What was said in calls and mails",
        """UPDATE interactions SET content = NULL, outcome = NULL
            WHERE id IN (SELECT id FROM interactions WHERE occurred_at < $1
                            AND (content IS NOT NULL OR outcome IS NOT NULL)
                          LIMIT $2)""",
    ),
    "reminders": Rule(
        90,
        True,
        "Reminders of tasks",
        """DELETE FROM ops.reminders WHERE id IN (
               SELECT id FROM ops.reminders WHERE created_at < $1 LIMIT $2)""",
    ),
    "inactive_contacts": Rule(
        1_825,
        False,
        "Contacts without order, ticket, word or open deal: erased",
        "",
    ),
}

READ: Final = """
SELECT name, keep_days, enabled, updated_by, updated_at, last_run_at, last_rows
  FROM ops.retention_rules
"""
SET: Final = """
INSERT INTO ops.retention_rules (name, keep_days, enabled, updated_by)
VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE
   SET keep_days = $2, enabled = $3, updated_by = $4, updated_at = now()
"""
TELL: Final = """
INSERT INTO ops.retention_rules (name, keep_days, enabled, last_run_at, last_rows)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO UPDATE SET last_run_at = $4, last_rows = $5
"""


class Standing(NamedTuple):
    """A rule as it holds here."""

    name: str
    what: str
    keep_days: int
    enabled: bool
    last_run_at: datetime | None
    last_rows: int | None


class Retention:
    """Reads, sets and runs the rules."""

    def __init__(self, database: Pooled, auditor: Auditor) -> None:
        self._database, self._auditor = database, auditor
        self._eraser = Eraser(database, auditor)

    async def rules(self) -> list[Standing]:
        """All rules, with what this installation changed."""
        rows = await self._database.pool.fetch(READ, timeout=CALL_TIMEOUT_S)
        own = {row["name"]: row for row in rows}
        return [
            Standing(
                name,
                rule.what,
                own[name]["keep_days"] if name in own else rule.keep_days,
                own[name]["enabled"] if name in own else rule.enabled,
                own[name]["last_run_at"] if name in own else None,
                own[name]["last_rows"] if name in own else None,
            )
            for name, rule in RULES.items()
        ]

    async def set(
        self, actor: Actor, name: str, keep_days: int, enabled: bool
    ) -> Standing:
        """Change a rule.

        Raises:
            NotFound: no such rule.
        """
        if name not in RULES:
            raise NotFound("There is no such rule.")
        before = next(one for one in await self.rules() if one.name == name)
        async with self._database.pool.acquire() as db, db.transaction():
            await db.execute(
                SET,
                name,
                keep_days,
                enabled,
                actor.id if actor.kind == "user" else None,
                timeout=CALL_TIMEOUT_S,
            )
            entry = Entry(
                actor,
                "retention.update",
                "retention_rules",
                before={"keep_days": before.keep_days, "enabled": before.enabled},
                after={"keep_days": keep_days, "enabled": enabled},
                detail={"rule": name},
            )
            await self._auditor.record(db, entry)
        return before._replace(keep_days=keep_days, enabled=enabled)

    async def run(self, now: datetime, actor: Actor = SYSTEM) -> dict[str, int]:
        """Apply every enabled rule once; rows touched, by rule.

        One rule that fails (a lock, a time limit) leaves the others alone: its error
        is raised at the end.
        """
        touched: dict[str, int] = {}
        failed: Exception | None = None
        for rule in await self.rules():
            if not rule.enabled:
                continue
            cutoff = now - timedelta(days=rule.keep_days)
            try:
                count = await self._apply(rule.name, cutoff, actor)
            except Exception as error:
                failed = error
                continue
            touched[rule.name] = count
            await self._database.pool.execute(
                TELL,
                rule.name,
                rule.keep_days,
                rule.enabled,
                now,
                count,
                timeout=CALL_TIMEOUT_S,
            )
        if any(touched.values()):
            entry = Entry(actor, "retention.run", detail=touched)
            await self._auditor.record(self._database.pool, entry)
        if failed is not None:
            raise failed
        return touched

    async def _apply(self, name: str, cutoff: datetime, actor: Actor) -> int:
        pool = self._database.pool
        if name == "inactive_contacts":
            rows: list[Any] = await pool.fetch(
                INACTIVE, cutoff, ERASED_MAX, timeout=CALL_TIMEOUT_S
            )
            for row in rows:
                await self._eraser.contact(actor, row["id"], "retention")
            return len(rows)
        status = await pool.execute(
            RULES[name].statement, cutoff, ROWS_MAX, timeout=CALL_TIMEOUT_S
        )
        return int(status.split()[-1])
