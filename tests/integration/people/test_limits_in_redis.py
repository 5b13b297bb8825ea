"""The bucket in Redis agrees with the one in Python, also between processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ops.auth.limiter import RateLimiter, Rule
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.scripts import RATE_LIMIT
from ops.clock import Clock
from ops.errors import TooManyRequests

RULE = Rule("test", 0.01, 10)


@pytest.fixture
async def caches(redis_url: str) -> AsyncIterator[tuple[Cache, Cache]]:
    """The connections of two processes."""
    first, second = Cache(redis_url, timeout_s=5), Cache(redis_url, timeout_s=5)
    yield first, second
    await first.stop()
    await second.stop()


@pytest.fixture
async def no_cache() -> AsyncIterator[Cache]:
    """A Redis that nobody listens for."""
    cache = Cache("redis://127.0.0.1:1/0")
    yield cache
    await cache.stop()


async def _taken(limiter: RateLimiter, subject: str, times: int) -> int:
    tries = (limiter.take(RULE, subject) for _ in range(times))
    results = await asyncio.gather(*tries, return_exceptions=True)
    refused = [error for error in results if isinstance(error, TooManyRequests)]
    assert all(int(e.headers["Retry-After"]) in range(1, 1_001) for e in refused)
    assert results.count(None) + len(refused) == times
    return results.count(None)


async def test_two_processes_share_a_bucket(caches: tuple[Cache, Cache]) -> None:
    limiters = [RateLimiter(cache, Clock()) for cache in caches]
    taken = await asyncio.gather(*(_taken(limiter, "a", 7) for limiter in limiters))
    assert sum(taken) == RULE.burst
    assert await _taken(limiters[0], "b", 3) == 3
    redis = caches[0].redis
    found = await redis.keys("*")
    assert len(found) == 2
    assert all(b"rl:test:" in key for key in found)
    assert all([0 < await redis.pttl(key) <= 1_001_000 for key in found])


async def test_a_bucket_from_the_future_holds_nobody_beyond_its_window(
    caches: tuple[Cache, Cache],
) -> None:
    cache, key = caches[0], keys.rate_limit("test", "x")
    await cache.redis.set(key, str(10**18))
    taken, wait_ms = await cache.call(RATE_LIMIT, [key], [1_000_000, 3, 1])
    assert (taken, 0 < wait_ms <= 1_000) == (0, True)


async def test_a_process_counts_alone_while_redis_is_away(no_cache: Cache) -> None:
    limiter = RateLimiter(no_cache, Clock())
    assert await _taken(limiter, "a", 15) == RULE.burst
    with pytest.raises(TooManyRequests):
        await limiter.take(RULE, "a")
