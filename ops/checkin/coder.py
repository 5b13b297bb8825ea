"""Codes for those who bring tickets from elsewhere: the import and the issuing desk."""

from __future__ import annotations

from uuid import UUID

from ops.checkin import codes
from ops.checkin.codes import Malformed, OwnCode
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

    def issue(self, ticket_id: UUID, issue_no: int = 0) -> tuple[str, bytes, str]:
        """An own code of a ticket, by default its first: text, hash, hint."""
        text = self._signer.sign(ticket_id, issue_no)
        return text, codes.code_hash(text), codes.hint(text)

    def seal(self, text: str) -> bytes:
        """A code that only this installation can open (`keys.Seal`)."""
        return self._seal.close(text)


def parse(text: str) -> tuple[str, bytes, str, bool, bytes] | str:
    """As `TicketCoder.read`, whether the code is one of ours (genuine or not), and
    what it is looked up by (`codes.key`)."""
    reading = codes.read(text)
    if isinstance(reading, Malformed):
        return reading.why.value
    text = reading.text
    own = isinstance(reading, OwnCode)
    return text, codes.code_hash(text), codes.hint(text), own, codes.key(text)
