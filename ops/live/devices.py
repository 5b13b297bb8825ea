"""The topic devices: who stands at which gate with how much battery.

It comes from PostgreSQL alone (`polled`), because heartbeats are written there and
nowhere else.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.plan import CALL_TIMEOUT_S

READ_EVERY_S = 2.0
DEVICES_MAX = 500
"""About 120 KB: what a socket's buffers take without counting as slow."""

# The row of an event without devices is one of NULLs; no row: there is no such event.
_DEVICES = """
SELECT d.id, d.name, d.profile, g.id AS gate_id, g.name AS gate, o.name AS operator,
       d.battery, d.pending, d.software, d.clock_skew_ms, d.last_seen_at,
       CASE WHEN d.state = 'active' AND d.locked_at IS NOT NULL THEN 'locked'
            ELSE d.state END AS state,
       count(d.id) OVER ()::int AS total
FROM public.events e
LEFT JOIN ops.device_events de ON de.event_id = e.id
LEFT JOIN ops.devices d ON d.id = de.device_id
LEFT JOIN LATERAL (
     SELECT x.id, x.name FROM ops.gates x
      WHERE x.event_id = e.id AND x.id IN (d.gate_id, de.gate_id)
      ORDER BY x.id IS NOT DISTINCT FROM d.gate_id DESC LIMIT 1) g ON true
LEFT JOIN ops.operators o ON o.id = d.operator_id AND o.event_id = e.id
WHERE e.id = $1 ORDER BY d.state = 'revoked', d.name, d.id LIMIT $2
"""


class Device(msgspec.Struct, frozen=True):
    """A device as the control room shows it; `pending` are scans it has not sent.

    `clock_skew_ms`: how far its clock is ahead of ours.
    """

    id: UUID
    name: str
    profile: str
    gate_id: UUID | None
    gate: str | None
    operator: str | None
    battery: int | None
    pending: int
    software: str | None
    clock_skew_ms: int | None
    last_seen_at: datetime | None
    state: str


class Devices(msgspec.Struct, frozen=True):
    """`data` of the topic; `total` says that more than the first 500 exist."""

    devices: tuple[Device, ...]
    total: int


async def read_devices(pool: asyncpg.Pool, event_id: UUID) -> Devices | None:
    """The devices of an event, revoked ones last; None if there is no such event.

    Raises:
        StoreUnavailable: PostgreSQL did not answer.
    """
    try:
        rows = await pool.fetch(_DEVICES, event_id, DEVICES_MAX, timeout=CALL_TIMEOUT_S)
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"devices: {type(error).__name__}") from error
    if not rows:
        return None
    names = Device.__struct_fields__
    found = (Device(**{name: row[name] for name in names}) for row in rows if row["id"])
    return Devices(tuple(found), rows[0]["total"])
