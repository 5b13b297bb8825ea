"""Routes of what comes back: leases, conflicts, quarantine, and the proof."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from ops.auth.guards import device_required, requires
from ops.auth.subjects import DeviceIdentity, Staff
from ops.listing import Page, Turn, by_time
from ops.offline import conflicts, quarantine
from ops.offline.conflicts import ConflictView, ResolveBody, Resolved
from ops.offline.leases import EndLeases, LeaseAnswers, LeasesChanged, Risk
from ops.offline.offline import Offline
from ops.offline.proof import DeviceCounts, Proof
from ops.offline.quarantine import QuarantineBody, QuarantineView

TAGS = ["offline"]


@post(
    "/events/{event_id:uuid}/leases/answers",
    guards=[device_required],
    status_code=200,
    summary="The holder's word about leases: released or used",
    tags=TAGS,
)
async def answer_leases(
    event_id: FromPath[UUID],
    data: JSONBody[LeaseAnswers],
    device: NamedDependency[DeviceIdentity],
    offline: NamedDependency[Offline],
) -> LeasesChanged:
    """The device keeps its word before it says it; may come twice."""
    return LeasesChanged(await offline.leases.answer(event_id, device.id, data.answers))


@post(
    "/events/{event_id:uuid}/devices/{device_id:uuid}/leases/end",
    guards=[requires("scans", "write")],
    status_code=200,
    summary="End the leases of a device that will not come back",
    tags=TAGS,
)
async def end_leases(
    event_id: FromPath[UUID],
    device_id: FromPath[UUID],
    data: JSONBody[EndLeases],
    me: NamedDependency[Staff],
    offline: NamedDependency[Offline],
) -> LeasesChanged:
    """A recorded decision: each counts as a possible double entry from now on."""
    return LeasesChanged(
        await offline.leases.end(event_id, device_id, data.reason, me.user_id)
    )


@get(
    "/events/{event_id:uuid}/offline-risk",
    guards=[requires("devices", "read")],
    summary="How many double entries are possible now, and by which devices",
    tags=TAGS,
)
async def offline_risk(
    event_id: FromPath[UUID], offline: NamedDependency[Offline]
) -> Risk:
    """Devices not heard of for 30 s with what they may do alone."""
    return await offline.leases.risk(event_id)


@get(
    "/events/{event_id:uuid}/conflicts",
    guards=[requires("scans", "read")],
    summary="Entries beyond one that was possible",
    tags=TAGS,
)
async def list_conflicts(
    event_id: FromPath[UUID],
    offline: NamedDependency[Offline],
    turn: NamedDependency[Turn],
    unresolved: FromQuery[bool | None] = None,
) -> Page[ConflictView]:
    """Newest first, with both entries."""
    rows = await offline.conflicts.page(event_id, turn.start, unresolved, turn.limit)
    return turn.page(rows, conflicts.view, by_time("created_at"))


@post(
    "/events/{event_id:uuid}/conflicts/{conflict_id:uuid}/resolve",
    guards=[requires("scans", "write")],
    status_code=200,
    summary="Say what was found out about a conflict",
    tags=TAGS,
)
async def resolve_conflict(
    event_id: FromPath[UUID],
    conflict_id: FromPath[UUID],
    data: JSONBody[ResolveBody],
    me: NamedDependency[Staff],
    offline: NamedDependency[Offline],
) -> Resolved:
    """left, stays (counted as people without a ticket) or wrong."""
    return await offline.conflicts.resolve(event_id, conflict_id, data, me.user_id)


@get(
    "/events/{event_id:uuid}/quarantine",
    guards=[requires("scans", "read")],
    summary="What revoked devices brought",
    tags=TAGS,
)
async def list_quarantine(
    event_id: FromPath[UUID],
    offline: NamedDependency[Offline],
    turn: NamedDependency[Turn],
    waiting: FromQuery[bool | None] = None,
) -> Page[QuarantineView]:
    """Oldest first."""
    rows = await offline.quarantine.page(event_id, turn.start, waiting, turn.limit)
    return turn.page(rows, quarantine.view, by_time("received_at"))


@post(
    "/events/{event_id:uuid}/quarantine/{record_id:uuid}/decide",
    guards=[requires("scans", "write")],
    status_code=200,
    summary="Accept or reject a scan of a revoked device",
    tags=TAGS,
)
async def decide_quarantine(
    event_id: FromPath[UUID],
    record_id: FromPath[UUID],
    data: JSONBody[QuarantineBody],
    me: NamedDependency[Staff],
    offline: NamedDependency[Offline],
) -> QuarantineView:
    """Accepted records are decided as uploads; the first decision stands."""
    return await offline.quarantine.decide(event_id, record_id, data, me.user_id)


@post(
    "/events/{event_id:uuid}/offline-proof",
    guards=[device_required],
    status_code=200,
    summary="A device says what it did alone, and hears whether the server agrees",
    tags=TAGS,
)
async def report_counts(
    event_id: FromPath[UUID],
    data: JSONBody[DeviceCounts],
    device: NamedDependency[DeviceIdentity],
    offline: NamedDependency[Offline],
) -> Proof:
    """admitted = entries + conflicts + what waits in quarantine."""
    return await offline.proofs.report(event_id, device.id, data)


@get(
    "/events/{event_id:uuid}/offline-proof",
    guards=[requires("devices", "read")],
    summary="The comparison for every device that reported",
    tags=TAGS,
)
async def list_proofs(
    event_id: FromPath[UUID],
    offline: NamedDependency[Offline],
    device_id: FromQuery[UUID | None] = None,
) -> list[Proof]:
    """At most 500 devices."""
    return await offline.proofs.all(event_id, device_id)


ROUTES: tuple[Any, ...] = (
    answer_leases,
    end_leases,
    offline_risk,
    list_conflicts,
    resolve_conflict,
    list_quarantine,
    decide_quarantine,
    report_counts,
    list_proofs,
)
