"""The mail with a ticket's new code: a row of the outbox, in the act's transaction.

The sync role sends it, at most once (`ops/crm_sync/mailer.py`). Who has no e-mail gets
none; the code is on the ticket's page and at the desk.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ops.ids import uuid7
from ops.texts import Texts

HOLDER: Final = """
SELECT a.id, a.email, a.first_name, e.title, e.id AS event_id,
       coalesce(a.language, e.languages[1], 'en') AS language
  FROM tickets t JOIN attendees a ON a.id = t.attendee_id
  JOIN events e ON e.id = t.event_id
 WHERE t.id = $1 AND a.email IS NOT NULL AND a.email <> ''
"""
MAIL: Final = """
INSERT INTO ops.mails (id, event_id, kind, reference_id, recipient_id, to_address,
                       subject, body, language, created_at)
VALUES ($1, $2, 'ticket_code', $3, $4, $5, $6, $7, $8, $9)
"""


class TicketMail:
    """Writes mails with codes, in the language of who gets them."""

    def __init__(self, texts: Texts, base_url: str) -> None:
        self._texts, self._base_url = texts, base_url

    async def queue(self, db: Any, ticket_id: UUID, code: str, now: datetime) -> None:
        """Queue the mail to the holder as he is now, if he has an address."""
        person = await db.fetchrow(HOLDER, ticket_id)
        if person is None:
            return
        said = {
            "name": person["first_name"],
            "event": person["title"],
            "link": f"{self._base_url}/t/{code}",
        }
        language = person["language"]
        await db.execute(
            MAIL,
            uuid7(),
            person["event_id"],
            ticket_id,
            person["id"],
            person["email"],
            self._texts.say(language, "mail.ticket_code.subject", said),
            self._texts.say(language, "mail.ticket_code.body", said),
            language,
            now,
        )
