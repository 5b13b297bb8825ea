"""The watch that closes the door's breaker: it never ends, whatever meets it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ops.cache.client import Cache
from ops.checkin import recovery
from ops.checkin.recovery import Recovery
from ops.checkin.stores import Stores
from ops.clock import Clock
from ops.db.engine import Database


async def idle() -> None:
    """No plan to follow."""


async def closed_again(stores: Stores, limit_s: float = 20.0) -> bool:
    """Whether the breaker is closed within the time."""
    try:
        async with asyncio.timeout(limit_s):
            while stores.database_breaker.open:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        return False
    return True


@pytest.fixture
def stores(database: Database, redis_url: str) -> Stores:
    return Stores(database, Cache(redis_url), Clock())


async def test_an_error_that_nobody_thought_of_does_not_leave_it_open(
    database: Database, stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncpg and uvloop end a broken connection with errors of their own kinds."""
    monkeypatch.setattr(recovery, "PROBE_S", 0.02)
    monkeypatch.setattr(recovery, "TRY_S", 5.0)
    asked: list[int] = []
    connect = database.connect

    async def stumbles() -> object:
        asked.append(1)
        if len(asked) == 1:
            raise RuntimeError("the handler is closed")
        return await connect()

    monkeypatch.setattr(database, "connect", stumbles)

    async def prepare() -> None: ...

    watch = Recovery(database, stores, Clock(), tmp_path, prepare, idle, steady_s=0.1)
    await watch.start()
    try:
        stores.database_breaker.failed(0.0, 2)
        assert await closed_again(stores)
        assert len(asked) > 1
        # And the next time as well.
        stores.database_breaker.failed(0.0, 2)
        assert await closed_again(stores)
    finally:
        await watch.stop()


async def test_the_breaker_stays_open_while_no_probe_gets_through(
    database: Database, stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "PROBE_S", 0.02)
    asked: list[int] = []

    async def refuses() -> object:
        asked.append(1)
        raise ConnectionRefusedError

    monkeypatch.setattr(database, "connect", refuses)

    async def prepare() -> None: ...

    watch = Recovery(database, stores, Clock(), tmp_path, prepare, idle, steady_s=0.0)
    await watch.start()
    try:
        stores.database_breaker.failed(0.0, 2)
        async with asyncio.timeout(20):
            while len(asked) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert stores.database_breaker.open
    finally:
        await watch.stop()


async def test_a_slow_probe_does_not_start_the_time_anew(
    database: Database, stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine one of a few probes is slow; the database is well all the same.

    Each second one takes longer to connect than a call of the door may take.
    """
    monkeypatch.setattr(recovery, "PROBE_S", 0.02)
    asked: list[int] = []
    connect = database.connect

    async def slow() -> object:
        asked.append(1)
        if len(asked) % 2:
            await asyncio.sleep(0.35)
        return await connect()

    monkeypatch.setattr(database, "connect", slow)

    async def prepare() -> None: ...

    watch = Recovery(database, stores, Clock(), tmp_path, prepare, idle, steady_s=1.0)
    await watch.start()
    try:
        stores.database_breaker.failed(0.0, 2)
        assert await closed_again(stores)
    finally:
        await watch.stop()


async def test_who_meets_nobody_for_long_still_sees_the_breaker(
    database: Database, stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking up who may come hangs; the watch goes on."""
    monkeypatch.setattr(recovery, "PROBE_S", 0.02)
    monkeypatch.setattr(recovery, "PREPARE_S", 0.0)
    monkeypatch.setattr(recovery, "PREPARE_TRY_S", 0.1)
    hangs, met = asyncio.Event(), asyncio.Event()

    async def prepare() -> None:
        if met.is_set():
            hangs.set()
            await asyncio.Event().wait()
        met.set()

    watch = Recovery(database, stores, Clock(), tmp_path, prepare, idle, steady_s=0.1)
    await watch.start()
    try:
        async with asyncio.timeout(20):
            await hangs.wait()
        stores.database_breaker.failed(0.0, 2)
        assert await closed_again(stores)
    finally:
        await watch.stop()
