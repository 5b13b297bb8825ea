"""Screens of a scenario: clients of the live socket behind a hop of their own.

Four kinds of them, each with its own token and its own right to see: the control room,
a staff device, an attendee with a private link, and a stranger who holds up the code of
a ticket. What each of them should show is asked of PostgreSQL by SQL of this file.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from load_tests.live_client import LiveClient
from ops.ids import uuid7
from tests.faults.ground import Ground
from tests.faults.proxy import Proxy
from tests.running import free_port
from tests.small_event import SmallEvent


class Who(StrEnum):
    """Who sits before a screen."""

    CONTROL = "control room"
    DEVICE = "staff device"
    ATTENDEE = "attendee"
    PUBLIC = "whoever holds up a ticket"


TOPICS = {
    Who.CONTROL: (
        *("attendance", "scans", "sessions", "devices", "alerts", "announcements"),
        *("forecast", "offline", "reach"),
    ),
    Who.DEVICE: ("attendance", "sessions", "announcements"),
    Who.ATTENDEE: ("sessions", "announcements"),
    Who.PUBLIC: ("sessions", "announcements"),
}

Shown = dict[str, Any]
"""What a screen shows, or what it should: by topic."""

# $1 the event
ENTERED = """
SELECT count(DISTINCT (ticket_id, person_no)) FROM check_ins
 WHERE event_id = $1 AND undone_at IS NULL
"""
SESSIONS = """
SELECT title, max_attendees FROM sessions WHERE event_id = $1
 ORDER BY start_time, title, id
"""
DEVICES = "SELECT count(*) FROM ops.device_events WHERE event_id = $1"
CONFLICTS = """
SELECT count(*) FROM ops.conflicts WHERE event_id = $1 AND resolved_at IS NULL
"""
SENT = """
SELECT id FROM event_announcements WHERE event_id = $1 AND status = 'sent' ORDER BY seq
"""
WAITING = """
SELECT count(*) FROM event_announcements WHERE event_id = $1 AND status <> 'sent'
"""
# $2 the person or the device
RECEIVED = """
SELECT a.id FROM event_announcements a
  JOIN ops.announcement_receipts r
    ON r.announcement_id = a.id AND r.recipient_id = $2 AND r.channel = 'in_app'
 WHERE a.event_id = $1 ORDER BY a.seq
"""
PUBLIC = """
SELECT id FROM event_announcements
 WHERE event_id = $1 AND status = 'sent' AND 'website' = ANY (delivery_method)
   AND target_audience = 'all' AND target_segments = '{}' ORDER BY seq
"""
ANNOUNCE = """
INSERT INTO event_announcements (id, event_id, title, content, status, scheduled_for,
                                 target_audience, target_segments, delivery_method)
VALUES ($1, $2, $3, 'Please read this.', 'scheduled', $4, 'all', $5, $6)
"""
MEANT = (
    ({}, ["in_app", "website"]),
    ({"checked_in": True}, ["in_app"]),
    ({"devices": True}, ["in_app"]),
)
"""An announcement to everybody, to those who are in, and to the staff's devices."""


