"""The way back from mode D: writes that work, and journals that are merged.

The leader watches the events that are in D. One returns to N when PostgreSQL has taken
this process's writes without a gap for `steady_s` (and a margin, so that the doors'
own breakers are closed by then), every machine that is not retired has merged up to the
event's epoch, and the cache was told what was merged.
"""

from __future__ import annotations

import time
from uuid import UUID

import asyncpg

from ops import log
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.scripts import SWITCH
from ops.crm_sync import statements
from ops.crm_sync.drain import Drain
from ops.crm_sync.merging import read_mode
from ops.db.engine import Database

STEADY_S = 10.0
MARGIN_S = 2.0
TRY_S = 0.3

_GONE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_logger = log.get(__name__)


class Steady:
    """Since when something holds without a gap. Pure; times are monotonic seconds."""

    def __init__(self) -> None:
        self._since: dict[object, float] = {}

    def holds(self, key: object, now_s: float) -> float:
        """It holds now; for how long."""
        return now_s - self._since.setdefault(key, now_s)

    def breaks(self, key: object) -> None:
        """It does not hold."""
        self._since.pop(key, None)


class Modes:
    """Switches events back to N."""

    def __init__(
        self,
        database: Database,
        cache: Cache,
        drain: Drain,
        steady_s: float = STEADY_S,
    ) -> None:
        self._database, self._cache, self._drain = database, cache, drain
        self._wait_s = steady_s + MARGIN_S * min(1.0, steady_s)
        self._steady = Steady()

    async def turn(self) -> int:
        """Look at all events in D; how many went back.

        Raises:
            StoreUnavailable: the cache is away.
        """
        try:
            events = await self._database.pool.fetch(
                statements.WRITE_AND_EVENTS, timeout=TRY_S
            )
        except _GONE:
            self._steady = Steady()
            return 0
        now_s, back = time.monotonic(), 0
        for row in events:
            mode = await read_mode(self._cache, row["id"])
            if mode is None or mode[0] != "D":
                continue
            # A new epoch (somebody could not reach PostgreSQL again) starts anew.
            steady_s = self._steady.holds((row["id"], mode[1]), now_s)
            if steady_s >= self._wait_s and await self._back(row["id"], mode[1]):
                back += 1
        return back

    async def _back(self, event_id: UUID, epoch: int) -> bool:
        behind = await self._database.pool.fetchval(
            statements.MACHINES_BEHIND, event_id, epoch, timeout=TRY_S * 10
        )
        if behind:
            _logger.info(
                "mode_waits_for_merges", event_id=str(event_id), machines=behind
            )
            return False
        while await self._drain.turn():
            pass
        reply = await self._cache.call(
            SWITCH,
            [keys.meta(event_id), keys.feed(event_id)],
            ["back", keys.LAYOUT_VERSION, epoch, "N", 5_000],
        )
        _logger.info("mode_is_normal", event_id=str(event_id), epoch=epoch)
        return bool(reply[1] == b"is")
