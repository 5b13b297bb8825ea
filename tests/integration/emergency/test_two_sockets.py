"""An emergency at two sockets: a staff device hears first, guests of the text."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.attendance.kit import Doors
from tests.integration.emergency.test_emergency import start, step, texts
from tests.integration.people.people_kit import Place
from tests.integration.test_announcements_live import link, live, open_board, shown


async def guest_of(doors: Doors, code: str) -> UUID:
    """The attendee of a ticket."""
    found: UUID = await doors.database.pool.fetchval(
        "SELECT attendee_id FROM tickets WHERE id = $1", doors.event.tickets[code]
    )
    return found


async def told(client: Any) -> list[str]:
    """The titles of the next frame that brings anything."""
    while True:
        frame = await client.hear()
        if frame["op"] in ("snapshot", "update") and shown(frame):
            return shown(frame)


async def test_staff_hear_of_the_stop_and_guests_of_the_text(
    doors: Doors, database: Database, database_url: str, redis_url: str
) -> None:
    place = Place(doors.event.id, doors.event.venue, doors.event.main_gate, uuid7())
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            live(database, database_url, redis_url)
        )
        token = await link(database, place, await guest_of(doors, "T-1"))
        guest, snapshot = await open_board(server, place, token, stack)
        assert shown(snapshot) == []
        phone, _ = await open_board(server, place, f"dev_{doors.event.device}", stack)
        await start(doors)
        [staff_only] = await told(phone)
        # The guest's history goes on without a gap, and says nothing.
        quiet = await guest.hear()
        assert (quiet["op"] in ("snapshot", "update"), shown(quiet)) == (True, [])
        [text, *_] = await texts(doors)
        await step(doors, "publish", text=text)
        [public] = await told(guest)
        assert public == text["title"] != staff_only
