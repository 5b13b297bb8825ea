"""The proof after a reconnection: what a device counts is what the server has."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.clock import Clock
from ops.db.engine import Database
from ops.offline import queries

TIMEOUT_S = 5.0
LOOKS, LOOK_AGAIN_S = 4, 0.2
"""Refusals are logged up to 0.1 s after their answer: look again at a difference."""
Number = Annotated[int, Meta(ge=0)]


class DeviceCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a device did by itself since it was paired, and what of it is not sent."""

    admitted: Number = 0
    exited: Number = 0
    turned_away: Number = 0
    waiting: Number = 0


class Proof(msgspec.Struct, frozen=True):
    """admitted by the device = entries + conflicts (+ in quarantine + rejected there).

    `agrees` is None until the device has reported, while it has scans to send, and for
    a device that was revoked since.
    """

    device_id: UUID
    device: str
    counted_at: datetime | None
    counts: DeviceCounts
    admitted: int
    exited: int
    turned_away: int
    entries: int
    conflicts: int
    quarantined: int
    rejected: int
    agrees: bool | None


class Proofs:
    """Takes counts and compares them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def report(
        self, event_id: UUID, device_id: UUID, counts: DeviceCounts
    ) -> Proof:
        """Note what the device counts; returns the comparison for its screen."""
        await self._database.pool.execute(
            queries.REPORT_COUNTS,
            event_id,
            device_id,
            msgspec.to_builtins(counts),
            self._clock.now(),
            timeout=TIMEOUT_S,
        )
        (proof,) = await self.all(event_id, device_id)
        for _ in range(LOOKS):
            if proof.agrees is not False:
                break
            await asyncio.sleep(LOOK_AGAIN_S)
            (proof,) = await self.all(event_id, device_id)
        return proof

    async def all(self, event_id: UUID, device_id: UUID | None) -> list[Proof]:
        """Of every device that ever reported (at most 500), or of one."""
        rows = await self._database.pool.fetch(
            queries.COUNTED, event_id, device_id, timeout=TIMEOUT_S
        )
        return [compared(row) for row in rows]


def compared(row: Any) -> Proof:
    """A device's counts beside the server's. Pure.

    A revoked device reports no more: what it counted before its end is no comparison
    with what it brought afterwards.
    """
    counts = msgspec.convert(row["counts"] or {}, DeviceCounts)
    together = row["entries"] + row["conflicts"]
    late = row["waiting"] + row["rejected"]
    agrees = None
    counted_at, ended_at = row["counted_at"], row["revoked_at"]
    mute = ended_at is not None and (counted_at is None or counted_at <= ended_at)
    if counted_at is not None and not counts.waiting and not mute:
        agrees = (
            counts.admitted == together + late
            and counts.exited == row["exited"]
            and counts.turned_away == row["turned_away"]
        )
    return Proof(
        row["id"],
        row["name"],
        counted_at,
        counts,
        row["admitted"],
        row["exited"],
        row["turned_away"],
        row["entries"],
        row["conflicts"],
        row["waiting"],
        row["rejected"],
        agrees,
    )
