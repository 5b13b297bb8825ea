"""Codes for those who bring tickets from elsewhere: the import and the issuing desk."""

from __future__ import annotations

from uuid import UUID

from ops.checkin import codes
from ops.checkin.codes import Malformed
from ops.checkin.keys import Seal, Signer


class TicketCoder:
    """Reads codes exactly as the door does, so that what is sold can be scanned."""

    def __init__(self, signer: Signer, seal: Seal) -> None:
        self._signer = signer
        self._seal = seal

    def read(self, text: str) -> tuple[str, bytes, str] | str:
        """The text as the door reads it, its hash and hint; or why no door can."""
        reading = codes.read(text)
        if isinstance(reading, Malformed):
            return reading.why.value
        return reading.text, codes.code_hash(reading.text), codes.hint(reading.text)

    def issue(self, ticket_id: UUID) -> tuple[str, bytes, str]:
        """The first own code of a ticket: text, hash, hint."""
        text = self._signer.sign(ticket_id, 0)
        return text, codes.code_hash(text), codes.hint(text)

    def seal(self, text: str) -> bytes:
        """A code that only this installation can open (`keys.Seal`)."""
        return self._seal.close(text)
