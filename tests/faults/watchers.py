"""Screens of a scenario: clients of the live socket behind a hop of their own."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from load_tests.live_client import LiveClient
from ops.ids import uuid7
from tests.faults.ground import Ground
from tests.faults.proxy import Proxy
from tests.running import free_port

ENTERED = """
SELECT count(DISTINCT (ticket_id, person_no)) FROM check_ins
 WHERE event_id = $1 AND undone_at IS NULL
"""


class Screen:
    """One watcher of figures and ticker.

    Args:
        gives_up: does not come back when its socket ends (the negative control).
    """

    def __init__(
        self, url: str, token: str, event_id: UUID, *, gives_up: bool = False
    ) -> None:
        topics = [f"event:{event_id}:{kind}" for kind in ("attendance", "scans")]
        self.client = LiveClient(url, token, topics)
        self.figures, self.ticker = (self.client.mirror.topics[t] for t in topics)
        self.gives_up = gives_up
        self.shows = asyncio.Event()
        self.task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        async for _ in self.client.frames():
            if self.entered >= 0:
                self.shows.set()
            if self.gives_up and self.client.connects > 1:
                await asyncio.Event().wait()

    @property
    def entered(self) -> int:
        """What it shows; -1 before anything."""
        data: Any = self.figures.data
        return data["figures"]["entered"] if data else -1

    async def stop(self) -> None:
        """Switch it off."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


class Screens:
    """Several screens and the network between them and the live process."""

    def __init__(self, ground: Ground, event_id: UUID) -> None:
        self._ground, self._event_id = ground, event_id
        self.network = Proxy(free_port(), int(ground.live.env["OPS_LIVE_PORT"]))
        self.all: list[Screen] = []

    async def open(self, count: int, *, gives_up: bool = False) -> list[Screen]:
        """More screens, when all show something."""
        url = f"ws://127.0.0.1:{self.network.listen}/live"
        token = await staff(self._ground)
        more = [
            Screen(url, token, self._event_id, gives_up=gives_up) for _ in range(count)
        ]
        self.all += more
        async with asyncio.timeout(30):
            await asyncio.gather(*(screen.shows.wait() for screen in more))
        return more

    async def apart(self, within_s: float) -> list[Screen]:
        """Screens that do not show what PostgreSQL holds; waits until none is left."""
        end_s = time.monotonic() + within_s
        while True:
            record = await self._ground.db.fetchval(ENTERED, self._event_id)
            wrong = [screen for screen in self.all if screen.entered != record]
            if not wrong or time.monotonic() > end_s:
                return wrong
            await asyncio.sleep(0.1)


@asynccontextmanager
async def screens_of(ground: Ground, event_id: UUID) -> AsyncIterator[Screens]:
    """Screens of an event, switched off at the end."""
    screens = Screens(ground, event_id)
    await screens.network.start()
    try:
        yield screens
    finally:
        for screen in screens.all:
            await screen.stop()
        await screens.network.stop()


async def staff(ground: Ground) -> str:
    """The token of somebody who may read everything."""
    role, user, token = uuid7(), uuid7(), f"staff_{uuid7()}"
    async with ground.db.acquire() as db:
        await db.execute(
            "INSERT INTO roles (id, name, permissions)"
            ' VALUES ($1, $2, \'{"*": {"read": true}}\')',
            role,
            f"viewer-{role}",
        )
        await db.execute(
            "INSERT INTO users (id, first_name, last_name, email, role_id)"
            " VALUES ($1, 'Zoë', 'Ng', $2, $3)",
            user,
            f"{user}@example.org",
            role,
        )
        await db.execute(
            "INSERT INTO ops.staff_sessions (id, user_id, token_hash, kind, expires_at)"
            " VALUES ($1, $2, $3, 'bearer', now() + interval '1 hour')",
            uuid7(),
            user,
            hashlib.sha256(token.encode()).digest(),
        )
    return token
