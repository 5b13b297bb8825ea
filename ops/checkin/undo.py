"""Taking back an admission. The row stays, keeps its pass and frees its place."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import msgspec

from ops import log
from ops.admission import finish
from ops.admission.commands import Down
from ops.admission.from_database import VisitRow
from ops.auth.subjects import DeviceIdentity, Staff
from ops.checkin.desk import Desk
from ops.checkin.stores import Stores
from ops.clock import Clock
from ops.errors import NotFound, Unavailable, Unprocessable
from ops.ids import uuid7

_logger = log.get(__name__)


class _Reply(msgspec.Struct, frozen=True):
    status: str
    visits: list[VisitRow] = []
    people: int = 0


class UndoAnswer(msgspec.Struct, frozen=True):
    """What is true now."""

    scan_id: UUID
    undone: bool
    replayed: bool
    people: int


_decoder = msgspec.json.Decoder(_Reply)


class Undo:
    """Undoes admissions: in PostgreSQL first, then in the cache."""

    def __init__(self, stores: Stores, desk: Desk, clock: Clock) -> None:
        self._stores = stores
        self._desk = desk
        self._clock = clock

    async def undo(
        self,
        event_id: UUID,
        scan_id: UUID,
        subject: DeviceIdentity | Staff,
        reason: str,
    ) -> UndoAnswer:
        """Take back one scan's admission; the second call says `replayed`.

        Raises:
            NotFound: the scan admitted nobody.
            Unprocessable: the person has left since; nothing was changed.
            Unavailable: PostgreSQL is away.
        """
        desk = await self._desk.event(event_id)
        operator = None
        if isinstance(subject, DeviceIdentity):
            known = (await desk.know(subject.id)).operator_id
            operator = UUID(bytes=known) if known else None
        try:
            text = await self._stores.undo(
                event_id,
                desk.plan.event.no,
                scan_id,
                uuid7(),
                reason,
                operator,
                self._clock.now(),
            )
        except asyncpg.PostgresError as error:
            _logger.warning("undo_failed", error=log.scrubbed(error))
            raise Unavailable(headers={"Retry-After": "1"}) from error
        if isinstance(text, Down):
            raise Unavailable(headers={"Retry-After": "1"})
        reply = _decoder.decode(text)
        if reply.status == "unknown":
            raise NotFound("This scan admitted nobody.", code="nothing_to_undo")
        if reply.status == "exited":
            raise Unprocessable(
                "The person has left since: scan them in again.", code="undo_after_exit"
            )
        visits = [
            finish.cache_visit(desk.plan, row.k, row.sc, row.n, row.visit(), row.tt)
            for row in reply.visits
            if row.k is not None
        ]
        await self._stores.finish(
            event_id, finish.arguments(b"u", None, visits, [], [])
        )
        people = reply.people or len({row.n for row in reply.visits})
        return UndoAnswer(scan_id, True, reply.status == "replayed", people)
