"""What an attendee allows, seen and changed by themselves, in the ledger of the CRM.

An attendee without a contact (a guest of somebody's order) has no ledger: their page
shows nothing to allow, and nothing commercial goes to them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from ops.audit.entry import Actor
from ops.auth.subjects import Attendee
from ops.crm.consents import Consents, NewConsent
from ops.db.engine import Database
from ops.errors import Conflict

Mine = Literal["marketing", "email", "sms", "photos", "sponsor_sharing"]
ASKED: Final[tuple[Mine, ...]] = (
    "marketing",
    "email",
    "sms",
    "sponsor_sharing",
    "photos",
)
CONTACT: Final = "SELECT contact_id FROM attendees WHERE id = $1 AND event_id = $2"


class MyConsent(msgspec.Struct, frozen=True):
    """One purpose; `given_at` is when it was last allowed or taken back."""

    purpose: str
    allowed: bool
    given_at: datetime | None


class ConsentBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is allowed from now on, or no more."""

    purpose: Mine
    allowed: bool


class MyConsents:
    """Reads and changes one person's own consents."""

    def __init__(self, database: Database, consents: Consents) -> None:
        self._database, self._consents = database, consents

    async def mine(self, who: Attendee) -> list[MyConsent]:
        """Each purpose that may be asked for; empty for who is no contact."""
        contact = await self._contact(who)
        if contact is None:
            return []
        known = {row["purpose"]: row for row in await self._consents.current(contact)}
        return [_line(purpose, known.get(purpose)) for purpose in ASKED]

    async def set(self, who: Attendee, body: ConsentBody) -> list[MyConsent]:
        """Write it into the ledger; the same again writes nothing.

        Raises:
            Conflict: `no_contact`.
        """
        contact = await self._contact(who)
        if contact is None:
            raise Conflict("There is nobody to write to here.", code="no_contact")
        before = {one.purpose: one.allowed for one in await self.mine(who)}
        if before[body.purpose] != body.allowed:
            new = NewConsent(
                purpose=body.purpose,
                state="granted" if body.allowed else "withdrawn",
                source="attendee_page",
                event_id=who.event_id,
            )
            await self._consents.add(Actor("attendee", who.attendee_id), contact, new)
        return await self.mine(who)

    async def _contact(self, who: Attendee) -> UUID | None:
        found: UUID | None = await self._database.pool.fetchval(
            CONTACT, who.attendee_id, who.event_id
        )
        return found


def _line(purpose: str, row: Any) -> MyConsent:
    return MyConsent(
        purpose, bool(row and row["allowed"]), row["given_at"] if row else None
    )
