"""The mode of an event beside what waits for somebody, also while PostgreSQL is away.

The list itself comes from PostgreSQL. Without it the last one is shown again, marked as
old: that the database is away is the one thing that must not wait for the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

import msgspec

from ops.cache import keys
from ops.cache.client import CACHE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.alerts import Alerts, Mode
from ops.patience import within

READ_S = 3.0
"""A list that takes longer is not waited for: a PostgreSQL that was stopped answers
nothing for as long as it likes, and that is to be told."""

Read = Callable[[UUID], Coroutine[Any, Any, Alerts | None]]
InCache = Callable[[UUID], Awaitable[str | None]]
"""N or D; None: the cache is cold or away."""


def mode_in_cache(redis: Any) -> InCache:
    """Read modes with this client."""

    async def read(event_id: UUID) -> str | None:
        try:
            mode, state = await redis.hmget(keys.meta(event_id), ["mode", "state"])
        except CACHE_ERRORS:
            return None
        return mode.decode() if mode is not None and state == b"ready" else None

    return read


class AlertsWithMode:
    """`read` of the topic alerts; remembers the last list of each event."""

    def __init__(self, read: Read, in_cache: InCache) -> None:
        self._read, self._in_cache = read, in_cache
        self._last: dict[UUID, Alerts] = {}

    async def __call__(self, event_id: UUID) -> Alerts | None:
        """What waits for somebody; None if there is no such event.

        Raises:
            StoreUnavailable: PostgreSQL is away before anything was read.
        """
        cached = await self._in_cache(event_id)
        try:
            found = await within(READ_S, self._read(event_id))
        except (StoreUnavailable, TimeoutError) as error:
            last = self._last.get(event_id)
            if last is None:
                raise StoreUnavailable("alerts") from error
            away: Mode = "journal" if cached is not None else "down"
            return msgspec.structs.replace(last, mode=away, old=True)
        if found is None:
            self._last.pop(event_id, None)
            return None
        mode: Mode = "no-redis" if cached is None else "normal"
        if cached == "D":
            mode = "journal"
        self._last[event_id] = found = msgspec.structs.replace(found, mode=mode)
        return found
