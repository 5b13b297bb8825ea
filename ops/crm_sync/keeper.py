"""Keeps the CRM's house: reminders once, scores, ends of consents, seals, retention.

Each turn is bounded and may come twice. A reminder is claimed and written in one
statement: two keepers, or a kill in between, give it once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ops import log
from ops.audit import sealing
from ops.audit.auditor import Auditor
from ops.clock import Clock
from ops.db.engine import Database
from ops.privacy.retention import Retention

CALL_TIMEOUT_S: Final = 25.0
REMINDERS_MAX: Final = 500
SCORES_EVERY: Final = timedelta(seconds=30)
SCORED_BACK: Final = timedelta(minutes=3)
"""How far back a turn looks for what changed: longer than a turn may be late."""
DAILY: Final = timedelta(hours=24)
EXPIRED_MAX: Final = 1_000

REMIND: Final = """
WITH due AS (
    SELECT id, assigned_to, reminder_date FROM tasks
     WHERE reminder_date <= $1 AND reminder_sent IS NOT TRUE
       AND assigned_to IS NOT NULL AND status IN ('pending', 'in_progress')
     ORDER BY reminder_date LIMIT $2 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE tasks t SET reminder_sent = true FROM due WHERE t.id = due.id
)
INSERT INTO ops.reminders (task_id, user_id, due_at)
SELECT id, assigned_to, reminder_date FROM due
ON CONFLICT (task_id, due_at) DO NOTHING
"""
SCORE: Final = """
SELECT ops.score_contacts_v1(ARRAY(
    SELECT contact_id FROM (
        SELECT a.contact_id FROM events e
          JOIN check_ins v ON v.event_id = e.id AND v.checked_in_at >= $1
          JOIN attendees a ON a.id = v.attendee_id
         WHERE e.ends_at > $1::timestamptz - interval '1 day'
        UNION SELECT contact_id FROM orders WHERE created_at >= $1
        UNION SELECT contact_id FROM interactions WHERE created_at >= $1
        UNION SELECT contact_id FROM leads WHERE created_at >= $1
        UNION SELECT a.contact_id FROM event_feedback f
          JOIN attendees a ON a.id = f.attendee_id WHERE f.created_at >= $1
    ) seen WHERE contact_id IS NOT NULL LIMIT 20000))
"""
SCORE_ALL: Final = "SELECT ops.score_contacts_v1(NULL)"
EXPIRE: Final = """
INSERT INTO ops.consents (contact_id, purpose, state, basis, regime, source, text_id,
                          given_at)
SELECT c.contact_id, c.purpose, 'expired', c.basis, c.regime, 'expiry', c.text_id, $1
  FROM ops.consents c
 WHERE c.expires_at <= $1 AND c.state = 'granted'
   AND NOT EXISTS (SELECT FROM ops.consents n
                    WHERE n.contact_id = c.contact_id AND n.purpose = c.purpose
                      AND (n.given_at, n.id) > (c.given_at, c.id))
 ORDER BY c.expires_at LIMIT $2
"""

_logger = log.get(__name__)


class Keeper:
    """One a leading sync process; `turn` every few seconds."""

    def __init__(self, database: Database, secret_key: str, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._retention = Retention(database, Auditor(secret_key))
        self._scored_at: datetime | None = None
        self._daily_at: datetime | None = None

    async def turn(self) -> None:
        """Do what is due now."""
        now = self._clock.now()
        pool = self._database.pool
        await pool.execute(REMIND, now, REMINDERS_MAX, timeout=CALL_TIMEOUT_S)
        while await sealing.seal(pool) == sealing.ROWS_MAX:
            pass
        if self._scored_at is None or now - self._scored_at >= SCORES_EVERY:
            since = (self._scored_at or now) - SCORED_BACK
            await pool.fetchval(SCORE, since, timeout=CALL_TIMEOUT_S)
            self._scored_at = now
        if self._daily_at is None:
            # Not at once: a restart at the doors is no time for the day's work.
            self._daily_at = now - DAILY + timedelta(minutes=10)
        if now - self._daily_at >= DAILY:
            self._daily_at = now
            await self._daily(now)

    async def _daily(self, now: datetime) -> None:
        pool = self._database.pool
        await pool.execute(EXPIRE, now, EXPIRED_MAX, timeout=CALL_TIMEOUT_S)
        await pool.fetchval(SCORE_ALL, timeout=CALL_TIMEOUT_S)
        touched = await self._retention.run(now)
        _logger.info("house_kept", **touched)
