"""Conflicts: entries beyond one that was possible, told by name, gate and minute."""

from __future__ import annotations

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
Resolution = Literal["left", "stays", "wrong"]


class ConflictSide(msgspec.Struct, frozen=True):
    """One of the two entries: where, by which device and person, when."""

    scan_id: UUID | None
    gate: str | None
    device: str | None
    operator: str | None
    at: datetime | None


class ConflictView(msgspec.Struct, frozen=True):
    """A conflict; `people` of it are inside until it is resolved.

    Ended by itself as `placed` or `over`: the exit before the later entry was uploaded.
    `double_entry`: the ticket had an entry already (`before`). `door_disagrees`: the
    device let in what the server would not have. `turned_away`: the other way round.
    """

    id: UUID
    kind: str
    ticket_id: UUID | None
    holder: str | None
    place: str | None
    people: int
    minutes: int | None
    reason: str | None
    entry: ConflictSide | None
    before: ConflictSide | None
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    note: str | None


class ResolveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person found out: they left, they stay, or nobody came in."""

    resolution: Resolution
    note: Annotated[str, Meta(max_length=500)] | None = None


class Resolved(msgspec.Struct, frozen=True):
    """May come twice."""

    id: UUID
    replayed: bool


class Conflicts:
    """The list, and people's decisions."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def page(
        self,
        event_id: UUID,
        start: Start,
        unresolved: bool | None,
        limit: int,
    ) -> list[Any]:
        """At most `limit + 1` rows, newest first."""
        return list(
            await self._database.pool.fetch(
                queries.CONFLICTS,
                event_id,
                *start,
                unresolved,
                limit + 1,
                timeout=TIMEOUT_S,
            )
        )

    async def resolve(
        self, event_id: UUID, conflict_id: UUID, body: ResolveBody, user_id: UUID
    ) -> Resolved:
        """Note what was found out; the people are counted accordingly.

        Raises:
            NotFound: no such conflict of this event.
        """
        said = await self._database.pool.fetchval(
            queries.RESOLVE,
            event_id,
            conflict_id,
            body.resolution,
            body.note,
            user_id,
            self._clock.now(),
            timeout=TIMEOUT_S,
        )
        if said == "unknown":
            raise NotFound()
        return Resolved(conflict_id, said == "replayed")


def view(row: Any) -> ConflictView:
    """A row of `queries.CONFLICTS`."""
    detail = row["detail"] or {}
    names = ConflictView.__struct_fields__
    shared = {name: row[name] for name in names if name in row.keys()}  # noqa: SIM118
    minutes = detail.get("minutes")
    return ConflictView(
        **shared,
        minutes=None if minutes is None else int(minutes),
        reason=detail.get("reason"),
        entry=_side(row, detail, "entry"),
        before=_side(row, detail, "before"),
    )


def _side(row: Any, detail: dict[str, Any], name: str) -> ConflictSide | None:
    side = detail.get(name)
    if not side:
        return None
    at = side.get("at")
    return ConflictSide(
        UUID(side["scan_id"]) if side.get("scan_id") else None,
        row[f"{name}_gate"],
        row[f"{name}_device"],
        row[f"{name}_operator"],
        datetime.fromisoformat(at) if at else None,
    )
