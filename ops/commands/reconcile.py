"""`ops reconcile EVENT`: what differs, as a table; with --repair, made right.

An event in journal mode goes back when every machine has merged its journals. One that
is gone for good is taken out with --retire; what it brings later is reported then.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table

from ops.cache.client import Cache
from ops.clock import Clock
from ops.crm_sync import statements
from ops.crm_sync.drain import Drain
from ops.crm_sync.merging import read_mode
from ops.crm_sync.reconcile import Difference, Reconciler
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.errors import SettingsError
from ops.settings import Settings

CALL_TIMEOUT_S = 5.0
_RETIRE = """
UPDATE ops.machines SET retired_at = now() WHERE name = $1 AND retired_at IS NULL
RETURNING name
"""
_FIND = "SELECT id FROM events WHERE slug = $1 OR id::text = lower($1)"


async def find_event(database: Database, event: str) -> UUID:
    """The event of an id or a slug.

    Raises:
        SettingsError: there is none.
    """
    found: UUID | None = await database.pool.fetchval(_FIND, event)
    if found is None:
        raise SettingsError(f"there is no event {event}")
    return found


def reconciler(database: Database, cache: Cache, folder: Path) -> Reconciler:
    """A reconciler for one call."""
    warmer = Warmer(database, cache, Drain(database, cache).catch_up)
    return Reconciler(database, cache, warmer, folder, Clock())


async def run(
    settings: Settings,
    event: str,
    repair: bool,
    console: Console,
    retire: str | None = None,
) -> bool:
    """Compare, show, repair if asked; whether nothing differs in the end.

    Args:
        retire: the name of a machine whose journals nobody waits for any more.

    Raises:
        SettingsError: there is no such event, or no such machine in service.
        StoreUnavailable: a store is away.
    """
    database = Database(settings.database_url, "ops reconcile")
    cache = Cache(settings.redis_url, timeout_s=CALL_TIMEOUT_S)
    await database.start()
    try:
        event_id = await find_event(database, event)
        folder = Path(settings.data_dir) / "journal"
        if retire and not await database.pool.fetchval(_RETIRE, retire):
            raise SettingsError(f"there is no machine {retire} in service")
        await _waited_for(database, cache, event_id, console)
        work = reconciler(database, cache, folder)
        return await _run(work, event_id, repair, console)
    finally:
        await cache.stop()
        await database.stop()


async def _waited_for(
    database: Database, cache: Cache, event_id: UUID, console: Console
) -> None:
    """Show which machines keep an event in journal mode."""
    mode = await read_mode(cache, event_id)
    if mode is None or mode[0] != "D":
        return
    rows = await database.pool.fetch(statements.MACHINES_NAMED, event_id, mode[1])
    if not rows:
        console.print("journal mode; all machines have merged")
        return
    table = Table("journal mode waits for", "last seen", "merged up to", "of")
    for row in rows:
        seen = row["last_seen_at"].isoformat(timespec="seconds")
        table.add_row(row["name"], seen, str(row["epoch"]), str(mode[1]))
    console.print(table)


async def _run(
    work: Reconciler, event_id: UUID, repair: bool, console: Console
) -> bool:
    found = await work.compare(event_id)
    _show(found, console)
    if found and repair:
        await work.repair(event_id, found)
        found = await work.compare(event_id)
        console.print("after the repair:")
        _show(found, console)
    return not found


def _show(found: list[Difference], console: Console) -> None:
    if not found:
        console.print("cache, journals and counters say what the record says")
        return
    table = Table("what", "which", "says", "record")
    for one in found:
        table.add_row(one.kind, one.key, one.there, one.record)
    console.print(table)
