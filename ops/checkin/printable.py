"""The code of a ticket as text, to be printed again.

Codes are kept as hashes. Imported ones are sealed beside their hash; own ones are
made again, because Ed25519 gives the same signature for the same ticket and issue.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from ops.checkin import codes
from ops.checkin.keys import Seal, SigningKeys
from ops.db.engine import Database
from ops.errors import NotFound

_TICKET: Final = "SELECT event_id FROM public.tickets WHERE id = $1"

# The code to show first: the newest own one, else the newest imported one.
_CODES: Final = """
SELECT code_hash, kind, text_sealed, revoked_at IS NULL AS live
FROM ops.ticket_codes WHERE ticket_id = $1 AND kind IN ('own', 'imported')
ORDER BY kind = 'own' DESC, issued_at DESC, id DESC
"""


class Printable(msgspec.Struct, frozen=True):
    """A code that may be shown to whoever holds the ticket."""

    text: str
    own: bool


class PrintableCodes:
    """Finds the text of a ticket's code."""

    def __init__(self, database: Database, secret_key: str) -> None:
        self._database = database
        self._secret_key = secret_key
        self._seal = Seal(secret_key)

    async def event_of(self, ticket_id: UUID) -> UUID:
        """The event of a ticket.

        Raises:
            NotFound: no such ticket.
        """
        event_id: UUID | None = await self._database.pool.fetchval(_TICKET, ticket_id)
        if event_id is None:
            raise NotFound("There is no such ticket.")
        return event_id

    async def of(self, ticket_id: UUID) -> Printable:
        """The code that opens the ticket now.

        Raises:
            NotFound: `code_not_kept`: no code of it is live, or its text was not kept.
        """
        rows = await self._database.pool.fetch(_CODES, ticket_id)
        own_count = sum(row["kind"] == "own" for row in rows)
        for row in rows:
            if not row["live"]:
                continue
            own = row["kind"] == "own"
            if row["text_sealed"] is not None:
                return Printable(self._seal.open(row["text_sealed"]), own)
            if own:
                text = await self._made_again(ticket_id, row["code_hash"], own_count)
                if text:
                    return Printable(text, True)
        raise NotFound(
            "This ticket has no code that can be printed: none is live, or the "
            "seller's code was not kept. Reissue the ticket to give it one.",
            code="code_not_kept",
        )

    async def _made_again(
        self, ticket_id: UUID, code_hash: bytes, issues: int
    ) -> str | None:
        """The own code with this hash: each issue and key is tried, 40 us a try."""
        keys = SigningKeys(self._database.pool, self._secret_key)
        for signer in await keys.signers():
            for issue_no in reversed(range(min(issues, codes.ISSUE_MAX + 1))):
                text = signer.sign(ticket_id, issue_no)
                if codes.code_hash(text) == bytes(code_hash):
                    return text
        return None
