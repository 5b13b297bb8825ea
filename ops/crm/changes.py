"""A change of a row, as those hear of it who have a say in it or write it down.

`before` hooks may refuse (raise an `ApiError`) or add to `values`; `after` hooks run in
the same transaction with the row as it stands then. Both see every change that comes
through the API, single or in bulk, by an import or by the table admin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal
from uuid import UUID

import msgspec

from ops.auth.subjects import Staff
from ops.crm.resource import Resource

Verb = Literal["create", "update", "delete"]
Connection = Any
"""A connection of asyncpg from the CRM's pool, with a transaction open."""


class Actor(msgspec.Struct, frozen=True):
    """Who changes something, and from where."""

    staff: Staff
    address: str = ""


class Change(msgspec.Struct):
    """One row on its way.

    Args:
        values: what is written, by column; hooks may add to it.
        before: the row as it was, None when it is made; all columns but hidden ones.
        after: the row as it is, None before it is written and after it was deleted.
        event_id: the event that the row belongs to (or did, if it moves).
    """

    actor: Actor
    resource: Resource
    verb: Verb
    id: UUID
    values: dict[str, Any]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    event_id: UUID | None = None


Hook = Callable[[Any, Change], Awaitable[None]]
"""`hook(connection, change)`, inside the transaction of the change."""


class Hooks(msgspec.Struct):
    """Who has a say in changes: by the resource's name, and of all of them."""

    before: dict[str, list[Hook]] = msgspec.field(default_factory=dict)
    after: dict[str, list[Hook]] = msgspec.field(default_factory=dict)
    after_all: list[Hook] = msgspec.field(default_factory=list)

    async def decide(self, db: Any, change: Change) -> None:
        """Ask those who may refuse; raises what they raise."""
        for hook in self.before.get(change.resource.name, ()):
            await hook(db, change)

    async def tell(self, db: Any, change: Change) -> None:
        """Tell those who follow; what they raise undoes the change."""
        for hook in self.after.get(change.resource.name, ()):
            await hook(db, change)
        for hook in self.after_all:
            await hook(db, change)
