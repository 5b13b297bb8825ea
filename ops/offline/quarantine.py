"""Quarantine: what a revoked device brings is kept, and decided by a person.

A phone that was lost at six and revoked at seven may have let in fifty people at half
past six. Dropping its queue would lose them; believing it would let a thief write
entries. Accepted records go through the desk as any upload does, under their own ids.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import NotFound
from ops.listing import Start
from ops.offline import queries

TIMEOUT_S = 5.0
State = Literal["waiting", "accepted", "rejected"]
Decide = Callable[[UUID, UUID, bytes], Awaitable[Any]]
"""Event, device and record -> the desk's answer; raises what the desk raises."""

_DEVICE = """
SELECT d.id FROM ops.devices d JOIN ops.device_events e ON e.device_id = d.id
 WHERE d.token_hash = $1 AND d.state = 'revoked' AND e.event_id = $2
"""


_ONE = queries.QUARANTINED.replace("q.event_id = $1", "q.event_id = $1 AND q.id = $6")


class QuarantineView(msgspec.Struct, frozen=True):
    """A record as the device sent it, and what became of it."""

    id: UUID
    scan_id: UUID
    device_id: UUID
    device: str | None
    record: dict[str, Any]
    state: State
    received_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    note: str | None
    result: dict[str, Any] | None


class QuarantineBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A supervisor's decision."""

    accept: bool
    note: Annotated[str, Meta(max_length=500)] | None = None


class Quarantine:
    """Keeps, lists, decides."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.decide_record: Decide | None = None

    async def device(self, event_id: UUID, token_hash: bytes) -> UUID | None:
        """The revoked device of a token, if it served the event."""
        found = await self._database.pool.fetchval(
            _DEVICE, token_hash, event_id, timeout=TIMEOUT_S
        )
        return found if isinstance(found, UUID) else None

    async def keep(
        self, event_id: UUID, device_id: UUID, records: list[tuple[UUID, bytes]]
    ) -> None:
        """Keep records by their scan ids; what is kept already stays as it is."""
        await self._database.pool.execute(
            queries.QUARANTINE,
            event_id,
            device_id,
            [scan_id for scan_id, _ in records],
            [record.decode() for _, record in records],
            self._clock.now(),
            timeout=TIMEOUT_S,
        )

    async def page(
        self, event_id: UUID, start: Start, waiting: bool | None, limit: int
    ) -> list[Any]:
        """At most `limit + 1` rows, oldest first."""
        return list(
            await self._database.pool.fetch(
                queries.QUARANTINED,
                event_id,
                *start,
                waiting,
                limit + 1,
                timeout=TIMEOUT_S,
            )
        )

    async def decide(
        self, event_id: UUID, record_id: UUID, body: QuarantineBody, user_id: UUID
    ) -> QuarantineView:
        """Accept or reject; the first decision stands, a second reads it.

        Raises:
            NotFound: no such record of this event.
            ApiError: the desk could not decide it; it goes on waiting.
        """
        pool = self._database.pool
        row = await pool.fetchrow(
            queries.QUARANTINE_ONE, event_id, record_id, timeout=TIMEOUT_S
        )
        if row is None:
            raise NotFound()
        result = None
        if row["state"] == "waiting" and body.accept:
            assert self.decide_record is not None, "wired in ops.runtime"
            record = msgspec.json.encode(row["record"])
            result = await self.decide_record(event_id, row["device_id"], record)
        if row["state"] == "waiting":
            await pool.execute(
                queries.DECIDE_QUARANTINE,
                event_id,
                record_id,
                "accepted" if body.accept else "rejected",
                self._clock.now(),
                user_id,
                body.note,
                msgspec.to_builtins(result),
                timeout=TIMEOUT_S,
            )
        return await self._one(event_id, record_id)

    async def _one(self, event_id: UUID, record_id: UUID) -> QuarantineView:
        rows = await self._database.pool.fetch(
            queries.QUARANTINED.replace(
                "q.event_id = $1", "q.event_id = $1 AND q.id = $6"
            ),
            event_id,
            None,
            None,
            None,
            1,
            record_id,
            timeout=TIMEOUT_S,
        )
        return view(rows[0])


def view(row: Any) -> QuarantineView:
    """A row of `queries.QUARANTINED`."""
    names = QuarantineView.__struct_fields__
    return QuarantineView(**{name: row[name] for name in names})
