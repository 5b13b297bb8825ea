"""What tests share: of the merge, houses of one event in one folder and who merges; of
the sockets, a warm event."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from ops.cache.client import Cache
from ops.clock import Clock
from ops.crm_sync.merging import Merger
from ops.db.engine import Database
from tests.house import House
from tests.live_world import World

NewHouse = Callable[..., Awaitable[House]]


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[Cache]:
    cache = Cache(redis_url, timeout_s=5.0)
    yield cache
    await cache.stop()


@pytest.fixture
async def house(
    database: Database, cache: Cache, tmp_path: Path
) -> AsyncIterator[NewHouse]:
    """Make houses with a warm cache; later ones serve the event of the first."""
    made: list[House] = []

    async def make() -> House:
        one = House(database, cache, tmp_path, Clock())
        if made:
            await one.join(made[0])
        else:
            await one.start(warm=True)
            await one.drain.start()
        made.append(one)
        return one

    yield make
    for one in made:
        await one.stop()


@pytest.fixture
async def merger(
    database: Database, cache: Cache, tmp_path: Path
) -> AsyncIterator[Merger]:
    merger = Merger(database, cache, tmp_path)
    yield merger
    merger.stop()


@pytest.fixture
async def world(redis_url: str) -> AsyncIterator[World]:
    """What a live process reads, written by hand."""
    redis: Redis = Redis.from_url(redis_url, protocol=2)
    world = World(redis)
    await world.warm()
    yield world
    await world.forget()
    await redis.aclose()