class Screen:
    """One watcher of everything that it may see.

    Args:
        gives_up: does not come back when its socket ends (the negative control).
    """

    def __init__(
        self,
        url: str,
        who: Who,
        token: str,
        event_id: UUID,
        reader: UUID | None,
        *,
        gives_up: bool = False,
    ) -> None:
        self.who, self.reader, self.gives_up = who, reader, gives_up
        names = {kind: f"event:{event_id}:{kind}" for kind in TOPICS[who]}
        self.client = LiveClient(url, token, list(names.values()))
        self.topics = {k: self.client.mirror.topics[n] for k, n in names.items()}
        self.ready = asyncio.Event()
        self.task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        async with aclosing(self.client.frames()) as frames:
            async for _ in frames:
                if all(topic.data for topic in self.topics.values()):
                    self.ready.set()
                if self.gives_up and self.client.connects > 1:
                    await asyncio.Event().wait()

    def shows(self) -> Shown:
        """What it shows now, as `Screens.record` words it."""
        data = {kind: topic.data for kind, topic in self.topics.items()}
        shown: Shown = {
            "sessions": [
                (one["title"], one["capacity"]) for one in data["sessions"]["sessions"]
            ],
            "announcements": [one["id"] for one in data["announcements"]["items"]],
        }
        if "attendance" in data:
            shown["entered"] = data["attendance"]["figures"]["entered"]
        if self.who is Who.CONTROL:
            shown["devices"] = data["devices"]["total"]
            shown["conflicts"] = data["alerts"]["conflicts"]
            # What it was shown of all that was sent, whoever it was for.
            shown["reach"] = {one["id"] for one in data["reach"]["announcements"]}
        return shown

    @property
    def newest_line(self) -> str:
        """The scan on top of its ticker."""
        line: str = self.topics["scans"].data["lines"][-1]["id"]
        return line

    async def stop(self) -> None:
        """Switch it off."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


class Screens:
    """Screens of every kind, and the network between them and the live process."""

    def __init__(self, ground: Ground, event: SmallEvent) -> None:
        self._ground, self._event = ground, event
        self.network = Proxy(free_port(), int(ground.live.env["OPS_LIVE_PORT"]))
        self.all: list[Screen] = []
        self._said = 0

    async def open(self, count: int, *, gives_up: bool = False) -> list[Screen]:
        """`count` more of each kind, when all show something."""
        url = f"ws://127.0.0.1:{self.network.listen}/live"
        more = []
        for who in Who:
            for n in range(count):
                token, reader = await self._token(who, len(self.all) + n)
                more.append(
                    Screen(url, who, token, self._event.id, reader, gives_up=gives_up)
                )
        self.all += more
        async with asyncio.timeout(60):
            await asyncio.gather(*(screen.ready.wait() for screen in more))
        return more

    async def _token(self, who: Who, n: int) -> tuple[str, UUID | None]:
        """A token of this kind, and the person or device whom it stands for."""
        if who is Who.CONTROL:
            return await staff(self._ground), None
        if who is Who.DEVICE:
            device = uuid7()
            await self._event.add_device(
                self._ground.db, device, f"Screen {n}", self._event.main_gate
            )
            return f"dev_{device}", device
        ticket, attendee = await self._ground.db.fetchrow(
            "SELECT id, attendee_id FROM tickets WHERE event_id = $1"
            " ORDER BY id OFFSET $2 LIMIT 1",
            *(self._event.id, n),
        )
        token = f"{who.name}_{uuid7().hex}"
        digest = hashlib.sha256(token.encode()).digest()
        if who is Who.ATTENDEE:
            await self._ground.db.execute(
                "INSERT INTO ops.attendee_tokens (event_id, attendee_id, token_hash)"
                " VALUES ($1, $2, $3)",
                *(self._event.id, attendee, digest),
            )
            return token, attendee
        await self._ground.db.execute(
            "INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id, kind)"
            " VALUES ($1, $2, $3, 'own')",
            *(self._event.id, digest[:16], ticket),
        )
        return token, None

    async def something_happens(self) -> None:
        """Announcements to each audience are due, and the programme changes."""
        self._said += 1
        for segments, methods in MEANT:
            await self._ground.db.execute(
                ANNOUNCE,
                *(uuid7(), self._event.id, f"Word {self._said}", datetime.now(UTC)),
                *(json.dumps(segments), methods),
            )
        await self._ground.db.execute(
            "UPDATE sessions SET title = $2, max_attendees = $3 WHERE id = $1",
            *(self._event.session, f"Opening, plan {self._said}", 100 + self._said),
        )

    async def record(self, screen: Screen) -> Shown:
        """What PostgreSQL says that this screen should show."""
        db, event = self._ground.db, self._event.id
        mine = {Who.CONTROL: SENT, Who.PUBLIC: PUBLIC}.get(screen.who, RECEIVED)
        asked = (event,) if screen.reader is None else (event, screen.reader)
        held: Shown = {
            "sessions": [tuple(row) for row in await db.fetch(SESSIONS, event)],
            "announcements": [str(row["id"]) for row in await db.fetch(mine, *asked)],
        }
        if "attendance" in screen.topics:
            held["entered"] = await db.fetchval(ENTERED, event)
        if screen.who is Who.CONTROL:
            held["devices"] = await db.fetchval(DEVICES, event)
            held["conflicts"] = await db.fetchval(CONFLICTS, event)
            held["reach"] = {str(row["id"]) for row in await db.fetch(SENT, event)}
        return held

    async def sent(self, within_s: float) -> None:
        """Wait until every announcement that was due has gone."""
        async with asyncio.timeout(within_s):
            while await self._ground.db.fetchval(WAITING, self._event.id):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def apart(self, within_s: float) -> list[Screen]:
        """Screens that do not show what PostgreSQL holds; waits until none is left."""
        end_s = time.monotonic() + within_s
        while True:
            wrong = [
                screen
                for screen in self.all
                if screen.shows() != await self.record(screen)
            ]
            if not wrong or time.monotonic() > end_s:
                return wrong
            await asyncio.sleep(0.2)


@asynccontextmanager
async def screens_of(ground: Ground, event: SmallEvent) -> AsyncIterator[Screens]:
    """Screens of an event, switched off at the end."""
    screens = Screens(ground, event)
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
