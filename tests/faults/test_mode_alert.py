"""That PostgreSQL is gone is on the screens although only PostgreSQL knows alerts.

Real processes: a live process watches, the postmaster is killed or every process of
PostgreSQL is stopped. The list of devices, which is read in the same way without
remembering anything, is withdrawn once the postmaster is dead: the control, PostgreSQL
really is away.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from load_tests.live_client import LiveClient
from tests.faults.ground import Ground, open_ground
from tests.faults.watchers import staff

GONE_WITHIN_S, BACK_WITHIN_S = 30.0, 60.0

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


def strike(ground: Ground, how: str) -> None:
    """PostgreSQL is gone, or says nothing."""
    if how == "killed":
        assert ground.postgres.pid is not None
        os.kill(ground.postgres.pid, signal.SIGKILL)
    else:
        ground.freeze(ground.postgres.dir, signal.SIGSTOP)


class Wall:
    """What a screen in the control room knows of alerts and devices."""

    def __init__(self, ground: Ground, token: str, event_id: object) -> None:
        topics = [f"event:{event_id}:{kind}" for kind in ("alerts", "devices")]
        url = f"ws://127.0.0.1:{ground.live.env['OPS_LIVE_PORT']}/live"
        self.client = LiveClient(url, token, topics)
        self.alerts, self.devices = (self.client.mirror.topics[t] for t in topics)
        self._moved = asyncio.Event()
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        async for _ in self.client.frames():
            self._moved.set()

    @property
    def told(self) -> tuple[str, bool]:
        """The mode, and whether the list beside it is old."""
        data: Any = self.alerts.data
        return (data["mode"], data["old"]) if data else ("", False)

    async def until(self, holds: Callable[[], bool], within_s: float) -> None:
        """Wait until frames have made it so."""
        async with asyncio.timeout(within_s):
            while not holds():
                self._moved.clear()
                await self._moved.wait()

    async def stop(self) -> None:
        """Switch it off."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_the_screens_hear_that_postgresql_is_gone(how: str) -> None:
    async with open_ground() as ground:
        event, _ = await ground.event(20)
        wall = Wall(ground, await staff(ground), event.id)
        try:
            await wall.until(lambda: wall.told == ("normal", False), BACK_WITHIN_S)
            await wall.until(lambda: wall.devices.data is not None, BACK_WITHIN_S)
            strike(ground, how)
            await wall.until(lambda: wall.told == ("journal", True), GONE_WITHIN_S)
            assert wall.alerts.error == ""
            if how == "frozen":
                return
            await wall.until(lambda: wall.devices.error == "unavailable", GONE_WITHIN_S)
            await ground.heal()
            await wall.until(lambda: wall.told == ("normal", False), BACK_WITHIN_S)
        finally:
            await wall.stop()
            await ground.heal()
