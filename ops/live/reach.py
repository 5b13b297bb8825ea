"""The topic reach: how far each announcement has come, for organisers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from ops.announcements import statements
from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.plan import CALL_TIMEOUT_S

READ_EVERY_S = 1.0
SHOWN_MAX = 50


class Reached(msgspec.Struct, frozen=True):
    """An announcement's figures, in people; `counted` is fixed when it is sent."""

    id: UUID
    title: str
    priority: str
    status: str
    at: datetime | None
    counted: int
    delivered: int
    opened: int
    clicked: int
    failed: int


class Reach(msgspec.Struct, frozen=True):
    """`data` of the topic, newest first."""

    announcements: tuple[Reached, ...]


async def read_reach(pool: asyncpg.Pool, event_id: UUID) -> Reach:
    """The newest announcements of an event that were sent or wait to be.

    Raises:
        StoreUnavailable: PostgreSQL did not answer.
    """
    try:
        rows = await pool.fetch(
            statements.REACH, event_id, SHOWN_MAX, timeout=CALL_TIMEOUT_S
        )
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"reach: {type(error).__name__}") from error
    return Reach(tuple(Reached(**dict(row)) for row in rows))
