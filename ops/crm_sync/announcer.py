"""Sends announcements that are due, and takes the next step of a chain.

Safe to run twice: a send locks its row, a step its receipts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ops.announcements import sending, statements
from ops.clock import Clock
from ops.db.engine import Database

CHAINS_SINCE = timedelta(days=2)
"""A chain that nobody has ended by then is left alone."""

# $1 now, $2 the oldest that is looked at: chains whose next step is due for somebody
CHAINED = f"""
SELECT {statements.COLUMNS} FROM event_announcements e
 WHERE e.chain AND e.status = 'sent' AND e.sent_at > $2
   AND 'email' = ANY(e.delivery_method)
   AND e.sent_at + e.chain_after_s * interval '1 second' <= $1
   AND EXISTS (SELECT FROM ops.announcement_receipts r
     WHERE r.announcement_id = e.id AND r.channel = 'email'
       AND r.attempted_at IS NULL AND r.delivered_at IS NULL AND r.failure IS NULL)
 ORDER BY e.sent_at, e.id LIMIT 20
"""

# What the step before has reached by now needs no further one.
SPARED = """
UPDATE ops.announcement_receipts r SET failure = 'not_needed'
 WHERE r.announcement_id = $1 AND r.channel <> 'in_app' AND r.step > 0
   AND r.attempted_at IS NULL AND r.failure IS NULL AND r.delivered_at IS NULL
   AND EXISTS (SELECT FROM ops.announcement_receipts d
     WHERE d.announcement_id = r.announcement_id AND d.recipient_id = r.recipient_id
       AND d.step < r.step AND d.delivered_at IS NOT NULL)
"""


class Announcer:
    """The duty of the sync role."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def turn(self) -> None:
        """Send what is due, then the mails of chains."""
        now = self._clock.now()
        async with self._database.pool.acquire() as db:
            await sending.send_due(db, now)
            for row in await db.fetch(CHAINED, now, now - CHAINS_SINCE):
                await self._step(db, row, now)

    @staticmethod
    async def _step(db: sending.Connection, row: object, now: datetime) -> None:
        async with db.transaction():
            await sending.mail(db, row, now)
            await db.execute(SPARED, row["id"])  # type: ignore[index]
