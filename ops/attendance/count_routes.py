"""People counted without tickets, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from ops.attendance.acting import Caller
from ops.attendance.counts import (
    CorrectionBody,
    CountAnswer,
    CountBatch,
    CountBody,
    CountResult,
    Counts,
    PlaceFigures,
)
from ops.auth.guards import requires

TAGS = ["counts"]


@post(
    "/events/{event_id:uuid}/counts",
    guards=[requires("scans", "write", devices=True)],
    summary="Count people without tickets",
    tags=TAGS,
    status_code=200,
)
async def count(
    event_id: FromPath[UUID],
    data: JSONBody[CountBody],
    caller: NamedDependency[Caller],
    counts: NamedDependency[Counts],
) -> CountAnswer:
    """The same id counts once; nobody leaves a place where nobody is."""
    return await counts.tap(caller, event_id, data)


@post(
    "/events/{event_id:uuid}/counts/batch",
    guards=[requires("scans", "write", devices=True)],
    summary="Upload up to 1,000 taps, each on its own",
    tags=TAGS,
    status_code=200,
)
async def count_batch(
    event_id: FromPath[UUID],
    data: JSONBody[CountBatch],
    caller: NamedDependency[Caller],
    counts: NamedDependency[Counts],
) -> list[CountResult]:
    """In order; one commit."""
    return await counts.batch(caller, event_id, data.counts)


@post(
    "/events/{event_id:uuid}/counts/{count_id:uuid}/undo",
    guards=[requires("scans", "write", devices=True)],
    summary="Take a tap back",
    tags=TAGS,
    status_code=200,
)
async def undo_count(
    event_id: FromPath[UUID],
    count_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    counts: NamedDependency[Counts],
) -> CountAnswer:
    """May come twice; the tap stays in the log."""
    return await counts.undo(caller, event_id, count_id)


@post(
    "/events/{event_id:uuid}/areas/{area_id:uuid}/inside",
    guards=[requires("scans", "write", devices=True)],
    summary="Set an area to the number of people that was counted",
    tags=TAGS,
    status_code=200,
)
async def correct_inside(
    event_id: FromPath[UUID],
    area_id: FromPath[UUID],
    data: JSONBody[CorrectionBody],
    caller: NamedDependency[Caller],
    counts: NamedDependency[Counts],
) -> CountAnswer:
    """By a door manager, with a reason; what was scanned stays as it is."""
    return await counts.correct(caller, event_id, area_id, data)


@get(
    "/events/{event_id:uuid}/counts",
    guards=[requires("scans", "read", devices=True)],
    summary="Scanned and counted people of each area, apart and summed",
    tags=TAGS,
)
async def figures(
    event_id: FromPath[UUID], counts: NamedDependency[Counts]
) -> list[PlaceFigures]:
    """With by how many an area is over its limit."""
    return await counts.figures(event_id)


ROUTES: tuple[Any, ...] = (count, count_batch, undo_count, correct_inside, figures)
