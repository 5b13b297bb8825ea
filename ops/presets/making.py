"""Makes events: reads a preset or an event, writes the blueprint in one transaction."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args
from uuid import UUID

import msgspec

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.db.engine import Database
from ops.errors import NotFound, Unprocessable
from ops.ids import uuid7
from ops.presets.blueprint import (
    TABLES,
    Blueprint,
    Preset,
    Row,
    Wish,
    copy_of,
    from_preset,
    slug_of,
)

PresetName = Literal["conference", "festival", "club"]
NAMES: Final[tuple[PresetName, ...]] = get_args(PresetName)
ROWS_MAX: Final = 5_000
FOLDER: Final = Path(__file__).parent / "data"

_EVENT: Final = "SELECT to_jsonb(e)::text FROM events e WHERE e.id = $1"
_COMPUTED: Final = """
SELECT attname::text FROM pg_attribute
 WHERE attrelid = $1::text::regclass AND attgenerated <> ''
"""
_LINK_DEVICES: Final = """
INSERT INTO ops.device_events (device_id, event_id, gate_id)
SELECT d.id, $2, g.new::uuid
  FROM ops.device_events e
  JOIN ops.devices d ON d.id = e.device_id AND d.state = 'active'
                    AND d.profile <> 'lead'
  LEFT JOIN ops.gates old ON old.id IN (d.gate_id, e.gate_id) AND old.event_id = $1
  LEFT JOIN jsonb_each_text($3::jsonb) AS g (old, new) ON g.old = old.id::text
 WHERE e.event_id = $1
    ON CONFLICT DO NOTHING
"""


@cache
def preset(name: PresetName) -> Preset:
    """The data of a preset."""
    text = (FOLDER / f"{name}.json").read_bytes()
    return msgspec.json.decode(text, type=Preset)


class EventMaker:
    """Makes events for the API and the command line."""

    def __init__(self, database: Database, auditor: Auditor) -> None:
        self._database, self._auditor = database, auditor

    async def from_preset(self, name: PresetName, wish: Wish, actor: Actor) -> UUID:
        """A new event, as the preset has it.

        Raises:
            Unprocessable: it would end before it begins.
        """
        made = from_preset(name, preset(name), wish, self._slug(wish), uuid7)
        async with self._database.pool.acquire() as db, db.transaction():
            return await self._write(db, made, actor, {"preset": name})

    async def copy(
        self, source_id: UUID, wish: Wish, actor: Actor, *, devices: bool
    ) -> UUID:
        """A new event, as another one was made, with its times moved.

        Args:
            devices: whether its devices serve the new event as well.

        Raises:
            NotFound: no such event.
            Unprocessable: it would end before it begins, or is too large.
        """
        async with (
            self._database.pool.acquire() as db,
            db.transaction(isolation="repeatable_read"),
        ):
            text = await db.fetchval(_EVENT, source_id)
            if text is None:
                raise NotFound("There is no such event.", code="event_not_found")
            tables = {name: await self._rows(db, name, source_id) for name in TABLES}
            event = msgspec.json.decode(text)
            made = copy_of(event, tables, wish, self._slug(wish), uuid7)
            new = await self._write(db, made, actor, {"copy_of": source_id})
            if devices:
                await db.execute(_LINK_DEVICES, source_id, new, made.gates)
            return new

    async def _rows(self, db: Any, table: str, event_id: UUID) -> list[Row]:
        rows = await db.fetch(
            f"SELECT to_jsonb(t)::text FROM {table} t WHERE t.event_id = $1 LIMIT $2",
            event_id,
            ROWS_MAX + 1,
        )
        if len(rows) > ROWS_MAX:
            raise Unprocessable(
                f"{table} has more than {ROWS_MAX} rows.", code="event_too_large"
            )
        return [msgspec.json.decode(row[0]) for row in rows]

    async def _write(
        self, db: Any, made: Blueprint, actor: Actor, detail: dict[str, Any]
    ) -> UUID:
        if made.event["ends_at"] <= made.event["starts_at"]:
            raise Unprocessable("It would end before it begins.", code="ends_too_early")
        await _insert(db, "public.events", [made.event])
        for table, rows in made.tables:
            await _insert(db, table, rows)
        event_id = UUID(made.event["id"])
        entry = Entry(actor, "events.create", "events", event_id, event_id)
        await self._auditor.record(db, entry._replace(detail=detail))
        return event_id

    def _slug(self, wish: Wish) -> str:
        return slug_of(wish.title, uuid7().hex[-8:])


async def _insert(db: Any, table: str, rows: list[Row]) -> None:
    """One statement a table: references among its own rows are checked at its end."""
    if not rows:
        return
    computed = {row[0] for row in await db.fetch(_COMPUTED, table)}
    columns = ", ".join(f'"{name}"' for name in rows[0] if name not in computed)
    await db.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns}"
        f" FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb)",
        rows,
    )
