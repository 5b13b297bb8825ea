"""The Python client against a real server: it converges through whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from load_tests.live_client import LiveClient
from ops import metrics
from ops.live.server import LiveServer
from tests.live_world import World, line, serving


class Watcher:
    """A client in a task, and a way to wait for what it shows."""

    def __init__(self, live: LiveServer, world: World, token: str) -> None:
        topics = [world.topic(kind) for kind in ("attendance", "scans")]
        url = f"ws://127.0.0.1:{live.port}/live"
        self.client = LiveClient(url, token, topics)
        self.attendance, self.scans = (self.client.mirror.topics[t] for t in topics)
        self._heard = asyncio.Condition()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for _ in self.client.frames():
            async with self._heard:
                self._heard.notify_all()

    async def until(self, shown: Callable[[], bool], within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s), self._heard:
            await self._heard.wait_for(shown)

    def inside(self) -> int:
        return self.attendance.data["figures"]["inside"] if self.attendance.data else -1

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def test_it_converges_through_a_restart_and_a_lost_cache(
    world: World, redis_url: str
) -> None:
    options = {"interval_s": 0.02, "retry_ms_max": 50}
    async with serving(world, redis_url, **options) as live:
        port = live.port
        watcher = Watcher(live, world, "staff_all")
        await watcher.until(lambda: watcher.inside() == 0)
        await world.batch([line()], i_1=3)
        await watcher.until(lambda: watcher.inside() == 3)
    # Nobody serves; something happens meanwhile.
    await world.batch([line()], i_1=2)
    async with serving(world, redis_url, port=port, **options):
        await watcher.until(lambda: watcher.inside() == 5)
        await watcher.until(lambda: watcher.scans.offset == 2)
        assert watcher.client.connects >= 2
        await world.forget()
        await world.warm("e2")
        await world.batch(i_1=7)
        await watcher.until(lambda: watcher.attendance.epoch == "e2")
        await watcher.until(lambda: watcher.inside() == 7)
        await watcher.stop()


async def test_it_does_not_come_back_with_a_refused_token(
    world: World, redis_url: str
) -> None:
    async with serving(world, redis_url) as live:
        watcher = Watcher(live, world, "staff_forged")
        async with asyncio.timeout(5):
            await watcher.task
        assert watcher.client.close_code == 4003
        assert watcher.client.connects == 1


async def test_many_clients_agree(world: World, redis_url: str) -> None:
    async with serving(world, redis_url, interval_s=0.02) as live:
        watchers = [Watcher(live, world, "staff_all") for _ in range(20)]
        for _ in range(40):
            await world.batch([line()], i_1=1)
        for watcher in watchers:
            await watcher.until(lambda w=watcher: w.inside() == 40)
            await watcher.until(lambda w=watcher: w.scans.offset == 40)
        shown = [[one["id"] for one in w.scans.data["lines"]] for w in watchers]
        assert all(ids == shown[0] for ids in shown)
        assert len(set(shown[0])) == 40
        for watcher in watchers:
            await watcher.stop()


async def test_too_many_at_once_are_sent_away_and_come_again(
    world: World, redis_url: str
) -> None:
    """The negative control: without the limit nobody is sent away."""

    async def refused(**limit: float) -> float:
        before = metrics.socket_refusals_total._value.get()
        async with serving(world, redis_url, interval_s=0.02, **limit) as live:
            watchers = [Watcher(live, world, "staff_all") for _ in range(12)]
            for watcher in watchers:
                await watcher.until(lambda w=watcher: w.inside() >= 0, 20.0)
            for watcher in watchers:
                await watcher.stop()
        after: float = metrics.socket_refusals_total._value.get()
        return after - before

    assert await refused(accepts_per_s=10.0, accepts_burst=3.0) > 0
    assert await refused(accepts_per_s=1_000.0, accepts_burst=1_000.0) == 0
