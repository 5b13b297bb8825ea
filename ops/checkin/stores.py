"""The commands of a batch, executed against the real stores, each within its time.

A call that timed out is an unknown outcome: its connection is thrown away
(`terminate`, never release or cancel: asyncpg would wait for a server that is stopped)
and the command is repeated once on another one; every command may be repeated.
"""

from __future__ import annotations

import itertools
from typing import Any
from uuid import UUID

import asyncpg

from ops import log, metrics
from ops.admission import commit, from_cache, from_database
from ops.admission.batch import Commit, Down, Poisoned, ReadCache, ReadDatabase
from ops.admission.breaker import Breaker
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.scripts import FINISH, READ_FACTS
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import StoreUnavailable

TRIES_S = (0.2, 0.3)
"""Together with the cache's 0.15 s below the server's 0.7 s and the device's 0.8 s."""

_COMMIT = "SELECT ops.commit_scans_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_UNDO = "SELECT ops.undo_scan_v1($1, $2, $3, $4, $5, $6, $7)"
_READ = "SELECT ops.read_facts_v1($1, $2, $3)"

_AGAIN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
_POISON = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.CardinalityViolationError,
)
"""A value of the batch that PostgreSQL refuses; never a reason to call it gone."""
_GONE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresError,
)

_logger = log.get(__name__)
_echo = itertools.count(1)


class Stores:
    """The two stores as the desk uses them; remembers whether the cache answers."""

    def __init__(
        self,
        database: Database,
        cache: Cache,
        clock: Clock,
        tries_s: tuple[float, ...] = TRIES_S,
    ) -> None:
        self._tries_s = tries_s
        self._database = database
        self._cache = cache
        self._clock = clock
        self.breaker = Breaker()

    def cache_allowed(self) -> bool:
        """Whether the cache may be asked now (else mode D2)."""
        return self.breaker.allows(self._clock.monotonic_s())

    async def read_cache(self, event_id: UUID, command: ReadCache) -> Any:
        """Reply to ReadCache."""
        echo = str(next(_echo)).encode()
        with metrics.step_seconds.labels("facts").time():
            try:
                reply = await self._cache.call(
                    READ_FACTS,
                    [
                        keys.meta(event_id),
                        keys.codes(event_id),
                        keys.tickets(event_id),
                        keys.visits(event_id),
                        keys.devices(event_id),
                    ],
                    from_cache.arguments(echo, command.reads),
                )
                facts = from_cache.parse(echo, command.reads, reply)
            except (StoreUnavailable, ValueError) as error:
                self._cache_failed(error)
                return Down("cache")
        self.breaker.succeeded()
        return facts

    async def finish(self, event_id: UUID, args: list[bytes | str | int]) -> str:
        """Run the finish script; what it says, or `down`."""
        with metrics.step_seconds.labels("finish").time():
            try:
                reply = await self._cache.call(
                    FINISH,
                    [
                        keys.meta(event_id),
                        keys.visits(event_id),
                        keys.counters(event_id),
                        keys.feed(event_id),
                    ],
                    args,
                )
            except StoreUnavailable as error:
                self._cache_failed(error)
                return "down"
        return str(reply[1].decode())

    def _cache_failed(self, error: Exception) -> None:
        metrics.store_failures_total.labels("redis").inc()
        self.breaker.failed(self._clock.monotonic_s())
        _logger.warning("cache_failed", error=log.scrubbed(error))

    async def read_database(self, event_id: UUID, command: ReadDatabase) -> Any:
        """Reply to ReadDatabase."""
        devices, scans = from_database.arguments(command.reads)
        with metrics.step_seconds.labels("verify").time():
            text = await self._ask(_READ, event_id, devices, scans)
        if isinstance(text, Down):
            return text
        return from_database.parse(command.reads, text)

    async def commit(self, command: Commit) -> Any:
        """Reply to Commit."""
        request = command.request
        with metrics.step_seconds.labels("commit").time():
            try:
                text = await self._ask(
                    _COMMIT,
                    request.event_id,
                    request.event_no,
                    request.mode,
                    request.now,
                    request.items,
                    request.needs,
                    request.opens,
                    request.closes,
                    request.logs,
                    request.confirms,
                )
            except _POISON as error:
                # The text of such an error holds the values: only its kind is logged.
                _logger.warning("batch_poisoned", error=log.scrubbed(error))
                metrics.batches_bisected_total.inc()
                return Poisoned()
        return text if isinstance(text, Down) else commit.parse(text)

    async def undo(self, *args: Any) -> Any:
        """The reply of `ops.undo_scan_v1` as text, or Down.

        Raises:
            asyncpg.PostgresError: it refused a value.
        """
        return await self._ask(_UNDO, *args)

    async def _ask(self, query: str, *args: Any) -> Any:
        for limit_s in self._tries_s:
            try:
                return await self._once(query, args, limit_s)
            except _AGAIN as error:
                # Cut short by the database; nothing of it was written.
                _logger.info("batch_repeated", error=log.scrubbed(error))
            except _POISON:
                raise
            except _GONE as error:
                metrics.store_failures_total.labels("postgresql").inc()
                _logger.warning("database_failed", error=log.scrubbed(error))
        return Down("database")

    async def _once(self, query: str, args: tuple[Any, ...], limit_s: float) -> Any:
        connection = await self._database.door.acquire(timeout=limit_s)
        try:
            return await connection.fetchval(query, *args, timeout=limit_s)
        except BaseException as error:
            if not isinstance(error, asyncpg.PostgresError):
                connection.terminate()
            raise
        finally:
            await self._database.door.release(connection)
