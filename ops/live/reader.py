"""The one reader of a process: waits on the streams of all events that are watched.

A stream entry is a hint with the lines of a batch; whether anything was missed is
found out by offsets, and the feed looks at the counters every second anyway. So a
connection that died silently costs a second, never a number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ops import log, metrics
from ops.cache import keys
from ops.cache.client import CACHE_ERRORS
from ops.patience import for_ever

BLOCK_MS = 1000
TIMEOUT_S = 5.0
"""Longer than the block, and not None: a connection that went silent is noticed."""
ENTRIES_MAX = 512

_log = log.get(__name__)

Deliver = Callable[[UUID, dict[bytes, bytes]], None]


class Reader:
    """Follows streams; `deliver` gets every entry, in order, without waiting.

    Args:
        url: of the Redis or Valkey.
        control: another client, used to wake the blocked one.
    """

    def __init__(self, url: str, control: Redis, deliver: Deliver) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            decode_responses=False,
            protocol=2,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
        )
        self._control, self._deliver = control, deliver
        self._positions: dict[UUID, bytes] = {}
        self._some = asyncio.Event()
        self._client_id: int | None = None

    async def watch(self, event_id: UUID, position: bytes) -> None:
        """Follow an event's stream from behind `position`; may be called again."""
        self._positions[event_id] = position
        self._some.set()
        await self._wake()

    def forget(self, event_id: UUID) -> None:
        """Stop following; what is under way is still delivered."""
        self._positions.pop(event_id, None)
        if not self._positions:
            self._some.clear()

    async def run(self) -> None:
        """Read until cancelled; a lost connection is made again."""
        await for_ever(self._follow, 0.0, "feed", CACHE_ERRORS)

    async def stop(self) -> None:
        """Close the connection; `run` must have been cancelled."""
        with suppress(*CACHE_ERRORS):
            await self._redis.aclose()

    async def _follow(self) -> None:
        """One reading; a connection on which it failed is not used again."""
        await self._some.wait()
        try:
            if self._client_id is None:
                self._client_id = await self._redis.client_id()
            await self._read()
        except Exception:
            self._client_id = None
            metrics.store_failures_total.labels("cache").inc()
            with suppress(*CACHE_ERRORS):
                await self._redis.connection_pool.disconnect()
            raise

    async def _read(self) -> None:
        events = {keys.feed(event_id): event_id for event_id in self._positions}
        if not events:
            return  # forgotten while the connection was made
        asked = {key: self._positions[event_id] for key, event_id in events.items()}
        xread: Any = self._redis.xread
        answer = await xread(asked, count=ENTRIES_MAX, block=BLOCK_MS)
        for key, entries in answer or ():
            event_id = events[key.decode()]
            if self._positions.get(event_id) != asked[key.decode()]:
                continue  # moved or forgotten while we waited
            for entry_id, entry in entries:
                self._positions[event_id] = entry_id
                try:
                    self._deliver(event_id, entry)
                except Exception as error:  # one entry must not end the reader
                    _log.error("live_entry_unread", error=log.scrubbed(error))

    async def _wake(self) -> None:
        """Make the blocked call return, so that it takes the new list of streams."""
        if self._client_id is not None:
            with suppress(*CACHE_ERRORS):
                await self._control.client_unblock(self._client_id)
