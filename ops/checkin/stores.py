"""The commands of a batch, executed against the real stores, each within its time.

A call that timed out is an unknown outcome: its connection is thrown away
(`terminate`, never release or cancel: asyncpg would wait for a server that is stopped)
and the command is repeated once on another one; every command may be repeated.
"""

from __future__ import annotations

import itertools
import time
from typing import Any
from uuid import UUID

import asyncpg

from ops import log, metrics
from ops.admission import claim, commit, from_cache, from_database
from ops.admission.breaker import Breaker
from ops.admission.commands import (
    Claim,
    Commit,
    Down,
    ModeIs,
    Poisoned,
    ReadCache,
    ReadDatabase,
    Switch,
    TakeOver,
)
from ops.admission.finish import FEED_LENGTH
from ops.cache import keys
from ops.cache.client import CACHE_ERRORS, Cache
from ops.cache.entry import DeviceEntry, unpack_device
from ops.cache.scripts import CLAIM, FINISH, READ_FACTS, SWITCH
from ops.clock import Clock
from ops.db.door_calls import COMMIT, READ
from ops.db.engine import Database
from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable

TRIES_S = (0.2, 0.25)
"""Two calls of PostgreSQL, connecting included; then it counts as gone (mode D). With
reading, claiming and writing afterwards below the server's 0.7 s, which is below the
device's 0.8 s."""
SILENCE_S = 0.5
EVENTS_ASKED_MAX = 50

_TAKE_OVER = "SELECT ops.take_over_v1($1, $2, $3, $4, $5, $6)"
_UNDO = "SELECT ops.undo_scan_v1($1, $2, $3, $4, $5, $6, $7)"

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
_LOCKED_MAX = 1
"""A batch that waits for a lock again does not wait for one of our own."""

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
        self.database_breaker = Breaker(silence_s=SILENCE_S)
        """Opened here, closed by `ops.checkin.recovery` alone."""

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
                    keys.finish(event_id),
                    args,
                )
            except StoreUnavailable as error:
                self._cache_failed(error)
                return "down"
        return str(reply[1].decode())

    async def claim(self, event_id: UUID, command: Claim) -> Any:
        """Reply to Claim."""
        echo = str(next(_echo)).encode()
        args = claim.arguments(
            echo, command.epoch, command.plan, command.items, command.now
        )
        keyed = [
            keys.meta(event_id),
            keys.tickets(event_id),
            keys.visits(event_id),
            keys.counters(event_id),
        ]
        with metrics.step_seconds.labels("claim").time():
            try:
                reply = claim.parse(echo, await self._cache.call(CLAIM, keyed, args))
            except (StoreUnavailable, ValueError) as error:
                self._cache_failed(error)
                return Down("cache")
        return reply

    async def switch(self, event_id: UUID, command: Switch) -> Any:
        """Reply to Switch."""
        echo = str(next(_echo)).encode()
        try:
            reply = await self._cache.call(
                SWITCH,
                [keys.meta(event_id), keys.feed(event_id)],
                [
                    echo,
                    keys.LAYOUT_VERSION,
                    command.epoch,
                    command.mode,
                    FEED_LENGTH,
                ],
            )
        except StoreUnavailable as error:
            self._cache_failed(error)
            return Down("cache")
        if reply[0] != echo:
            return Down("cache")
        if reply[1] == b"cold":
            return from_cache.Cold("cold")
        mode, epoch = reply[2].decode(), int(reply[3])
        _logger.warning("mode_is", event_id=str(event_id), mode=mode, epoch=epoch)
        return ModeIs(mode, epoch)

    async def in_journal(self, events: list[UUID]) -> bool:
        """Whether one of these events is in mode D, as the cache says."""
        if self.database_breaker.open:
            return True
        redis: Any = self._cache.redis
        for event_id in events[:EVENTS_ASKED_MAX]:
            if await redis.hget(keys.meta(event_id), "mode") == b"D":
                return True
        return False

    async def device(self, event_id: UUID, device_id: UUID) -> DeviceEntry | None:
        """A device as the cache knows it, while PostgreSQL is away."""
        redis: Any = self._cache.redis
        try:
            packed: Any = await redis.hget(keys.devices(event_id), device_id.bytes)
        except CACHE_ERRORS as error:
            self._cache_failed(error)
            return None
        return unpack_device(packed) if packed else None

    def _cache_failed(self, error: Exception) -> None:
        metrics.store_failures_total.labels("redis").inc()
        self.breaker.failed(self._clock.monotonic_s())
        _logger.warning("cache_failed", error=log.scrubbed(error))

    async def read_database(self, event_id: UUID, command: ReadDatabase) -> Any:
        """Reply to ReadDatabase."""
        devices, scans = from_database.arguments(command.reads)
        with metrics.step_seconds.labels("verify").time():
            text = await self._ask(READ, event_id, devices, scans)
        if isinstance(text, Down):
            return text
        return from_database.parse(command.reads, text)

    async def commit(self, command: Commit) -> Any:
        """Reply to Commit."""
        request = command.request
        with metrics.step_seconds.labels("commit").time():
            try:
                text = await self._ask(
                    COMMIT,
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

    async def take_over(self, command: TakeOver) -> Any:
        """Reply to TakeOver."""
        request = command.request
        with metrics.step_seconds.labels("commit").time():
            try:
                text = await self._ask(
                    _TAKE_OVER,
                    request.event_id,
                    request.event_no,
                    request.mode,
                    request.now,
                    request.items,
                    request.logs,
                )
            except _POISON as error:
                _logger.warning("batch_poisoned", error=log.scrubbed(error))
                return Poisoned()
        return text if isinstance(text, Down) else commit.parse(text)

    async def undo(self, *args: Any) -> Any:
        """The reply of `ops.undo_scan_v1` as text, or Down.

        Raises:
            asyncpg.PostgresError: it refused a value.
        """
        return await self._ask(_UNDO, *args)

    async def _ask(self, query: str, *args: Any) -> Any:
        """The function's reply; Down after the second failure in a row.

        The repeat has another connection: the pool hands out those that are open first.
        """
        if self.database_breaker.open:
            return Down("database", lasting=True)
        locked = gone = 0
        for limit_s in self._tries_s:
            try:
                reply = await self._once(query, args, limit_s)
            except _POISON:
                raise
            except _AGAIN as error:
                # Cut short by the database; nothing of it was written.
                _logger.info("batch_repeated", error=log.scrubbed(error))
                locked += isinstance(error, asyncpg.LockNotAvailableError)
            except DATABASE_ERRORS as error:
                gone += 1
                metrics.store_failures_total.labels("postgresql").inc()
                _logger.warning("database_failed", error=log.scrubbed(error))
            else:
                if not self.database_breaker.open:
                    self.database_breaker.succeeded()
                return reply
        if gone == len(self._tries_s) or locked > _LOCKED_MAX:
            self.database_breaker.failed(self._clock.monotonic_s(), len(self._tries_s))
        return Down("database", lasting=self.database_breaker.open)

    async def _once(self, query: str, args: tuple[Any, ...], limit_s: float) -> Any:
        pool = self._database.door
        until_s = time.monotonic() + limit_s
        connection = await pool.acquire(timeout=limit_s)
        try:
            left_s = max(0.001, until_s - time.monotonic())
            reply = await connection.fetchval(query, *args, timeout=left_s)
        except asyncpg.PostgresError:
            await pool.release(connection)
            raise
        except BaseException:
            connection.terminate()  # gives its place back, which the pool fills again
            raise
        await pool.release(connection)
        return reply
