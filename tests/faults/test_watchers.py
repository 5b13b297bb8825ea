"""Doors scan while the live process, Valkey and the network die under the screens.

At the end every screen shows what PostgreSQL holds; one that gives up does not.
"""

from __future__ import annotations

import asyncio

import pytest

from ops.dev.crowd import folder
from tests.faults.catalogue import killed, valkey_killed
from tests.faults.doors import Crowd
from tests.faults.ground import open_ground
from tests.faults.scenario import Scene
from tests.faults.watchers import Screens, screens_of

TICKETS, SCREENS, SEED = 1_500, 12, 7
REACH_S, SETTLE_S = 60.0, 40.0

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


async def strike(scene: Scene, screens: Screens) -> None:
    """Everything between a door and a screen ends once and comes back."""
    ground, crowd = scene.ground, scene.crowd
    live = killed(lambda ground: [ground.live])
    await live(scene)
    assert await crowd.reach(30, REACH_S)
    screens.network.set("cut")
    assert await crowd.reach(30, REACH_S)
    screens.network.set("pass")
    await valkey_killed(scene)
    assert await crowd.reach(30, REACH_S)
    for store in (ground.redis[2], ground.pg[2]):
        store.set("cut")
        assert await crowd.reach(20, REACH_S)
        store.set("pass")
    screens.network.set("swallow")
    assert await crowd.reach(20, REACH_S)
    screens.network.set("pass")
    screens.network.reset()


@pytest.mark.timeout(400)
async def test_every_screen_converges() -> None:
    async with open_ground() as ground:
        event, tickets = await ground.event(TICKETS)
        place = folder(ground.folder, event.id)
        crowd = Crowd(event.id, tickets, event.doors, ground.urls, place, SEED)
        async with screens_of(ground, event.id) as screens:
            healthy = await screens.open(SCREENS)
            [lost] = await screens.open(1, gives_up=True)
            crowd.start()
            assert await crowd.reach(60, REACH_S)
            try:
                await strike(Scene(ground, crowd, event.id, True), screens)
            finally:
                await ground.heal()
            assert await crowd.reach(50, REACH_S)
            async with asyncio.timeout(60):
                await crowd.stop()
            # The negative control waits as long as the others may need.
            screens.all.remove(lost)
            assert await screens.apart(SETTLE_S) == []
            assert all(screen.client.connects >= 2 for screen in healthy)
            assert len({_newest(screen.ticker.data) for screen in healthy}) == 1
            screens.all.append(lost)
            assert await screens.apart(0.0) == [lost]


def _newest(data: object) -> str:
    assert isinstance(data, dict)
    line: str = data["lines"][-1]["id"]
    return line
