"""A ticket that is made by hand gets its code at once, or no door could read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from uuid import UUID

from ops.crm.changes import Change, Hook
from ops.ids import uuid7

INSERT: Final = """
INSERT INTO ops.ticket_codes (id, event_id, ticket_id, code_hash, hint, kind)
VALUES ($1, $2, $3, $4, $5, 'own')
"""


class Coder(Protocol):
    """Who makes codes (`ops.checkin.coder`)."""

    def issue(self, ticket_id: UUID) -> tuple[str, bytes, str]:
        """The first own code of a ticket: text, hash, hint."""


def issued(coder: Callable[[], Awaitable[Coder]]) -> Hook:
    """The hook that issues the first code of a new ticket."""

    async def hook(db: Any, change: Change) -> None:
        if change.verb != "create":
            return
        _, code_hash, hint = (await coder()).issue(change.id)
        await db.execute(INSERT, uuid7(), change.event_id, change.id, code_hash, hint)

    return hook
