"""Tokens of attendees: the private link of a mail, or the session after a mailed code.

A ticket's QR is no such token: it can be photographed in a queue (core.md). Tokens are
random, stored as hashes, revocable one by one, and open one person's data of one event.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ops.auth.subjects import Attendee, Nobody
from ops.auth.tokens import ATTENDEE_PREFIX, token_hash
from ops.db.engine import Database
from ops.ids import uuid7
from ops.patience import within

LOOK_UP_TIMEOUT_S: Final = 2.0
CODE_SESSION: Final = timedelta(hours=12)
"""How long a browser stays signed in that proved an address with a mailed code."""
LINKS_MAX: Final = 20
"""Tokens of a person that live at once; the oldest give way."""

FIND: Final = """
SELECT t.attendee_id, t.event_id, coalesce(a.language, e.languages[1], 'en') AS language
  FROM ops.attendee_tokens t
  JOIN attendees a ON a.id = t.attendee_id AND a.status <> 'cancelled'
  JOIN events e ON e.id = t.event_id
 WHERE t.token_hash = $1 AND t.revoked_at IS NULL
   AND (t.expires_at IS NULL OR t.expires_at > now())
"""
INSERT: Final = """
INSERT INTO ops.attendee_tokens
       (id, event_id, attendee_id, kind, token_hash, expires_at)
SELECT $1, event_id, id, $3, $4, $5 FROM attendees WHERE id = $2
RETURNING event_id
"""
REVOKE_OLDEST: Final = """
UPDATE ops.attendee_tokens SET revoked_at = now() WHERE id IN (
  SELECT id FROM ops.attendee_tokens
   WHERE attendee_id = $1 AND revoked_at IS NULL
   ORDER BY created_at DESC, id DESC OFFSET $2)
"""
REVOKE: Final = """
UPDATE ops.attendee_tokens SET revoked_at = now()
 WHERE attendee_id = $1 AND revoked_at IS NULL
"""

_FORGED = Nobody("invalid_token", "The link is not valid any more.")


class AttendeeTokens:
    """Makes, finds and ends tokens of attendees."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def subject(self, token: str) -> Attendee | Nobody:
        """Whose token it is.

        Raises:
            TimeoutError and errors of the pool: PostgreSQL did not answer.
        """
        if not token.startswith(f"{ATTENDEE_PREFIX}_"):
            return _FORGED
        row = await within(
            LOOK_UP_TIMEOUT_S,
            self._database.pool.fetchrow(FIND, token_hash(token)),
        )
        return Attendee(**dict(row)) if row else _FORGED

    @staticmethod
    async def make(
        db: Any, attendee_id: UUID, kind: str, expires_at: datetime | None
    ) -> str:
        """A new token in the caller's transaction; only its hash is kept."""
        token = f"{ATTENDEE_PREFIX}_{secrets.token_urlsafe(32)}"
        await db.fetchval(
            INSERT, uuid7(), attendee_id, kind, token_hash(token), expires_at
        )
        await db.execute(REVOKE_OLDEST, attendee_id, LINKS_MAX)
        return token

    async def revoke(self, attendee_id: UUID) -> None:
        """End all links and sessions of a person; sockets close within a second."""
        await self._database.pool.execute(REVOKE, attendee_id)
