"""Hands text messages and pushes to their providers, in batches, each at most once.

As with mails, `attempted_at` is committed before a message is handed over: what was
taken and not answered is `unknown`, and is sent again only by a person's decision.
Channels without a provider have nothing to do here: their receipts failed at the send.
"""

from __future__ import annotations

from typing import Any, Final

from ops import log
from ops.announcements.content import words
from ops.announcements.providers import PROVIDERS, Outgoing, Provider
from ops.clock import Clock
from ops.crm_sync.mailer import RECEIPTS
from ops.db.engine import Database

BATCH_MAX = 200

# $1 now, $2 channel, $3 how many: receipts whose turn it is; in a chain those whom no
# step before has reached in time.
CLAIM: Final = """
UPDATE ops.announcement_receipts r SET attempted_at = $1
  FROM (SELECT r.announcement_id, r.recipient_id
          FROM ops.announcement_receipts r
          JOIN event_announcements e ON e.id = r.announcement_id
         WHERE r.channel = $2 AND r.attempted_at IS NULL AND r.delivered_at IS NULL
           AND r.failure IS NULL AND e.status = 'sent'
           AND (NOT e.chain OR (
             e.sent_at + r.step * e.chain_after_s * interval '1 second' <= $1
             AND NOT EXISTS (SELECT FROM ops.announcement_receipts d
               WHERE d.announcement_id = r.announcement_id
                 AND d.recipient_id = r.recipient_id AND d.step < r.step
                 AND d.delivered_at IS NOT NULL)))
         ORDER BY r.announcement_id, r.recipient_id LIMIT $3
         FOR UPDATE OF r SKIP LOCKED) due
  JOIN event_announcements e ON e.id = due.announcement_id
  JOIN attendees a ON a.id = due.recipient_id
  JOIN events v ON v.id = e.event_id
 WHERE r.announcement_id = due.announcement_id AND r.recipient_id = due.recipient_id
   AND r.channel = $2
RETURNING r.announcement_id, r.recipient_id, a.phone, e.title, e.content,
          e.translations, coalesce(a.language, v.languages[1], 'en') AS language
"""

_logger = log.get(__name__)


class Carrier:
    """The duty of the sync role. `turn` sends one batch a channel."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def turn(self) -> int:
        """Hand over what waits; how many were tried."""
        tried = 0
        for channel, provider in PROVIDERS.items():
            tried += await self._channel(channel, provider)
        return tried

    async def _channel(self, channel: str, provider: Provider) -> int:
        pool = self._database.pool
        rows = await pool.fetch(CLAIM, self._clock.now(), channel, BATCH_MAX)
        if not rows:
            return 0
        try:
            results = await provider.deliver([outgoing(row, channel) for row in rows])
            if len(results) != len(rows):  # which answer is whose?
                raise ValueError(f"{len(results)} answers for {len(rows)} messages")
        except Exception as error:  # whatever a carrier's library raises: nobody knows
            _logger.warning(
                "provider_failed", channel=channel, kind=type(error).__name__
            )
            results = ["unknown"] * len(rows)
        await pool.execute(
            RECEIPTS,
            [row["announcement_id"] for row in rows],
            [row["recipient_id"] for row in rows],
            results,
            self._clock.now(),
            channel,
        )
        return len(rows)


def outgoing(row: Any, channel: str) -> Outgoing:
    """A receipt's message in its reader's language."""
    said = words(row["title"], row["content"], row["translations"], row["language"])
    to = row["phone"] if channel == "sms" else str(row["recipient_id"])
    return Outgoing(
        row["announcement_id"], row["recipient_id"], to, said.title, said.content
    )
