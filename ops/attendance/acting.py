"""Who acts: a person who signed in, or the operator at a device; how high they rank.

A device alone is a thing: it may register, bind and count as its steward does, but what
needs a supervisor needs one who is signed on at it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

import asyncpg
from litestar import Request

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor
from ops.auth.guards import provide_actor
from ops.auth.subjects import DeviceIdentity, Staff
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import (
    Forbidden,
    Locked,
    NotFound,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)

STEWARD: Final = 1
SUPERVISOR: Final = 2
DOOR_MANAGER: Final = 3
EVENT_MANAGER: Final = 4
RANKS: Final = {
    "steward": STEWARD,
    "supervisor": SUPERVISOR,
    "door_manager": DOOR_MANAGER,
    "event_manager": EVENT_MANAGER,
}
TRIES: Final = 3
_EVENT_OF: Final = "SELECT event_id FROM tickets WHERE id = $1"
"""An act that PostgreSQL broke off for a deadlock is simply done again."""

_AT_DEVICE: Final = """
SELECT o.id AS operator_id, o.role, d.locked_at IS NOT NULL AS locked
  FROM ops.devices d
  LEFT JOIN ops.operators o ON o.id = d.operator_id
       AND (o.valid_from IS NULL OR o.valid_from <= $2)
       AND (o.valid_to IS NULL OR o.valid_to > $2)
 WHERE d.id = $1 AND d.state = 'active'
"""

T = TypeVar("T")


class Caller:
    """The subject of a request, and who it is for the audit log.

    A plain class: the framework would take a tuple or struct apart to check it.
    """

    __slots__ = ("actor", "subject")

    def __init__(self, subject: Staff | DeviceIdentity, actor: Actor) -> None:
        self.subject, self.actor = subject, actor


class Doer(NamedTuple):
    """Who does something in one event. `rank` 0: a device with nobody signed on."""

    actor: Actor
    rank: int
    user_id: UUID | None = None
    device_id: UUID | None = None
    operator_id: UUID | None = None

    def demand(self, rank: int) -> None:
        """Refuse who ranks lower.

        Raises:
            Forbidden: `needs_supervisor`, `needs_door_manager`, `needs_event_manager`.
        """
        if self.rank < rank:
            word = next(name for name, number in RANKS.items() if number == rank)
            raise Forbidden(
                f"This needs a {word.replace('_', ' ')}.", code=f"needs_{word}"
            )

    def named(self) -> dict[str, UUID | None]:
        """The columns that say who did it."""
        return {"device_id": self.device_id, "operator_id": self.operator_id}


class Code(NamedTuple):
    """A code as the door reads it."""

    text: str
    hash: bytes
    hint: str
    own: bool
    key: bytes
    """What it is looked up by: its hash, behind it that of the tag it may be."""


class Coder(Protocol):
    """Makes codes exactly as the door reads them."""

    def issue(self, ticket_id: UUID, issue_no: int = 0) -> tuple[str, bytes, str]:
        """An own code of a ticket: text, hash, hint."""


GetCoder = Callable[[], Awaitable[Coder]]
Parse = Callable[[str], tuple[str, bytes, str, bool, bytes] | str]
"""Text as scanned or typed -> a code as `Code` has it, or why no door can read it."""


class House:
    """What every act of this package stands on."""

    def __init__(
        self, database: Database, auditor: Auditor, clock: Clock, parse: Parse
    ) -> None:
        self.database, self.auditor, self.clock = database, auditor, clock
        self._parse = parse

    def read(self, text: str) -> Code | None:
        """The code of a text, exactly as the door reads it; None: no door can."""
        parsed = self._parse(text)
        return None if isinstance(parsed, str) else Code(*parsed)

    def code(self, text: str, bad: str) -> Code:
        """The same.

        Raises:
            Unprocessable: with the code `bad`: no door can read it.
        """
        parsed = self._parse(text)
        if isinstance(parsed, str):
            raise Unprocessable(f"No door can read this: {parsed}.", code=bad)
        return Code(*parsed)

    async def event_of(self, ticket_id: UUID) -> UUID:
        """The event of a ticket.

        Raises:
            NotFound: no such ticket.
        """
        event_id = await self.database.pool.fetchval(_EVENT_OF, ticket_id)
        if event_id is None:
            raise NotFound("There is no such ticket.", code="ticket_not_found")
        found: UUID = event_id
        return found

    async def doer(self, caller: Caller, event_id: UUID) -> Doer:
        """Who the caller is in this event.

        Raises:
            Unauthenticated: the device was revoked.
            Locked: the device is locked.
            Forbidden: the device does not serve the event.
        """
        subject = caller.subject
        if isinstance(subject, Staff):
            return Doer(caller.actor, staff_rank(subject, event_id), subject.user_id)
        if event_id not in subject.event_ids:
            raise Forbidden(
                "This device does not serve that event.", code="wrong_event"
            )
        row = await self.database.pool.fetchrow(
            _AT_DEVICE, subject.id, self.clock.now()
        )
        if row is None:
            raise Unauthenticated(
                "This device was revoked; pair it again.", code="device_revoked"
            )
        if row["locked"]:
            raise Locked()
        operator = row["operator_id"]
        actor = caller.actor
        if operator is not None:
            actor = actor._replace(kind="operator", id=operator)
        rank = RANKS.get(row["role"], 0) if operator is not None else 0
        return Doer(actor, rank, None, subject.id, operator)

    async def once(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Run `work` in a transaction; again if PostgreSQL broke off a deadlock.

        Raises:
            Unavailable: broken off several times in a row.
        """
        for _ in range(TRIES):
            try:
                async with (
                    self.database.pool.acquire() as connection,
                    connection.transaction(),
                ):
                    return await work(connection)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                continue
        raise Unavailable(headers={"Retry-After": "1"})


def staff_rank(staff: Staff, event_id: UUID) -> int:
    """How high somebody ranks at the doors of an event, by what the role allows."""
    if staff.may("members", "write", event_id):
        return EVENT_MANAGER
    if staff.may("devices", "write", event_id):
        return DOOR_MANAGER
    if staff.may("scans", "write", event_id):
        return SUPERVISOR if staff.may("tickets", "read", event_id) else STEWARD
    return 0


def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """Dependency `caller` of routes behind `requires`."""
    subject = request.scope["user"]
    if not isinstance(subject, Staff | DeviceIdentity):
        raise Forbidden
    return Caller(subject, provide_actor(request))
