"""Doors scan while the live process, Valkey and the network die under the screens.

First one after the other, then all three at once. Screens of every kind watch: control
rooms, staff devices, attendees and strangers who hold up a ticket. At the end each of
them shows what PostgreSQL holds for it, every announcement in its order and once; those
that give up do not.
"""

from __future__ import annotations

import asyncio
import signal

import pytest

from ops.dev.crowd import folder
from tests.faults.catalogue import killed, valkey_killed
from tests.faults.doors import Crowd
from tests.faults.ground import open_ground
from tests.faults.scenario import Scene
from tests.faults.watchers import Screens, Who, screens_of

TICKETS, OF_EACH, SEED = 1_500, 2, 7
REACH_S, SETTLE_S = 60.0, 60.0

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


async def one_after_the_other(scene: Scene, screens: Screens) -> None:
    """Everything between a door and a screen ends once and comes back."""
    ground, crowd = scene.ground, scene.crowd
    live = killed(lambda ground: [ground.live])
    await live(scene)
    await screens.something_happens()
    assert await crowd.reach(30, REACH_S)
    screens.network.set("cut")
    await screens.something_happens()
    assert await crowd.reach(30, REACH_S)
    screens.network.set("pass")
    await valkey_killed(scene)
    await screens.something_happens()
    assert await crowd.reach(30, REACH_S)
    for store in (ground.redis[2], ground.pg[2]):
        store.set("cut")
        await screens.something_happens()
        assert await crowd.reach(20, REACH_S)
        store.set("pass")
    screens.network.set("swallow")
    await screens.something_happens()
    assert await crowd.reach(20, REACH_S)
    screens.network.set("pass")
    screens.network.reset()


async def all_at_once(scene: Scene, screens: Screens) -> None:
    """The network swallows all, and meanwhile live and Valkey are killed."""
    ground, crowd = scene.ground, scene.crowd
    screens.network.set("swallow")
    ground.live.kill()
    ground.freeze(ground.valkey.dir, signal.SIGKILL)
    await screens.something_happens()
    assert await crowd.reach(20, REACH_S)
    await ground.in_thread(ground.valkey.start)
    await ground.serve()
    screens.network.set("pass")
    screens.network.reset()


@pytest.mark.timeout(400)
async def test_every_screen_converges() -> None:
    async with open_ground() as ground:
        event, tickets = await ground.event(TICKETS)
        place = folder(ground.folder, event.id)
        crowd = Crowd(event.id, tickets, event.doors, ground.urls, place, SEED)
        async with screens_of(ground, event) as screens:
            healthy = await screens.open(OF_EACH)
            lost = await screens.open(1, gives_up=True)
            crowd.start()
            assert await crowd.reach(60, REACH_S)
            scene = Scene(ground, crowd, event.id, True)
            try:
                await one_after_the_other(scene, screens)
                await all_at_once(scene, screens)
            finally:
                await ground.heal()
            assert await crowd.reach(50, REACH_S)
            async with asyncio.timeout(60):
                await crowd.stop()
            await screens.sent(SETTLE_S)
            # The negative controls wait as long as the others may need.
            screens.all = healthy
            wrong = await screens.apart(SETTLE_S)
            assert [(s.who, s.shows(), await screens.record(s)) for s in wrong] == []
            # Who waits to come again may sleep through a blow, but not through all.
            assert all(screen.client.connects >= 2 for screen in healthy)
            rooms = [screen for screen in healthy if screen.who is Who.CONTROL]
            assert len({screen.newest_line for screen in rooms}) == 1
            screens.all = [*healthy, *lost]
            assert await screens.apart(0.0) == lost
