"""The connection to Redis or Valkey, with short time limits and no hidden repeats.

redis-py repeats a command after a lost reply by default, EVAL too; here a lost reply
is an error of the caller, who knows whether repeating is safe. A connection whose
command was cancelled or timed out is closed by the client, never reused.
"""

from __future__ import annotations

import itertools
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from ops.cache.scripts import Script
from ops.errors import StoreUnavailable

CALL_TIMEOUT_S = 0.15
"""One call of the door (core.md item 10: the budget of a scan is 700 ms)."""
CONNECTIONS_MAX = 16

_calls = itertools.count(1)

CACHE_ERRORS = (RedisError, OSError, TimeoutError)


class Cache:
    """A pool of connections to one Redis or Valkey.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        timeout_s: limit of connecting and of each call; None waits for ever and is
            only for readers that block on purpose.
    """

    def __init__(self, url: str, timeout_s: float | None = CALL_TIMEOUT_S) -> None:
        self.url = url
        self.redis: Redis = Redis.from_url(
            url,
            decode_responses=False,
            protocol=2,  # 8.1 keeps RESP3 connections that the server has closed
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s or 1.0,
            retry=Retry(NoBackoff(), 0),
            max_connections=CONNECTIONS_MAX,
        )

    async def start(self) -> None:
        """Nothing to wait for: connections are opened by the first calls."""

    async def stop(self) -> None:
        """Close all connections."""
        await self.redis.aclose()

    async def call(
        self, script: Script, keys: list[str], args: list[bytes | str | int]
    ) -> Any:
        """Run a script once; loads it if the server does not know it.

        Raises:
            StoreUnavailable: no connection, no answer in time, or a script error;
                whether the script ran is unknown, and every script may be repeated.
                Or the reply belongs to another call (a client once handed a cancelled
                command's reply to the next caller): all connections are closed.
        """
        mark = b"%d" % next(_calls)
        given = (*keys, *args, mark)
        try:
            try:
                reply = await self.redis.evalsha(script.sha, len(keys), *given)
            except NoScriptError:
                reply = await self.redis.eval(script.text, len(keys), *given)
            if reply[0] != mark:
                await self.redis.connection_pool.disconnect()
                raise StoreUnavailable("cache: the reply of another call")
        except CACHE_ERRORS as error:
            raise StoreUnavailable(f"cache: {type(error).__name__}") from error
        return reply[1]
