"""The plan of an event, for who tells the cache about visits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from ops.admission.plan import Plan, PlanRows

_decoder = msgspec.json.Decoder(PlanRows)


async def read_plan(pool: Any, event_id: UUID) -> Plan | None:
    """The plan as PostgreSQL has it; None for an unknown event."""
    text = await pool.fetchval(
        "SELECT ops.read_plan_v1($1)::text", event_id, timeout=30.0
    )
    return Plan(_decoder.decode(text)) if text else None
