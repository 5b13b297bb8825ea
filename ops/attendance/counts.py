"""People counted without tickets: taps, corrections, and both figures apart."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

import msgspec
from msgspec import Meta

from ops.attendance.acting import DOOR_MANAGER, STEWARD, Caller, Doer, House
from ops.attendance.tickets import WhyText
from ops.audit.entry import Entry
from ops.errors import ApiError, Conflict, NotFound, Unprocessable

BATCH_MAX: Final = 1_000
UNDO: Final = UUID("6f1d1c5e-5d0c-4b6e-9a55-0d0b8c1f7a11")
"""The name space of undos: the undo of a tap always has the same id."""

COUNT: Final = "SELECT ops.count_people_v1($1, $2, $3, $4)"
EVENT_NO: Final = "SELECT no FROM events WHERE id = $1"
AREAS: Final = """
SELECT id AS area_id, name AS area, inside AS scanned, manual AS counted,
       disputed, inside + manual + disputed AS inside, capacity
  FROM ops.areas WHERE event_id = $1 ORDER BY position, no LIMIT 1000
"""


class CountBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tap: `delta` people came (or left) at a gate."""

    id: UUID
    gate_id: UUID
    delta: Annotated[int, Meta(ge=-100, le=100, examples=[2])]
    at: Annotated[datetime, Meta(tz=True)] | None = None


class CountBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Taps of a device that was without network."""

    counts: Annotated[list[CountBody], Meta(max_length=BATCH_MAX)]


class CorrectionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Set `inside` of an area to a number that was counted."""

    id: UUID
    inside: Annotated[int, Meta(ge=0, le=1_000_000, examples=[412])]
    reason: WhyText


class PlaceFigures(msgspec.Struct, frozen=True):
    """Scanned, counted, of disputed entries: apart, and summed; `over`: beyond the
    limit by so many."""

    area_id: UUID
    area: str
    scanned: int
    counted: int
    disputed: int
    inside: int
    capacity: int | None
    over: int


class CountAnswer(msgspec.Struct, frozen=True):
    """What was moved, and the figures after it."""

    id: UUID
    delta: int
    replayed: bool
    place: PlaceFigures


class Problem(msgspec.Struct, frozen=True):
    """Why a record was not counted."""

    code: str
    detail: str


class CountResult(msgspec.Struct, frozen=True):
    """One record of a batch."""

    id: UUID
    count: CountAnswer | None = None
    error: Problem | None = None


class Counts:
    """Counts people."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def tap(self, caller: Caller, event_id: UUID, body: CountBody) -> CountAnswer:
        """Count one tap; the same id counts once.

        Raises:
            NotFound: the gate is not of this event, or leads nowhere.
        """
        doer = await self._doer(caller, event_id)
        return (await self._count(event_id, [_row(doer, body)]))[0]

    async def batch(
        self, caller: Caller, event_id: UUID, taps: list[CountBody]
    ) -> list[CountResult]:
        """Count many taps in one commit, each on its own."""
        doer = await self._doer(caller, event_id)
        if not taps:
            return []
        said = await self._call(event_id, [_row(doer, body) for body in taps])
        results = []
        for body, one in zip(taps, said, strict=True):
            if "error" in one:
                problem = _error(one["error"])
                results.append(
                    CountResult(body.id, error=Problem(problem.code, problem.detail))
                )
            else:
                results.append(CountResult(body.id, _answer(body.id, one)))
        return results

    async def undo(self, caller: Caller, event_id: UUID, tap_id: UUID) -> CountAnswer:
        """Take a tap back; may come twice.

        Raises:
            NotFound: `nothing_to_undo`.
        """
        doer = await self._doer(caller, event_id)
        row = {
            "id": str(uuid5(UNDO, str(tap_id))),
            "un": str(tap_id),
            **_who(doer),
        }
        return (await self._count(event_id, [row]))[0]

    async def correct(
        self, caller: Caller, event_id: UUID, area_id: UUID, body: CorrectionBody
    ) -> CountAnswer:
        """Set an area to the number that was counted; a door manager, with a reason.

        Raises:
            Forbidden: this needs a door manager.
            NotFound: no such area.
        """
        doer = await self._house.doer(caller, event_id)
        doer.demand(DOOR_MANAGER)
        row = {
            "id": str(body.id),
            "ar": str(area_id),
            "to": body.inside,
            "why": body.reason,
            **_who(doer),
        }
        answer = (await self._count(event_id, [row]))[0]
        if not answer.replayed:
            entry = Entry(
                doer.actor,
                "areas.correct",
                "areas",
                area_id,
                event_id,
                detail={**doer.named(), "delta": answer.delta, "inside": body.inside},
            )
            async with self._house.database.pool.acquire() as db:
                await self._house.auditor.record(db, entry)
        return answer

    async def figures(self, event_id: UUID) -> list[PlaceFigures]:
        """Every area of an event."""
        rows = await self._house.database.pool.fetch(AREAS, event_id)
        return [_figures(row) for row in rows]

    async def _doer(self, caller: Caller, event_id: UUID) -> Doer:
        doer = await self._house.doer(caller, event_id)
        if doer.device_id is None:
            doer.demand(STEWARD)
        return doer

    async def _count(
        self, event_id: UUID, rows: list[dict[str, Any]]
    ) -> list[CountAnswer]:
        answers = []
        for one, row in zip(await self._call(event_id, rows), rows, strict=True):
            if "error" in one:
                raise _error(one["error"])
            answers.append(_answer(UUID(row["id"]), one))
        return answers

    async def _call(self, event_id: UUID, rows: list[dict[str, Any]]) -> list[Any]:
        pool = self._house.database.pool
        number = await pool.fetchval(EVENT_NO, event_id)
        if number is None:
            raise NotFound("There is no such event.", code="event_not_found")
        now = self._house.clock.now()
        items = [{**row, "i": at} for at, row in enumerate(rows)]
        said: list[Any] = await pool.fetchval(COUNT, event_id, number, now, items)
        return said


def _row(doer: Doer, body: CountBody) -> dict[str, Any]:
    return {
        "id": str(body.id),
        "g": str(body.gate_id),
        "n": body.delta,
        "at": body.at.isoformat() if body.at else None,
        **_who(doer),
    }


def _who(doer: Doer) -> dict[str, Any]:
    return {
        "d": str(doer.device_id) if doer.device_id else None,
        "op": str(doer.operator_id) if doer.operator_id else None,
    }


def _answer(count_id: UUID, said: Any) -> CountAnswer:
    return CountAnswer(count_id, said["delta"], said["replayed"], _figures(said))


def _figures(row: Any) -> PlaceFigures:
    area_id, limit = row["area_id"], row["capacity"]
    return PlaceFigures(
        area_id if isinstance(area_id, UUID) else UUID(str(area_id)),
        row["area"],
        row["scanned"],
        row["counted"],
        row["disputed"],
        row["inside"],
        limit,
        max(0, row["inside"] - limit) if limit is not None else 0,
    )


def _error(word: str) -> ApiError:
    match word:
        case "id_reused":
            return Conflict("This id was used at another event.", code=word)
        case "nothing_to_undo":
            return NotFound("There is no such tap.", code=word)
        case "place_not_found":
            return NotFound("This gate or area is not of the event.", code=word)
    return Unprocessable(code=word)
