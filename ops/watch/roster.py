"""Who should be at the gates now, and who is, as PostgreSQL has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.watch.staffing import SOON, Planned, SignedOn, Staffing, staffing
from ops.watch.statements import GATES, SHIFTS, SIGNED_ON

CALL_TIMEOUT_S: Final = 10.0


async def read_staffing(db: Any, event_id: UUID, now: datetime) -> Staffing:
    """Shifts and sign-ons of now held against each other; three statements."""
    gates = await db.fetch(GATES, event_id, timeout=CALL_TIMEOUT_S)
    planned = await db.fetch(SHIFTS, event_id, now, now + SOON, timeout=CALL_TIMEOUT_S)
    signed_on = await db.fetch(SIGNED_ON, event_id, timeout=CALL_TIMEOUT_S)
    return staffing(
        [(row["id"], row["name"]) for row in gates],
        [msgspec.convert(dict(row), Planned) for row in planned],
        [msgspec.convert(dict(row), SignedOn) for row in signed_on],
        now,
    )
