"""A scan that waits for its batch, the question it asks, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from ops.admission.ask import Ask, CodeKind
from ops.admission.commands import Item
from ops.admission.plan import Plan
from ops.admission.scan import Direction, ScanRequest
from ops.cache.entry import DeviceEntry

FUTURE_MAX = timedelta(minutes=5)
"""A door time further ahead is a wrong clock; the server's time is taken."""

Lane = Literal["live", "upload"]


class Pending(msgspec.Struct):
    """A scan that waits for its batch."""

    scan: ScanRequest
    device_id: UUID
    code: bytes
    code_kind: CodeKind
    code_hint: str
    content_hash: bytes
    forged: Callable[[], bool]
    answer: asyncio.Future[Answered]
    queued_s: float
    recalled: bool = False
    accepted: bool = False
    lane: Lane = "live"


class Answered(msgspec.Struct, frozen=True):
    """An item with its answer, and what the sentence needs beside it."""

    item: Item
    plan: Plan
    now: datetime
    inside: dict[UUID, int]


def ask(plan: Plan, pending: Pending, device: DeviceEntry, now: datetime) -> Ask:
    """The question of a scan; what it leaves open comes from its device."""
    scan = pending.scan
    gate_id = scan.gate_id
    if gate_id is None and scan.offline and scan.door is not None:
        gate_id = scan.door.gate_id  # where the device stood then
    gate = plan.gates.get(gate_id) if gate_id else None
    gate = gate or plan.gates_by_no.get(device.gate_no)
    direction: Direction = scan.direction or (
        "out" if device.direction == "out" else "in"
    )
    at = now
    if scan.scanned_at is not None and (scan.offline or scan.dry_run):
        skew_ms = device.skew_ms if scan.offline else 0
        at = scan.scanned_at - timedelta(milliseconds=skew_ms)
        at = min(at, now + FUTURE_MAX)
    if scan.session_id is None and device.session_id and scan.area_id is None:
        scan = msgspec.structs.replace(scan, session_id=UUID(bytes=device.session_id))
    return Ask(
        scan,
        pending.device_id,
        direction,
        gate,
        at,
        pending.code_kind,
        pending.forged,
        device.profile,
        pending.recalled,
        pending.accepted,
    )
