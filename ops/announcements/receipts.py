"""What clients say back, written together a few times a second, counted exactly.

A client may say the same thing again (after a reconnect it does): receipts keep the
first time of each, and only what is new moves the announcement's counters.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from uuid import UUID

import asyncpg

from ops.announcements import statements
from ops.clock import Clock
from ops.db.pools import DATABASE_ERRORS
from ops.patience import for_ever, safely

FLUSH_S = 0.25
WAITING_MAX = 50_000
"""Beyond this acknowledgements are dropped; the client repeats `delivered` when it
comes back, so a count is late and not wrong."""
CALL_TIMEOUT_S = 5.0


class What(IntEnum):
    """What a reader did; each includes the ones before."""

    DELIVERED = 1
    OPENED = 2
    CLICKED = 3


WORDS = {"delivered": What.DELIVERED, "opened": What.OPENED, "clicked": What.CLICKED}


class Receipts:
    """Collects acknowledgements of a process and writes them from a task of its own."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._waiting: dict[tuple[UUID, UUID], What] = {}

    def add(self, announcement_id: UUID, recipient_id: UUID, what: What) -> None:
        """Note one; never waits."""
        key = (announcement_id, recipient_id)
        if key in self._waiting or len(self._waiting) < WAITING_MAX:
            self._waiting[key] = max(what, self._waiting.get(key, what))

    async def run(self) -> None:
        """Write until cancelled; what waits is kept while PostgreSQL is away."""
        await for_ever(self._turn, FLUSH_S, "receipts", DATABASE_ERRORS)

    async def _turn(self) -> None:
        """Write what waits; what could not be written waits on.

        Raises:
            Whatever the writing raised.
        """
        taken, self._waiting = self._waiting, {}
        if not taken:
            return
        try:
            await write(self._pool, taken, self._clock.now())
        except BaseException:
            for key, what in taken.items():
                self.add(*key, what)
            raise

    async def flush(self) -> None:
        """Write what waits now, if it can be written."""
        await safely(self._turn, "receipts", DATABASE_ERRORS)


async def write(
    pool: asyncpg.Pool, acks: dict[tuple[UUID, UUID], What], now: datetime
) -> None:
    """Write acknowledgements: (announcement, recipient) -> what."""
    await pool.execute(
        statements.ACKNOWLEDGE,
        [key[0] for key in acks],
        [key[1] for key in acks],
        [int(what) for what in acks.values()],
        now,
        timeout=CALL_TIMEOUT_S,
    )
