"""`ops event create` and `ops event copy`: the same as POST /events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from ops.audit.auditor import Auditor
from ops.audit.entry import SYSTEM
from ops.db.engine import Database
from ops.errors import SettingsError
from ops.presets.blueprint import Wish
from ops.presets.making import EventMaker, PresetName
from ops.presets.shifting import local
from ops.settings import Settings

_FIND = "SELECT id, timezone FROM events WHERE slug = $1 OR id::text = $1"
Make = Callable[[EventMaker, Database], Awaitable[UUID]]
DEFAULT_ZONE = "America/Toronto"


def create(
    settings: Settings,
    preset: PresetName,
    title: str,
    starts: datetime,
    timezone: str | None,
    capacity: int | None,
) -> UUID:
    """Make an event from a preset; `starts` is the local time of its place.

    Raises:
        StoreError: PostgreSQL did not answer.
        Unprocessable: a rule refuses it.
    """
    zone = timezone or DEFAULT_ZONE
    at = local(starts, ZoneInfo(zone))
    wish = Wish(title, at, timezone=zone, capacity=capacity)

    async def make(maker: EventMaker, _: Database) -> UUID:
        return await maker.from_preset(preset, wish, SYSTEM)

    return asyncio.run(_with_maker(settings, make))


def copy(
    settings: Settings, event: str, title: str, starts: datetime, devices: bool
) -> UUID:
    """Make a copy of an event (slug or id); `starts` is the local time of its place.

    Raises:
        SettingsError: no such event.
        StoreError: PostgreSQL did not answer.
        Unprocessable: a rule refuses it.
    """

    async def make(maker: EventMaker, database: Database) -> UUID:
        row = await database.pool.fetchrow(_FIND, event)
        if row is None:
            raise SettingsError(f"there is no event {event}")
        wish = Wish(title, local(starts, ZoneInfo(row["timezone"])))
        return await maker.copy(row["id"], wish, SYSTEM, devices=devices)

    return asyncio.run(_with_maker(settings, make))


async def _with_maker(settings: Settings, make: Make) -> UUID:
    database = Database(settings.database_url, "ops event")
    await database.start()
    try:
        return await make(EventMaker(database, Auditor(settings.secret_key)), database)
    finally:
        await database.stop()
