"""When PostgreSQL counts as back: writes that worked for a while, without a gap.

One task a process. While the breaker is open it writes the machine's row on a fresh
connection, twice a second, each try within its time; after `steady_s` without a failed
one it renews the door's connections and closes the breaker (`ops.admission.steady`). A
scan is never the probe.

While PostgreSQL answers it also keeps in memory what mode D cannot look up: devices and
plans of running events.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ops import log
from ops.admission.journals import machine_name
from ops.admission.steady import PROBE_S, STEADY_S, TRY_S, Steady, counts_as_back
from ops.checkin.stores import Stores
from ops.clock import Clock
from ops.db.engine import Database
from ops.db.pools import DATABASE_ERRORS
from ops.patience import ended, for_ever, within

RENEW_S = 5.0
PREPARE_S = 5.0
FOLLOW_S = 1.0
PREPARE_TRY_S = 2.0
"""Many events to meet must not keep the watch from a breaker that opens meanwhile."""

_WRITE = """
INSERT INTO ops.machines (name) VALUES ($1)
ON CONFLICT (name) DO UPDATE SET last_seen_at = now()
"""
_WRITE_NAMELESS = (
    "UPDATE ops.cursors SET updated_at = now() WHERE name = 'steady' AND $1 = ''"
)
"""Of a machine whose folder cannot be read: a made-up one would never merge."""
_logger = log.get(__name__)


class Recovery:
    """Watches a breaker and closes it; `start` begins, `stop` ends."""

    def __init__(
        self,
        database: Database,
        stores: Stores,
        clock: Clock,
        folder: Path,
        prepare: Callable[[], Coroutine[Any, Any, None]],
        follow: Callable[[], Coroutine[Any, Any, None]],
        steady_s: float = STEADY_S,
    ) -> None:
        self._database, self._stores, self._clock = database, stores, clock
        self._folder, self._machine = folder, ""
        self._steady_s, self._prepare, self._follow = steady_s, prepare, follow
        self._steady = Steady()
        self._prepared_s = self._followed_s = clock.monotonic_s()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Write this machine down and begin to watch."""
        with contextlib.suppress(*DATABASE_ERRORS):
            self._machine = await asyncio.to_thread(machine_name, self._folder)
            await self._database.pool.execute(_WRITE, self._machine, timeout=RENEW_S)
            await self._prepare()
        self._task = asyncio.create_task(
            for_ever(self._watch, PROBE_S, "recovery"), name="recovery"
        )

    async def stop(self) -> None:
        """End; may come twice, or without `start`."""
        if self._task is not None:
            await ended([self._task])
            self._task = None

    async def _watch(self) -> None:
        """Look; after a look that failed successes are counted from the beginning."""
        try:
            await self._look()
        except BaseException:
            self._steady.clear()
            raise

    async def _look(self) -> None:
        breaker = self._stores.database_breaker
        now_s = self._clock.monotonic_s()
        if not breaker.open:
            self._steady.clear()
            if now_s - self._followed_s >= FOLLOW_S:
                self._followed_s = now_s
                with contextlib.suppress(*DATABASE_ERRORS):
                    await within(FOLLOW_S, self._follow())
            if now_s - self._prepared_s >= PREPARE_S:
                self._prepared_s = now_s
                with contextlib.suppress(*DATABASE_ERRORS):
                    await within(PREPARE_TRY_S, self._prepare())
            return
        took_s = await self._probe()
        if took_s is None:
            self._steady.clear()
            return
        held_s = self._steady.holds(breaker, self._clock.monotonic_s())
        if counts_as_back(held_s, self._steady_s, took_s) and await self._renew():
            breaker.succeeded()
            _logger.info("database_is_back")

    async def _probe(self) -> float | None:
        """How long a write took on a fresh connection; None: it failed."""
        try:
            async with asyncio.timeout(TRY_S):
                connection = await self._database.connect()
        except DATABASE_ERRORS as error:
            _logger.info("probe_failed", error=log.scrubbed(error))
            return None
        began_s = self._clock.monotonic_s()
        try:
            write = _WRITE if self._machine else _WRITE_NAMELESS
            await connection.execute(write, self._machine, timeout=TRY_S)
        except DATABASE_ERRORS as error:
            _logger.info("probe_failed", error=log.scrubbed(error))
            return None
        finally:
            connection.terminate()
        return self._clock.monotonic_s() - began_s

    async def _renew(self) -> bool:
        """Open the door's connections anew: the old ones may be half dead."""
        try:
            async with asyncio.timeout(RENEW_S):
                await self._database.renew_door()
        except DATABASE_ERRORS as error:
            _logger.warning("door_not_renewed", error=log.scrubbed(error))
            return False
        return True
