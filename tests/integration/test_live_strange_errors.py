"""Errors of kinds that nobody thought of, thrown into the parts of the live role.

Drivers do it: asyncpg and uvloop end a broken connection with errors of their own, and
a future that a driver cancels looks to who waits for it like the end of the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack, nullcontext
from typing import Any

import pytest

from ops.db.engine import Database
from ops.errors import StoreUnavailable
from ops.live import auth, boards
from ops.live.auth import Authenticator
from ops.live.server import LiveServer
from ops.live.topics import Grants, Subject
from tests.integration.people.people_kit import make_place
from tests.integration.test_announcements_live import announce, live, shown
from tests.integration.test_live_figures import sign_in
from tests.live_world import World, client, serving


async def test_figures_that_cannot_be_made_are_withdrawn_and_come_back(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, broken = world.topic("attendance"), asyncio.Event()
    read = LiveServer.__init__.__globals__["CacheSource"].read

    async def stumbles(self: Any, event_id: Any) -> Any:
        if broken.is_set():
            raise RuntimeError("the handler is closed")
        return await read(self, event_id)

    monkeypatch.setattr("ops.live.server.CacheSource.read", stumbles)
    async with (
        serving(world, redis_url, interval_s=0.02, mark_after_s=0.05) as server,
        client(server) as one,
    ):
        await one.hello()
        await one.watch(topic)
        broken.set()
        assert (await one.hear_op("error"))["code"] == "unavailable"
        # Nothing vouches for the old ones.
        assert (await one.hear())["op"] == "error"
        broken.clear()
        await world.batch(i_1=7)
        back = await one.hear_op("snapshot")
        while back["data"]["figures"]["inside"] != 7:
            back = await one.hear()


async def test_a_list_that_cannot_be_read_is_withdrawn_and_comes_back(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, broken = world.read_devices, asyncio.Event()

    async def stumbles(event_id: Any) -> Any:
        if broken.is_set():
            raise RuntimeError("the handler is closed")
        return await read(event_id)

    monkeypatch.setattr(world, "read_devices", stumbles)
    async with (
        serving(world, redis_url, devices_every_s=0.02, mark_after_s=0.05) as server,
        client(server) as one,
    ):
        await one.hello()
        await one.watch(world.topic("devices"))
        broken.set()
        assert (await one.hear_op("error"))["code"] == "unavailable"
        broken.clear()
        assert (await one.hear_op("snapshot"))["data"]["total"] == 1


class Stumbling(Authenticator):
    """Looks nobody up the first time: what it waits for is cancelled under it."""

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self.stumbled = asyncio.Event()

    async def look_up(self, hashes: Collection[bytes]) -> dict[bytes, Grants]:
        if not self.stumbled.is_set():
            self.stumbled.set()
            waiting: asyncio.Future[None] = asyncio.Future()
            waiting.cancel()
            await waiting
        return dict.fromkeys(hashes, Grants(Subject.TICKET))


async def test_who_says_hello_meanwhile_is_told_to_come_again(
    database: Database,
) -> None:
    gate = Stumbling(database.pool)
    async with asyncio.timeout(5):
        with pytest.raises(StoreUnavailable):
            await gate.identify("first")
        assert await gate.identify("second") == Grants(Subject.TICKET)


async def test_without_the_answer_who_says_hello_waits_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr(auth, "answering", lambda *_: nullcontext())
    gate = Stumbling(database.pool)
    hello = asyncio.create_task(gate.identify("first"))
    await gate.stumbled.wait()
    assert await gate.identify("second") == Grants(Subject.TICKET)  # after it
    assert not hello.done()
    hello.cancel()


async def test_an_announcement_that_cannot_be_read_hides_no_other_events(
    database: Database,
    database_url: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    item = boards.Item

    def picky(row: Any, meant: Any) -> Any:
        if row["title"] == "Unreadable":
            raise ValueError("what is this?")
        return item(row, meant)

    monkeypatch.setattr(boards, "Item", picky)
    bad, good = await make_place(database), await make_place(database)
    await announce(database, bad, "Unreadable")
    token = await sign_in(database, '{"announcements": {"read": true}}', None)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            live(database, database_url, redis_url)
        )
        one = await stack.enter_async_context(client(server))
        await one.hello(token)
        told = await one.watch(f"event:{bad.event}:announcements")
        assert told["code"] == "unavailable"
        await one.watch(f"event:{good.event}:announcements")
        await announce(database, good, "Doors open")
        while True:
            heard = await one.hear()
            if heard["op"] != "error" and shown(heard) == ["Doors open"]:
                break
