"""The way back from mode D: writes that work, and journals that are merged.

The leader watches the events that are in D. One returns to N when PostgreSQL has taken
this process's writes without a gap for `steady_s` (and a margin, so that the doors'
own breakers are closed by then), every machine that is not retired has merged up to the
event's epoch, and the cache was told what was merged.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import asyncpg

from ops import log
from ops.admission.steady import STEADY_S, TRY_S, Steady, counts_as_back
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.scripts import SWITCH
from ops.crm_sync import statements
from ops.crm_sync.drain import FACTS_PER_TURN, Drain
from ops.crm_sync.merging import read_mode
from ops.db.engine import Database
from ops.db.pools import DATABASE_ERRORS

MARGIN_S = 2.0
CALL_TIMEOUT_S = 3.0

_logger = log.get(__name__)


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
            async with self._database.back.acquire(timeout=TRY_S) as connection:
                began_s = time.monotonic()
                events = await self._written(connection)
        except DATABASE_ERRORS as error:
            self._steady.clear()
            _logger.info("mode_probe_failed", error=log.scrubbed(error))
            return 0
        now_s, back = time.monotonic(), 0
        took_s = now_s - began_s
        for row in events:
            mode = await read_mode(self._cache, row["id"])
            if mode is None or mode[0] != "D":
                continue
            # A new epoch (somebody could not reach PostgreSQL again) starts anew.
            held_s = self._steady.holds((row["id"], mode[1]), now_s)
            ready = counts_as_back(held_s, self._wait_s, took_s)
            if ready and await self._back(row["id"], mode[1]):
                back += 1
        return back

    async def _written(self, connection: Any) -> list[Any]:
        """The events, by a statement that also writes."""
        try:
            found: list[Any] = await connection.fetch(
                statements.WRITE_AND_EVENTS, timeout=TRY_S
            )
        except (
            OSError,
            TimeoutError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ):
            connection.terminate()  # giving it back would wait for the server
            raise
        return found

    async def _back(self, event_id: UUID, epoch: int) -> bool:
        behind = await self._database.back.fetchval(
            statements.MACHINES_BEHIND, event_id, epoch, timeout=CALL_TIMEOUT_S
        )
        if behind:
            _logger.info(
                "mode_waits_for_merges", event_id=str(event_id), machines=behind
            )
            return False
        # To the end of what is there now: another event that is busy adds for ever.
        while await self._drain.turn() == FACTS_PER_TURN:
            pass
        reply = await self._cache.call(
            SWITCH,
            [keys.meta(event_id), keys.feed(event_id)],
            ["back", keys.LAYOUT_VERSION, epoch, "N", 5_000],
        )
        went = bool(reply[1] == b"is" and reply[2] == b"N")
        if went:
            _logger.info("mode_is_normal", event_id=str(event_id), epoch=epoch)
        return went
